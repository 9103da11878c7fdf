"""The rows of some days, computed from what they look back at alone, are those of the whole table to the last bit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evergreen.features import add_past, star_features
from evergreen.features.days import ALL_DAYS, Days
from evergreen.histories import Past
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from small_star import DAYS, FACTS, FIGURES, KNOWN, SPEC, START, declarations, facts, figures, known

EVER = 36_500
WEEK = Days(START + dt.timedelta(days=20), START + dt.timedelta(days=26))
PARTLY = [WEEK, Days(WEEK.first, None), Days(None, WEEK.last)]


def tables(seed: int, rows: int = 40, **changed: Any) -> dict[str, ir.Table]:
    made = {"facts": (facts(seed, rows), FACTS), "known": (known(), KNOWN), "figures": (figures(seed), FIGURES)}
    found = {n: ibis.memtable(pa.Table.from_pandas(f, s, preserve_index=False)) for n, (f, s) in made.items()}
    return found | {"facts": found["facts"].mutate(**changed)} if changed else found


def rows_of(features: ir.Table, date: str = "date", span: Days = ALL_DAYS) -> pd.DataFrame:
    """The rows of some days, of all that were computed."""
    rows = features.order_by("id").to_pyarrow()
    days = pd.to_datetime(rows[date].to_pandas())
    asked = days.between(pd.Timestamp(span.first or "1900-01-01"), pd.Timestamp(span.last or "2100-01-01"))
    return rows.filter(pa.array(asked)).to_pandas()


def require_equal(whole: ir.Table, part: ir.Table, span: Days, date: str = "date") -> None:
    found = rows_of(part, date)
    pd.testing.assert_frame_equal(found, rows_of(whole, date, span), check_exact=True)
    assert 0 < len(found) < whole.count().execute()


def star_with(**changed: Any) -> StarSchema:
    described: dict[str, Any] = {
        "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["a", "b"], "numeric": ["own"]},
        "measures": {"x": "x", "y": "y"},
        "histories": {"h": {"keys": ["a"], "measures": {"x": ["avg", "std", "min"]}, "frequency": True}},
        "dimensions": {"known": {"table": "known", "key": "b", "numeric": ["size"]}},
        "calendar": ["month"],
    }
    return StarSchema.model_validate(described | changed)


@settings(max_examples=8)
@given(declarations(), st.integers(0, 2**31), st.integers(1, DAYS - 1), st.integers(0, 9), st.booleans())
def test_whatever_a_star_schema_declares(star: StarSchema, seed: int, day: int, length: int, ended: bool) -> None:
    first = START + dt.timedelta(days=day)
    span = Days(first, first + dt.timedelta(days=length) if ended else None)
    named = tables(seed)
    found = rows_of(star_features(named, star, SPEC, span))
    pd.testing.assert_frame_equal(found, rows_of(star_features(named, star, SPEC), span=span), check_exact=True)


@pytest.mark.parametrize("span", PARTLY, ids=["week", "from", "until"])
@pytest.mark.parametrize(
    "changed",
    [
        {"history_days": EVER},
        {"histories": {"h": {"keys": ["a", "b"], "measures": {"x": ["total", "max"]}, "windows": [3, EVER]}}},
        {"histories": {"h": {"keys": ["b"], "measures": {"y": ["avg"]}, "windows": [9], "delay_days": 8}}},
        {"naive": True},
        {"histories": {}},
    ],
    ids=["ever", "short and ever", "delayed", "naive", "no history"],
)
def test_look_backs_of_every_length(changed: dict[str, Any], span: Days) -> None:
    named, star = tables(3, 120), star_with(**changed)
    require_equal(star_features(named, star, SPEC), star_features(named, star, SPEC, span), span)


@pytest.mark.parametrize("span", PARTLY, ids=["week", "from", "until"])
def test_repeats_are_numbered_among_all_earlier_ones(span: Days) -> None:
    own = {"table": "facts", "key": ["a", "b"], "date": "day", "keys": ["a", "b"], "number_repeats": True}
    named, star = tables(3, 120), star_with(facts=own)
    named["facts"] = named["facts"].drop_null(["a", "b"]).drop("id")
    require_equal(star_features(named, star, SPEC), star_features(named, star, SPEC, span), span)


@pytest.mark.parametrize(
    "day",
    [
        lambda day: day.strftime("%Y-%m-%d"),
        lambda day: day.strftime("%Y%m%d").cast("int64"),
        lambda day: (day.cast("timestamp") + ibis.interval(hours=23)).cast("timestamp('UTC')"),
    ],
    ids=["text", "digits", "zoned"],
)
def test_dates_of_every_kind(day: Any) -> None:
    named, star = tables(4, 120), star_with(time_zone="Asia/Tokyo")
    named["facts"] = named["facts"].mutate(day=day(named["facts"].day))
    require_equal(star_features(named, star, SPEC), star_features(named, star, SPEC, WEEK), WEEK)


def test_figures_of_the_hour_before() -> None:
    hours = [START + dt.timedelta(days=day) for day in range(DAYS)]
    weather = pd.DataFrame({"a": "p", "at": pd.to_datetime(hours), "rain": [float(i) for i in range(DAYS)]})
    wet = {"table": "weather", "key": "a", "date": "at", "period": "hour", "numeric": ["rain"]}
    named, star = tables(5, 120), star_with(dimensions={"weather": wet})
    named["facts"] = named["facts"].mutate(day=named["facts"].day.cast("timestamp") + ibis.interval(hours=1))
    named["weather"] = ibis.memtable(weather)
    part = star_features(named, star, SPEC, WEEK)
    require_equal(star_features(named, star, SPEC), part, WEEK)
    assert part.rain.count().execute() > 0


@pytest.mark.parametrize("span", PARTLY, ids=["week", "from", "until"])
@pytest.mark.parametrize("windows", [[], [2, EVER]])
def test_rows_of_a_dated_table(windows: list[int], span: Days) -> None:
    history = {"keys": ["a"], "measures": {"x": ["avg", "std", "max"]}, "frequency": True, "windows": windows}
    past = Past.model_validate({"measures": {"x": "x"}, "histories": {"h": history}, "calendar": ["month"]})
    spec = TableSpec(entity="id", date="day", target="colour", positive="red", numeric=["x"])
    rows = tables(6, 120)["facts"]
    require_equal(add_past(rows, spec, past), add_past(rows, spec, past, span=span), span, "day")
    bare = Past()
    require_equal(add_past(rows, spec, bare), add_past(rows, spec, bare, span=span), span, "day")
