"""Wires feature engineering for one kind of source."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.feature_engineering import nodes


def create_pipeline(source: str) -> Pipeline:
    """Feature engineering of a use case.

    Args:
        source: ``retail`` (star schema), ``one_table`` or ``dated_table``.
    """
    return {"retail": _retail, "one_table": _one_table, "dated_table": _dated_table}[source]()


def _retail() -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.make_retail_features,
                inputs=["fact_sales", "dim_product", "dim_store", "business_kpis", "params:features"],
                outputs="features",
                name="make_features",
            )
        ]
    )


def _one_table() -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.make_one_table_features,
                inputs=["customers", "params:table", "params:split", "incumbent"],
                outputs="features",
                name="make_features",
            ),
            Node(
                func=nodes.make_current_features,
                inputs=["current", "params:table", "incumbent"],
                outputs="current_features",
                name="make_current_features",
            ),
        ]
    )


def _dated_table() -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.make_one_table_features,
                inputs=["rows", "params:table", "params:split", "incumbent"],
                outputs="features",
                name="make_features",
            )
        ]
    )
