"""The shipped star schema as the project's YAML describes it, for benchmarks that need no catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from kedro.config import OmegaConfigLoader

from evergreen.features import star_features
from evergreen.schema import TableSpec
from evergreen.settings import CONFIG_LOADER_ARGS
from evergreen.star_schema import StarSchema


def described(**changes: Any) -> StarSchema:
    """The description, with some of its fields changed."""
    return StarSchema.model_validate(_block()["features"] | changes)


def described_table() -> TableSpec:
    """The description of the table of features."""
    return TableSpec.model_validate(_block()["table"])


def retail_features(
    fact_sales: ir.Table, dim_product: ir.Table, dim_store: ir.Table, kpis: ir.Table | None = None, **changes: Any
) -> ir.Table:
    """Features of every line of sale; without figures of the business their columns are left out."""
    tables = {"fact_sales": fact_sales, "dim_product": dim_product, "dim_store": dim_store, "business_kpis": kpis}
    star = described(**changes)
    known = {name: each for name, each in star.dimensions.items() if tables[each.table] is not None}
    given = {name: table for name, table in tables.items() if table is not None}
    return star_features(given, star.model_copy(update={"dimensions": known}), described_table())


def _block() -> dict[str, Any]:
    loader = OmegaConfigLoader(str(Path(__file__).resolve().parents[1] / "conf"), env="base", **CONFIG_LOADER_ARGS)
    return dict(loader["parameters"]["high_value_sales"])
