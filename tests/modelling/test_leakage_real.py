"""The leakage guard on real tables and on the built-in one: silent on honest features, loud on the naive ones."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.errors import EvergreenError
from evergreen.features import one_table_features
from evergreen.modelling.leakage import check_leakage
from evergreen.modelling.parameters import LeakagePolicy
from evergreen.rows.labels import fit_label_definition
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import ColumnRule, TableSpec
from online_retail import star_schema
from shipped_star import KPI_COLUMNS, retail, retail_features, retail_table

ROOT = Path(__file__).resolve().parents[2]
NAIVE = ["unit_price", "sales_quantity"]
LINES = 20_000
TABLES: Final = ("fact_sales", "dim_product", "dim_store")


def known_table() -> TableSpec:
    """The shipped table without figures of the business, which come from a table that is not read here."""
    return retail_table().without(KPI_COLUMNS)


def guard(rows: pd.DataFrame, spec: TableSpec) -> None:
    definition = fit_label_definition(rows[spec.target], spec, LabelPolicy())
    assert check_leakage(rows, definition.apply(rows[spec.target]), spec, LeakagePolicy()) == []


def features_of(fact_sales: ir.Table, dim_product: ir.Table, dim_store: ir.Table) -> pd.DataFrame:
    """Honest and naive features of lines, spread evenly over the table."""
    table = retail_features(fact_sales, dim_product, dim_store, retail(naive=True))
    rows = table.to_pyarrow().to_pandas().sort_values("sales_id")
    return rows.iloc[:: max(len(rows) // LINES, 1)].reset_index(drop=True)


@functools.cache
def built_in() -> pd.DataFrame:
    recipes = [RetailRecipe(table=table, size=LINES) for table in TABLES]
    return features_of(*(ibis.memtable(pa.concat_tables(recipe.chunks())) for recipe in recipes))


@functools.cache
def online_retail(folder: Path) -> pd.DataFrame:
    tables = star_schema(folder / "online_retail" / "online_retail.parquet")
    return features_of(*(ibis.memtable(table) for table in tables.values()))


@pytest.fixture(params=["built-in", "online retail"])
def lines(request: pytest.FixtureRequest) -> pd.DataFrame:
    if request.param == "built-in":
        return built_in()
    return online_retail(request.getfixturevalue("shared_data"))


def test_honest_retail_features_pass(lines):
    guard(lines, known_table())


def test_naive_retail_features_are_stopped_by_declaration(lines):
    spec = known_table()
    naive = spec.model_copy(update={"numeric": [*spec.numeric, *NAIVE]})
    with pytest.raises(EvergreenError, match=r"'unit_price' \(declared .*'sales_quantity' \(declared "):
        guard(lines, naive)


def test_naive_retail_features_are_stopped_by_measurement_where_nothing_is_declared(lines):
    spec = known_table()
    undeclared = {name: rule for name, rule in spec.columns.items() if rule == ColumnRule(drift=False)}
    naive = spec.model_copy(update={"numeric": [*spec.numeric, *NAIVE], "columns": undeclared})
    with pytest.raises(EvergreenError, match=r"'unit_price' with 'sales_quantity' \(tells the outcome at ROC AUC"):
        guard(lines, naive)


def test_telco_passes(shared_data):
    parameters = yaml.safe_load((ROOT / "tests" / "environments" / "telco" / "parameters.yml").read_text())
    spec = TableSpec.model_validate(parameters["churn"]["table"])
    customers = ibis.memtable(pd.read_csv(shared_data / "telco_churn" / "telco_customer_churn.csv"))
    guard(one_table_features(customers, spec).to_pyarrow().to_pandas(), spec)
