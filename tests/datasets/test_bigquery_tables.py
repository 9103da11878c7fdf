"""Claims about BigQuery's tables that need no BigQuery: cutting to the newest days, and what may be shown."""

from __future__ import annotations

import datetime as dt

import ibis
import pytest

from evergreen.datasets import BigQueryTableDataset
from evergreen.datasets.bigquery.tables import since
from evergreen.errors import EvergreenError
from evergreen.features.contracts import FactSales

DAY = dt.date(2026, 2, 1)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("date", "`t0`.`day` >= DATE(2026, 2, 1)"),
        ("timestamp", "`t0`.`day` >= DATETIME('2026-02-01T00:00:00')"),
        ("timestamp('UTC')", "`t0`.`day` >= "),
        ("int64", "`t0`.`day` >= 20260201"),
        ("string", "`t0`.`day` >= '2026-02-01'"),
    ],
)
def test_the_newest_days_are_asked_of_the_bare_partition_column(kind: str, asked: str) -> None:
    table = ibis.table({"day": kind}, name="sales")
    assert asked in str(ibis.to_sql(table.filter(since(table.day, DAY)), dialect="bigquery"))


def test_naming_a_table_shows_neither_credentials_nor_their_place() -> None:
    connection = {"project": "p", "dataset": "d"}
    dataset = BigQueryTableDataset(
        table="sales", connection=connection, credentials={"service_account_file": "/secret/key.json"}
    )
    assert "sales" in repr(dataset)
    assert "/secret" not in repr(dataset)


def test_a_limit_of_bytes_must_be_positive() -> None:
    with pytest.raises(EvergreenError, match="max_bytes_billed: Input should be greater than 0"):
        BigQueryTableDataset(table="sales", connection={"max_bytes_billed": 0})


def test_a_source_without_a_row_in_its_days_says_how_many_days() -> None:
    columns = {"sales_id": "int64", "date_key": "date", "store_id": "string", "product_id": "string"}
    columns |= {"sales_amount": "float64", "sales_quantity": "int64", "retailer_id": "string"}
    empty = ibis.duckdb.connect().create_table("sales", schema=ibis.schema(columns))
    with pytest.raises(EvergreenError, match="0 rows in the last 30 days, allowed 1 or more"):
        FactSales(days=30).validate(empty)
