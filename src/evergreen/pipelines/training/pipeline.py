"""Wires training: rows, guard, plan, search, registration."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.training.nodes import plan, refuse_leaks, register, select_rows, train


def create_pipeline() -> Pipeline:
    """Training of one use case; its namespace is the use case."""
    return Pipeline(
        [
            Node(
                select_rows,
                ["features", "incumbent", "params:table", "params:split", "params:training", "params:as_of"],
                "labelled_rows",
                name="select_training_rows",
            ),
            Node(
                refuse_leaks,
                ["labelled_rows", "params:use_case", "params:training"],
                "training_set",
                name="refuse_leaks",
            ),
            Node(
                plan,
                ["training_set", "incumbent", "params:use_case", "params:training", "params:split"],
                "training_plan",
                name="plan_training",
            ),
            Node(
                train,
                ["training_set", "training_plan", "params:training", "params:split"],
                "candidates",
                name="train",
            ),
            Node(
                register,
                ["training_set", "training_plan", "candidates", "params:training", "params:monitoring.window_days"],
                ["training", "selected_features"],
                name="register_challenger",
            ),
        ]
    )
