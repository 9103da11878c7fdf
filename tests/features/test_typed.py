"""A column becomes a number, key or date, whatever type it was read as."""

from __future__ import annotations

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from evergreen.errors import EvergreenError
from evergreen.features.lookup import require_same_keys
from evergreen.features.typed import as_date, as_key, as_number, is_zoned_text


def column(values: list[object], kind: pa.DataType | None = None):
    return ibis.duckdb.connect().create_table("t", pa.table({"x": pa.array(values, kind)})).x


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([True, False, None], [1.0, 0.0, None]),
        (["True", "false", None], [1.0, 0.0, None]),
        (["1.5", " 2", "n/a"], [1.5, 2.0, None]),
        ([1, 2], [1.0, 2.0]),
    ],
)
def test_truth_values_and_text_become_numbers_and_other_text_nothing(values, numbers):
    assert as_number(column(values)).to_pyarrow().to_pylist() == numbers


def test_whole_numbers_that_a_null_made_floats_are_keys_again():
    assert as_key(column([7.0, None, float("nan")])).to_pyarrow().to_pylist() == [7, None, None]


@pytest.mark.parametrize(
    "values",
    [
        [dt.date(2026, 3, 1)],
        [dt.datetime(2026, 3, 1, 23)],
        [20260301],
        [20260301.0],
        ["2026-03-01"],
        ["20260301"],
        ["2026-03-01 10:00:00"],
    ],
)
def test_a_day_is_the_same_day_in_every_type(values):
    assert as_date(column(values)).to_pyarrow().to_pylist() == [dt.date(2026, 3, 1)]


@pytest.mark.parametrize("values", [[20261345], [20260301.5], ["soon"], [7]])
def test_what_is_no_date_becomes_nothing(values):
    assert as_date(column(values)).to_pyarrow().to_pylist() == [None]


def test_a_zoned_time_has_a_day_only_where_a_place_is_named():
    midnight = column([dt.datetime(2026, 2, 28, 23)], pa.timestamp("us", tz="UTC"))  # midnight of 1 March in Berlin
    assert as_date(midnight, "Europe/Berlin").to_pyarrow().to_pylist() == [dt.date(2026, 3, 1)]
    assert as_date(midnight, "UTC").to_pyarrow().to_pylist() == [dt.date(2026, 2, 28)]
    with pytest.raises(EvergreenError, match="'x' holds timestamps with a time zone"):
        as_date(midnight)


def test_a_zoned_time_as_text_is_seen():
    texts = column(["2026-03-01T00:00:00+02:00", "2026-03-01T00:00:00Z", "2026-03-01 00:00:00", "2026-03-01"])
    assert is_zoned_text(texts).to_pyarrow().to_pylist() == [True, True, False, False]


def test_keys_of_two_types_are_refused_with_both():
    facts, stores = (ibis.table({"store_id": kind}, name="t") for kind in ("int64", "string"))
    with pytest.raises(EvergreenError, match=r"fact_sales.store_id is int64 but dim_store.store_id is string"):
        require_same_keys({"fact_sales": facts, "dim_store": stores}, "store_id")
