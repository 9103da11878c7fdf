"""Wires monitoring: recall, look, judge, remember, report, show."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.monitoring import nodes


def create_pipeline() -> Pipeline:
    """Monitoring of one use case; ``window`` is the newest feature table."""
    settings = ["params:monitoring", "params:split", "params:as_of"]
    report = ["watched", "reference", "observed", "findings", "monitoring_history", "past_monitoring_history"]
    return Pipeline(
        [
            Node(nodes.recall, ["champion", "evaluation"], ["watched", "reference"], name="recall_champion"),
            Node(nodes.look, ["watched", "reference", "window", *settings], "observed", name="look_at_window"),
            Node(nodes.judge, ["reference", "observed", "params:monitoring"], "findings", name="judge_window"),
            Node(nodes.remember, ["watched", "observed", "findings"], "monitoring_history", name="remember_window"),
            Node(
                nodes.report,
                [*report, "params:monitoring"],
                ["monitoring", "window_history"],
                name="report_monitoring",
            ),
            Node(
                nodes.show,
                ["monitoring", "reference", "observed", "window_history"],
                ["monitoring_page", "monitoring_metrics", "webhook", "mail"],
                name="show_monitoring",
            ),
        ]
    )
