"""The shipped star schema as the project's own YAML describes it, for tests that need no catalog."""

from __future__ import annotations

import functools
from typing import Any

import ibis.expr.types as ir
from kedro.config import OmegaConfigLoader

from evergreen.features import star_features
from evergreen.schema import TableSpec
from evergreen.settings import CONFIG_LOADER_ARGS
from evergreen.star_schema import StarSchema
from tests_support import ROOT

KPIS = ("sales_target", "margin")


@functools.cache
def _parameters() -> dict[str, Any]:
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="base", **CONFIG_LOADER_ARGS)
    return dict(loader["parameters"]["high_value_sales"])


def retail(**changes: Any) -> StarSchema:
    """The description, with some of its fields changed."""
    return StarSchema.model_validate(_parameters()["features"] | changes)


def retail_table() -> TableSpec:
    """The table of features that the use case learns from."""
    return TableSpec.model_validate(_parameters()["table"])


def retail_features(
    fact_sales: ir.Table, dim_product: ir.Table, dim_store: ir.Table, star: StarSchema, kpis: ir.Table | None = None
) -> ir.Table:
    """The features of every line of sale; without figures of the business their columns are left out."""
    tables = {"fact_sales": fact_sales, "dim_product": dim_product, "dim_store": dim_store}
    if kpis is not None:
        return star_features(tables | {"business_kpis": kpis}, star, retail_table())
    known = {name: each for name, each in star.dimensions.items() if each.table in tables}
    return star_features(tables, star.model_copy(update={"dimensions": known}), retail_table())


HISTORY_COLUMNS = [name for prefix, history in retail().histories.items() for name in history.columns(prefix)]
KPI_COLUMNS = tuple(f"retailer_{name}" for name in KPIS)
