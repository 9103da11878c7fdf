"""Wires retraining: gate, trigger, challenger, validation, promotion, each meeting the next in a record on disk."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.retraining import nodes


def create_pipeline() -> Pipeline:
    """Retraining of one use case; ``window`` is the newest feature table.

    No node hands another anything but a record on disk, so that an orchestrator can run each by itself
    (``kedro run --pipelines=retraining --nodes=<use_case>.<node>``).
    """
    about = ["params:table", "params:split"]
    rows = ["champion", "features", "window", *about]
    return Pipeline(
        [
            Node(
                nodes.check_quality,
                ["champion", "monitoring", "window", *about, "params:retraining", "params:as_of"],
                "quality_gate",
                name="check_quality",
            ),
            Node(
                nodes.decide,
                ["quality_gate", "monitoring", "champion", "window", *about, "params:retraining"],
                "trigger",
                name="decide_trigger",
            ),
            Node(
                nodes.train_challenger,
                ["trigger", *rows, "params:training", "params:retraining", "params:monitoring.window_days"],
                "retrained",
                name="train_challenger",
            ),
            Node(
                nodes.validate_challenger,
                ["retrained", "window", "params:evaluation", "params:retraining"],
                "validation",
                name="validate_challenger",
            ),
            Node(
                nodes.promote_challenger,
                ["quality_gate", "trigger", "retrained", "validation"],
                "retraining",
                name="promote_challenger",
            ),
        ]
    )
