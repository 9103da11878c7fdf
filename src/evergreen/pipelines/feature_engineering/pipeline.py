"""Wires feature engineering for one kind of source."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.feature_engineering import nodes
from evergreen.use_cases import UseCase

_DESCRIBED = {"table": "params:table", "incumbent": "incumbent"}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Feature engineering of a use case, by the kind of its source."""
    kinds = {"star_schema": _star_schema, "one_table": _one_table, "dated_table": _dated_table}
    return kinds[use_case.source](use_case)


def _labels(use_case: UseCase) -> dict[str, str]:
    """Inputs of a node that needs outcomes, where they arrive in a table of their own."""
    return {"labels": "labels", "as_of": "params:as_of"} if use_case.labels else {}


def _star_schema(use_case: UseCase) -> Pipeline:
    described = {"star": "params:features", "split": "params:split", **_DESCRIBED}
    return Pipeline(
        [
            Node(
                func=nodes.make_star_features,
                inputs={**described, **{f"table_{name}": name for name in use_case.tables}, **_labels(use_case)},
                outputs="features",
                name="make_features",
            ),
            Node(
                func=nodes.make_serving_features,
                inputs={
                    "features": "features",  # made first: its contracts hold for these, too
                    "table": "params:table",
                    "star": "params:features",
                    "as_of": "params:as_of",
                    **{f"table_{name}": name for name in use_case.tables},
                },
                outputs="serving_features",
                name="make_serving_features",
            ),
        ]
    )


def _one_table(use_case: UseCase) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.make_one_table_features,
                inputs={"rows": "customers", "split": "params:split", **_DESCRIBED, **_labels(use_case)},
                outputs="features",
                name="make_features",
            ),
            Node(
                func=nodes.make_current_features,
                inputs={"rows": "current", **_DESCRIBED, **_labels(use_case)},
                outputs="current_features",
                name="make_current_features",
            ),
        ]
    )


def _dated_table(use_case: UseCase) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.make_dated_features,
                inputs={
                    "rows": "rows",
                    "split": "params:split",
                    "past": "params:features",
                    **_DESCRIBED,
                    **_labels(use_case),
                },
                outputs="features",
                name="make_features",
            )
        ]
    )
