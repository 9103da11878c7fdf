"""Wires training: rows, guard, plan, search, registration."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.training import nodes


def create_pipeline() -> Pipeline:
    """Training of one use case."""
    return Pipeline(
        [
            Node(
                func=nodes.select_rows,
                inputs=["features", "incumbent", "params:table", "params:split", "params:training", "params:as_of"],
                outputs="labelled_rows",
                name="select_training_rows",
            ),
            Node(
                func=nodes.refuse_leaks,
                inputs=["labelled_rows", "params:use_case", "params:training"],
                outputs="training_set",
                name="refuse_leaks",
            ),
            Node(
                func=nodes.plan,
                inputs=["training_set", "incumbent", "params:use_case", "params:training", "params:split"],
                outputs="training_plan",
                name="plan_training",
            ),
            Node(
                func=nodes.train,
                inputs=["training_set", "training_plan", "params:training", "params:split"],
                outputs="candidates",
                name="train",
            ),
            Node(
                func=nodes.register,
                inputs=[
                    "training_set",
                    "training_plan",
                    "candidates",
                    "params:training",
                    "params:window_days",
                ],
                outputs=["training", "selected_features"],
                name="register_challenger",
            ),
        ]
    )
