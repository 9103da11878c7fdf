"""Claims about what the calendar says of a date, whatever type holds it."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.features.calendar import CALENDAR, add_calendar, as_date, day_number

DAYS = pd.date_range("2023-12-25", "2025-01-10", freq="D")


def test_the_calendar_is_that_of_pandas() -> None:
    rows = add_calendar(ibis.memtable(pd.DataFrame({"day": DAYS})), "day").to_pandas().sort_values("day")
    season = {12: "winter", 3: "spring", 6: "summer", 9: "autumn"}
    assert rows["year"].tolist() == DAYS.year.tolist()
    assert rows["quarter"].tolist() == DAYS.quarter.tolist()
    assert rows["day_of_week"].tolist() == DAYS.day_of_week.tolist()
    assert rows["is_weekend"].tolist() == (DAYS.day_of_week > 4).astype(int).tolist()
    assert rows["season"].tolist() == [season[month - month % 3 or 12] for month in DAYS.month]
    assert set(CALENDAR) <= set(rows.columns)


@pytest.mark.parametrize(
    "value",
    [
        dt.date(2026, 3, 1),
        dt.datetime(2026, 3, 1, 23, 59),
        20260301,
        20260301.0,
        "2026-03-01",
    ],
)
def test_every_way_to_write_a_day_is_that_day(value: object) -> None:
    table = ibis.memtable(pd.DataFrame({"day": [value]}))
    assert table.select(day=as_date(table.day)).to_pyarrow()["day"].to_pylist() == [dt.date(2026, 3, 1)]


def test_a_column_that_holds_no_dates_is_named_with_its_type() -> None:
    with pytest.raises(EvergreenError, match=r"Column 'day' should hold dates but is of type boolean"):
        as_date(ibis.memtable(pd.DataFrame({"day": [True]})).day)


def test_a_number_that_is_no_day_is_no_date() -> None:
    table = ibis.memtable(pd.DataFrame({"day": [0.5, 20261301.0, None]}))
    assert table.select(day=as_date(table.day)).to_pyarrow()["day"].to_pylist() == [None] * 3


def test_days_are_numbered_from_1970() -> None:
    table = ibis.memtable(pd.DataFrame({"day": [dt.date(1970, 1, 2), dt.date(2026, 3, 1)]}))
    found = table.select(number=day_number(table.day)).to_pandas()["number"].tolist()
    assert sorted(found) == [1, (dt.date(2026, 3, 1) - dt.date(1970, 1, 1)).days]
