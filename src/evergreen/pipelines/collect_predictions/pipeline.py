"""Wires the collection of the service's log."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.collect_predictions import nodes


def create_pipeline() -> Pipeline:
    """Collection of one use case's log."""
    return Pipeline(
        [
            Node(
                func=nodes.collect,
                inputs=["prediction_log", "params:use_case", "params:table", "params:scoring", "params:as_of"],
                outputs="collection",
                name="collect_predictions",
            )
        ]
    )
