"""The SQL that BigQuery gets, kept to be read: a change of it is seen in review.

Renew after an intended change: ``RENEW_SQL=1 .venv/bin/pytest tests/engines/test_bigquery_sql.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pytest

from evergreen.features import dimension_of
from evergreen.monitoring.profiles.pushdown import count_query, moment_query
from evergreen.monitoring.profiles.source import IbisSource, Kind
from evergreen.monitoring.profiles.tally import LevelTally, NumericTally, Tally
from shipped_star import retail, retail_features

KEPT = Path(__file__).with_name("sql")
SALES = {
    "sales_id": "int64", "date_key": "date", "store_id": "string", "product_id": "string",
    "sales_amount": "decimal(38, 9)", "sales_quantity": "int64", "retailer_id": "string",
}  # fmt: skip
PRODUCT = dict.fromkeys(
    ("product_id", "product_brand", "product_category", "product_subcategory", "product_supplier"), "string"
)
STORE = dict.fromkeys(("store_id", "store_format", "store_city", "store_state", "store_region"), "string")


def features() -> ir.Table:
    tables = {"fact_sales": SALES, "dim_product": PRODUCT, "dim_store": STORE}
    return retail_features(*(ibis.table(schema, name=name) for name, schema in tables.items()), retail())


def window() -> tuple[ir.Table, dict[str, Tally]]:
    kinds: dict[str, Kind] = {"store_avg_amount": "numeric", "season": "categorical"}
    table = ibis.table({"store_avg_amount": "float64", "season": "string"}, name="features")
    tallies = [NumericTally(np.array([9.5, 12.25, 20.0]), 1), LevelTally(["winter", "summer"], 1)]
    return IbisSource(table).selected(kinds, None, table), {f"c{i}": tally for i, tally in enumerate(tallies)}


def product_of_prejoined() -> ir.Table:
    return dimension_of(ibis.table(SALES | PRODUCT, name="fact_sales_enriched"), "product_id", "date_key")


QUERIES = {
    "features": features,
    "profile_counts": lambda: count_query(*window(), "bigquery"),
    "profile_moments": lambda: moment_query(*window()),
    "product_of_prejoined": product_of_prejoined,
}


@pytest.mark.parametrize("name", QUERIES)
def test_bigquery_gets_the_sql_that_was_reviewed(name: str) -> None:
    file = KEPT / f"{name}.sql"
    sql = str(ibis.to_sql(QUERIES[name](), dialect="bigquery", pretty=True)) + "\n"
    if os.environ.get("RENEW_SQL"):
        file.write_text(sql)
    assert sql == file.read_text(), f"renew {file.name} if this is meant: see the top of this file"
