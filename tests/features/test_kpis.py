"""Business figures reach a row as of the month before its own: never the month that it lives in, never an older one."""

from __future__ import annotations

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from evergreen.features.dimensions import add_dimension
from shipped_star import KPI_COLUMNS, retail

DIMENSION = retail().dimensions["business_kpis"]

FIGURES = {
    "retailer_id": ["a", "a", "a", "b"],
    "month": [dt.date(2025, 12, 1), dt.date(2026, 1, 1), dt.date(2026, 3, 1), dt.date(2026, 1, 1)],
    "sales_target": [12.0, 1.0, 3.0, 100.0],
    "margin": [0.12, 0.01, 0.03, None],
}


def target(day: str, retailer: object = "a", kind: str = "string", **changed: object) -> float | None:
    """The sales target that a row of this day and retailer gets."""
    row = pa.table({"retailer_id": pa.array([retailer], ibis.dtype(kind).to_pyarrow())})
    row = row.append_column("date", pa.array([dt.date.fromisoformat(day)]))
    figures = ibis.memtable(pa.table(FIGURES | changed))
    found = add_dimension(ibis.memtable(row), figures, DIMENSION, "date", None).to_pyarrow().to_pylist()
    assert len(found) == 1
    return found[0]["retailer_sales_target"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-01", 12.0),
        ("2026-01-31", 12.0),
        ("2026-02-01", 1.0),
        ("2026-02-28", 1.0),
        ("2026-03-01", None),
        ("2026-04-15", 3.0),
        ("2026-05-01", None),
    ],
)
def test_a_row_gets_the_month_before_its_own_and_nothing_where_that_is_missing(day: str, expected: object) -> None:
    assert target(day) == expected


def test_each_retailer_has_its_own_figures_and_nobody_elses() -> None:
    assert target("2026-02-10", "b") == 100.0
    assert target("2026-02-10", "c") is None
    assert target("2026-02-10", None) is None


@pytest.mark.parametrize(
    "months",
    [
        [20251201, 20260101, 20260301, 20260101],
        ["2025-12-01", "2026-01-01", "2026-03-01", "2026-01-01"],
        [dt.datetime(2025, 12, 31), dt.datetime(2026, 1, 15), dt.datetime(2026, 3, 2), dt.datetime(2026, 1, 1)],
    ],
)
def test_a_month_may_be_written_in_any_way_that_dates_are(months: list[object]) -> None:
    assert target("2026-02-10", month=months) == 1.0


def test_numbers_and_texts_may_name_the_same_retailer() -> None:
    assert target("2026-02-10", 7, "int64", retailer_id=["7", "7", "7", "8"]) == 1.0
    assert target("2026-02-10", "7", "string", retailer_id=[7, 7, 7, 8]) == 1.0


def test_with_an_empty_table_the_columns_are_null() -> None:
    rows = ibis.memtable(pa.table({"retailer_id": ["a"], "date": [dt.date(2026, 2, 1)]}))
    empty = ibis.memtable(
        [], schema={"retailer_id": "int64", "month": "date", "sales_target": "float64", "margin": "int8"}
    )
    found = add_dimension(rows, empty, DIMENSION, "date", None)
    assert found.columns == ("retailer_id", "date", *KPI_COLUMNS)
    assert found.select(*KPI_COLUMNS).to_pyarrow().to_pylist() == [dict.fromkeys(KPI_COLUMNS)]
    assert all(found[name].type().is_float64() for name in KPI_COLUMNS)
