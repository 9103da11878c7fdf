"""Wires retraining: trigger, gate, challenger, validation, promotion, each meeting the next in a record on disk."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.retraining import nodes


def create_pipeline() -> Pipeline:
    """Retraining of one use case; ``window`` is the newest feature table.

    No node hands another anything but a record on disk, so that an orchestrator can run each by itself
    (``kedro run --pipelines=retraining --nodes=<use_case>.retraining.<node>``).
    """
    return Pipeline(
        [
            Node(
                func=nodes.decide,
                inputs=[
                    "champion",
                    "monitoring",
                    "window",
                    "params:table",
                    "params:split",
                    "params:retraining",
                    "params:as_of",
                ],
                outputs="trigger",
                name="decide_trigger",
            ),
            Node(
                func=nodes.check_quality,
                inputs=[
                    "trigger",
                    "champion",
                    "window",
                    "params:table",
                    "params:split",
                    "params:retraining",
                    "params:as_of",
                ],
                outputs="quality_gate",
                name="check_quality",
            ),
            Node(
                func=nodes.train_challenger,
                inputs=[
                    "quality_gate",
                    "trigger",
                    "champion",
                    "features",
                    "window",
                    "params:table",
                    "params:split",
                    "params:training",
                    "params:retraining",
                    "params:window_days",
                ],
                outputs="retrained",
                name="train_challenger",
            ),
            Node(
                func=nodes.validate_challenger,
                inputs=["retrained", "window", "params:evaluation", "params:retraining"],
                outputs="validation",
                name="validate_challenger",
            ),
            Node(
                func=nodes.promote_challenger,
                inputs=["quality_gate", "trigger", "retrained", "validation"],
                outputs="retraining",
                name="promote_challenger",
            ),
        ]
    )
