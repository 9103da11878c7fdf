"""Wires experiments: their rows, what they say, page and messages."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.datasets.alerts.channel import CHANNELS
from evergreen.pipelines.ab_testing import nodes


def create_pipeline() -> Pipeline:
    """The running experiment of one use case; apart from the lifecycle, which needs no requests."""
    return Pipeline(
        [
            Node(
                func=nodes.read_rows,
                inputs={
                    "use_case": "params:use_case",
                    "experiments": "params:experiments",
                    "simulate": "params:simulate",
                    "as_of": "params:as_of",
                    "exposures": "exposures",
                    "incumbent": "incumbent",
                },
                outputs="experiment_rows",
                name="read_rows",
            ),
            Node(
                func=nodes.analyse_rows,
                inputs={"rows": "experiment_rows", "past": "past_experiment"},
                outputs=["experiment", "experiment_messages"],
                name="analyse_rows",
            ),
            Node(
                func=nodes.show_experiment,
                inputs={"experiment": "experiment"},
                outputs="experiment_page",
                name="show_experiment",
            ),
            Node(
                func=nodes.send_verdict,
                inputs={"messages": "experiment_messages"},
                outputs=list(CHANNELS),
                name="send_verdict",
            ),
        ]
    )
