from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.config import Config

from evergreen.rows.canonical import Levels, canonical_text, is_same
from evergreen.rows.canonical_column import canonical_column
from evergreen.rows.canonical_series import as_levels, canonical_texts


class SparkOptions(Config):
    """What Ibis registers once pyspark is installed."""

    treat_nan_as_null: bool = False


NOON = dt.datetime(2026, 3, 1, 12)
COLUMNS = {
    "int8": pa.array([0, 1, -7, None], pa.int8()),
    "int64": pa.array([2**53, 2**53 + 1, -(2**63), None], pa.int64()),
    "uint64": pa.array([2**64 - 1, 2**64 - 2, 0, None], pa.uint64()),
    "float32": pa.array([0.1, 7.0, 1e-7, None], pa.float32()),
    "float64": pa.array([7.0, 0.1, -0.0, 1e20, 2.0**70, 1e39, 1e-7, 123456789.125, float("inf"), -float("inf"), None]),
    "decimal": pa.array([Decimal("1.00"), Decimal("1.50"), Decimal("-0.10"), None], pa.decimal128(10, 2)),
    "whole decimal": pa.array([Decimal(10**37), Decimal(10), None], pa.decimal128(38, 0)),
    "fine decimal": pa.array([Decimal("1e-7"), Decimal("12345678901234567.0000000001"), None], pa.decimal128(38, 10)),
    "bool": pa.array([True, False, None]),
    "text": pa.array(["1", "01", "1.0", "", " x", "é", "true", None]),
    "date": pa.array([dt.date(2026, 3, 1), dt.date(1969, 12, 31), None]),
    "timestamp": pa.array([dt.datetime(2026, 3, 1), NOON, NOON.replace(microsecond=50), None], pa.timestamp("us")),
    "zoned": pa.array([NOON, None], pa.timestamp("us", tz="UTC")),
    "null": pa.array([None, None], pa.string()),
}


def texts_of_series(values):
    codes, texts = canonical_texts(values)
    return texts[codes].tolist()


def texts_on_engine(column):
    connection = ibis.duckdb.connect()
    table = connection.create_table("t", pa.table({"x": column}))
    return [text or "" for text in canonical_column(table.x).to_pyarrow().to_pylist()]


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_scalar_pandas_and_ibis_give_a_value_the_same_text(kind):
    column = COLUMNS[kind]
    narrow = (lambda value: np.float32(value)) if kind == "float32" else (lambda value: value)
    expected = [canonical_text(value if value is None else narrow(value)) for value in column.to_pylist()]
    assert texts_on_engine(column) == expected
    assert texts_of_series(column.drop_null().to_pandas()) == expected[: len(column) - column.null_count]
    assert texts_of_series(column.to_pandas(types_mapper=pd.ArrowDtype)) == expected


@settings(max_examples=40, derandomize=True)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=60))
def test_any_float_has_one_text_on_every_side(numbers):
    expected = [canonical_text(number) for number in numbers]
    assert texts_of_series(pd.Series(numbers)) == expected
    assert texts_on_engine(pa.array(numbers, pa.float64())) == expected


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([7, 7.0, "7", Decimal(7), Decimal("7.00"), np.int32(7), np.uint8(7), np.float32(7)], "7"),
        ([dt.date(2026, 3, 1), dt.datetime(2026, 3, 1), pd.Timestamp("2026-03-01"), "2026-03-01"], "2026-03-01"),
        ([np.datetime64("2026-03-01"), np.datetime64("2026-03-01", "ns")], "2026-03-01"),
        ([pd.Timestamp("2026-03-01 01:00", tz="Europe/Berlin"), dt.datetime(2026, 3, 1, tzinfo=dt.UTC)], "2026-03-01"),
        ([None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), ""], ""),
        ([True, 1, np.True_], "1"),
        ([0.1, "0.1", Decimal("0.1"), np.float32(0.1)], "0.1"),
    ],
)
def test_equal_values_of_different_types_have_one_text(values, text):
    assert {canonical_text(value) for value in values} == {text}


