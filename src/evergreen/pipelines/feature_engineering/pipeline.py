"""Wires feature engineering for one kind of source."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.feature_engineering.nodes import make_one_table_features, make_retail_features


def create_pipeline(source: str) -> Pipeline:
    """Feature engineering of a use case.

    Args:
        source: ``retail`` (star schema) or ``one_table``.
    """
    return {"retail": _retail, "one_table": _one_table}[source]()


def _retail() -> Pipeline:
    return Pipeline(
        [
            Node(
                make_retail_features,
                ["fact_sales", "dim_product", "dim_store", "business_kpis", "params:features"],
                "features",
                name="make_features",
            )
        ]
    )


def _one_table() -> Pipeline:
    return Pipeline(
        [
            Node(make_one_table_features, ["customers", "params:table"], "features", name="make_features"),
            Node(
                make_one_table_features,
                ["current", "params:table"],
                "current_features",
                name="make_current_features",
            ),
        ]
    )
