"""Wires the backtest of policies: cells of the history, costs, page."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.policy_backtest import nodes


def create_pipeline() -> Pipeline:
    """The backtest of one use case; apart from the lifecycle, for a person asks for it now and then."""
    return Pipeline(
        [
            Node(
                func=nodes.replay_history,
                inputs={
                    "champion": "champion",
                    "window": "window",
                    "past": "past_policy_cells",
                    "past_models": "past_policy_models",
                    "table": "params:table",
                    "split": "params:split",
                    "training": "params:training",
                    "retraining": "params:retraining",
                    "as_of": "params:as_of",
                },
                outputs=["policy_cells", "policy_models"],
                name="replay_history",
            ),
            Node(
                func=nodes.compare_policies,
                inputs={
                    "cells": "policy_cells",
                    "champion": "champion",
                    "window": "window",
                    "table": "params:table",
                    "split": "params:split",
                    "retraining": "params:retraining",
                    "as_of": "params:as_of",
                },
                outputs="policy_backtest",
                name="compare_policies",
            ),
            Node(
                func=nodes.show_policies,
                inputs={"record": "policy_backtest"},
                outputs="policy_backtest_page",
                name="show_policies",
            ),
        ]
    )