@pytest.mark.parametrize(
    "values",
    [
        ["01", "1", "1.0", "+1", " 1", "1 "],
        [2**53, 2**53 + 1],
        [10**20, 10**20 + 1],
        [Decimal("12345678901234567.1"), Decimal("12345678901234567.2")],
        ["-0", "0"],
        ["Yes", "yes", "true", "1"],
        [0.1, 0.1 + 2**-56],
    ],
)
def test_values_that_differ_stay_two(values):
    assert len({canonical_text(value) for value in values}) == len(values)


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_a_column_has_the_same_texts_in_every_dtype(dtype):
    codes, texts = canonical_texts(pd.Series(["b", "a", None, "b"], dtype=dtype))
    assert texts[codes].tolist() == ["b", "a", "", "b"]


@pytest.mark.parametrize(
    ("levels", "text", "level"),
    [
        (["1", "2", "3"], "2.0", "2"),
        (["1.0", "2.0"], "2", "2.0"),
        (["1.5", "2"], "1.50", "1.5"),
        (["1", "0"], "true", "1"),
        (["true", "false"], "0", "false"),
        (["Yes", "No"], "TRUE", "Yes"),
        (["Yes", "No", "Unknown"], "1", "Yes"),
        (["Y", "N", ""], "false", "N"),
        (["2026-03-01"], "2026-03-01 00:00:00", "2026-03-01"),
    ],
)
def test_another_spelling_stands_for_the_level_that_is_known(levels, text, level):
    assert Levels(levels).match(text) == level


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        (["1", "2"], "01"),
        (["1", "1.0"], "1.00"),
        (["Yes", "No"], "Unknown"),
        (["Yes", "yes", "No"], "true"),
        (["Y", "N", "X"], "1"),
        (["Yes"], "true"),
        (["A", "0"], "-0"),
    ],
)
def test_a_text_that_is_no_spelling_of_a_level_stays_what_it_is(levels, text):
    assert Levels(levels).match(text) == text


@pytest.mark.parametrize("levels", [["1", "2"], ["Yes", "No"], ["2026-03-01"], ["a", "b"], ["1", "1.0"]])
def test_the_listed_spellings_are_those_that_match(levels):
    known = Levels(levels)
    assert {known.match(text) == level for level, texts in known.spellings().items() for text in texts} <= {True}
    assert bool(known.spellings()) == (levels not in (["a", "b"], ["1", "1.0"]))


def test_a_column_takes_the_names_of_known_levels_and_keeps_its_nulls():
    named = as_levels(pd.Series([3.0, 1.5, None]), ["3", "1.5"])
    assert named.tolist()[:2] == ["3", "1.5"]
    assert named.isna().tolist() == [False, False, True]


@pytest.mark.parametrize(("text", "wanted"), [("1.0", 1), ("1", 1.0), ("Yes", True), ("true", "yes"), ("1", "true")])
def test_a_named_value_is_found_in_every_spelling(text, wanted):
    assert is_same(text, wanted)


@pytest.mark.parametrize(("text", "wanted"), [("01", 1), ("left", "stayed"), ("10", 1)])
def test_a_named_value_is_not_found_where_it_is_not(text, wanted):
    assert not is_same(text, wanted)


def test_the_scalar_form_needs_neither_pandas_nor_ibis():
    code = "import sys, evergreen.rows.canonical; sys.exit(len({'pandas', 'ibis', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("dialect", ["bigquery", "pyspark"])
@pytest.mark.parametrize("kind", list(COLUMNS))
def test_the_expression_compiles_for_remote_engines(dialect, kind, monkeypatch):
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    table = ibis.table(ibis.memtable(pa.table({"x": COLUMNS[kind]})).schema(), name="t")
    assert "text" in str(ibis.to_sql(table.select(text=canonical_column(table.x)), dialect=dialect)).lower()
