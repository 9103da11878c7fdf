"""Wires monitoring: recall, look, judge, remember, report."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.monitoring import nodes


def create_pipeline() -> Pipeline:
    """Monitoring of one use case; ``window`` is the newest feature table."""
    return Pipeline(
        [
            Node(
                func=nodes.recall,
                inputs=["champion", "params:monitoring", "evaluation"],
                outputs=["watched", "reference"],
                name="recall_champion",
            ),
            Node(
                func=nodes.look,
                inputs=[
                    "watched",
                    "reference",
                    "window",
                    "service_predictions",
                    "past_window_counts",
                    "params:monitoring",
                    "params:split",
                    "params:as_of",
                ],
                outputs="observed",
                name="look_at_window",
            ),
            Node(
                func=nodes.judge,
                inputs=["reference", "observed", "past_window_counts", "params:monitoring"],
                outputs=["findings", "counts"],
                name="judge_window",
            ),
            Node(
                func=nodes.remember,
                inputs=["watched", "reference", "observed", "findings", "counts"],
                outputs=["monitoring_history", "window_metrics", "window_counts"],
                name="remember_window",
            ),
            Node(
                func=nodes.report,
                inputs=[
                    "watched",
                    "reference",
                    "observed",
                    "findings",
                    "monitoring_history",
                    "past_monitoring_history",
                    "params:monitoring",
                ],
                outputs=["monitoring", "window_profile"],
                name="report_monitoring",
            ),
        ]
    )
