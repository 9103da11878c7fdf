"""Wires scoring."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.scoring import nodes


def create_pipeline() -> Pipeline:
    """Scoring of one use case; ``window`` is the newest feature table."""
    return Pipeline(
        [
            Node(
                func=nodes.score,
                inputs=[
                    "champion",
                    "window",
                    "params:scoring",
                    "params:window_days",
                    "params:as_of",
                    "evaluation",
                ],
                outputs="predictions",
                name="score",
            )
        ]
    )
