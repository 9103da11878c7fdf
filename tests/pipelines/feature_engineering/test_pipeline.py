"""Claims about feature engineering as it is wired, in memory."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.errors import EvergreenError
from evergreen.pipeline_registry import lifecycle
from evergreen.rows.parameters import SplitParameters
from evergreen.use_cases import UseCase
from shipped_star import retail, retail_table
from tiny_use_case import TABLE, Kept, TinyUseCase, people


def test_both_snapshots_become_features_of_the_same_columns(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering")
    former, newest = (tiny[entry].to_pandas() for entry in ("features", "current_features"))
    assert set(former.columns) == set(newest.columns)
    assert {TABLE.entity, TABLE.target, *TABLE.features} <= set(former.columns)
    assert (len(former), len(newest)) == (len(tiny.customers), len(tiny.current))


def test_a_column_that_is_missing_is_named(mlflow_store: object) -> None:
    tiny = TinyUseCase(current=people(50, 2, "2026-02-28").drop(columns="balance"))
    with pytest.raises(EvergreenError, match="balance"):
        tiny.run("feature_engineering")


def test_every_line_of_a_star_schema_has_its_features() -> None:
    tables = ("fact_sales", "dim_product", "dim_store", "business_kpis")
    star = {table: pa.concat_tables(RetailRecipe(table=table, size=400).chunks()) for table in tables}
    inputs = {f"shop.{table}": MemoryDataset(ibis.memtable(rows), copy_mode="assign") for table, rows in star.items()}
    inputs["params:shop.features"] = MemoryDataset(retail())
    inputs["params:shop.table"] = MemoryDataset(retail_table())
    inputs["params:as_of"] = MemoryDataset("2026-02-28")
    inputs["shop.incumbent"] = MemoryDataset(None)
    inputs["params:shop.split"] = MemoryDataset(SplitParameters())
    inputs["shop.features"] = made = Kept()
    SequentialRunner().run(
        lifecycle({"shop": UseCase(source="star_schema", tables=tables)})["feature_engineering"], DataCatalog(inputs)
    )
    lines = made.load().to_pandas()
    assert sorted(lines["sales_id"]) == sorted(star["fact_sales"]["sales_id"].to_pylist())
    assert {"store_avg_amount", "retailer_margin", "season"} <= set(lines.columns)
