"""Wires reporting: the page and the metrics of a window, with retraining's decision where there is one."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.datasets.alerts.channel import CHANNELS
from evergreen.pipelines.reporting import nodes
from evergreen.pipelines.reporting.dashboard import DASHBOARD_RECORDS


def create_pipeline() -> Pipeline:
    """Reporting of one use case, from records on disk alone; monitoring and retraining end with it."""
    return Pipeline(
        [
            Node(
                func=nodes.show_monitoring,
                inputs=[
                    "monitoring",
                    "window_profile",
                    "past_monitoring_history",
                    "past_window_metrics",
                    "trigger",
                    "params:monitoring",
                ],
                outputs=["monitoring_page", "monitoring_metrics"],
                name="show_monitoring",
            ),
            Node(
                func=nodes.write_index,
                inputs=["monitoring", "evaluation_contents", "retraining", "monitoring_page", "monitoring_metrics"],
                outputs="index",
                name="write_index",
            ),
            Node(
                func=nodes.write_dashboard,
                inputs=["params:use_case", "params:monitoring", "index", *DASHBOARD_RECORDS],
                outputs="dashboard",
                name="write_dashboard",
            ),
        ]
    )


def create_alerts() -> Pipeline:
    """The alerts of one use case's newest window; apart from its pages, which are drawn more than once a window."""
    return Pipeline(
        [
            Node(
                func=nodes.send_alerts,
                inputs=["monitoring", "trigger", "params:monitoring"],
                outputs=list(CHANNELS),
                name="send_alerts",
            ),
        ]
    )
