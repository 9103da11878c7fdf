"""Outcomes that arrive apart reach the rows that they speak of, on the days on which they were known."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.features import with_labels
from evergreen.features.outcomes import LabelsContract
from evergreen.schema import TableSpec

DAY = dt.date(2026, 3, 1)
PANEL = TableSpec(entity="who", date="day", panel=True, target="left", positive="yes", numeric=["age"])
SNAPSHOT = TableSpec(entity="who", target="left", positive="yes", numeric=["age"], snapshot_date="seen")
ROWS = pd.DataFrame({"who": [1, 2, 3], "day": [DAY, DAY, DAY + dt.timedelta(days=5)], "age": [30.0, 40.0, 50.0]})


def labels(*lines: tuple[object, ...], columns: tuple[str, ...] = ("who", "left", "observed_at")) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(lines, columns=list(columns)))


def outcomes(
    table: ibis.Table, as_of: dt.date | None = None, rows: pd.DataFrame = ROWS, spec: TableSpec = SNAPSHOT
) -> list:
    named = rows.rename(columns={"day": "seen"}) if spec is SNAPSHOT else rows
    found = with_labels(ibis.memtable(named), table, spec, as_of).order_by("age").to_pyarrow()
    assert len(found) == len(rows)
    return found["left"].to_pylist()


def test_a_row_has_the_outcome_that_was_observed_by_the_day() -> None:
    table = labels((1, "yes", "2026-03-10"), (2, "no", "2026-04-10"))
    assert outcomes(table, dt.date(2026, 3, 31)) == ["yes", None, None]
    assert outcomes(table, dt.date(2026, 4, 10)) == ["yes", "no", None]
    assert outcomes(table) == ["yes", "no", None]


def test_the_newest_observation_counts_and_a_later_one_not_yet() -> None:
    table = labels((1, "no", "2026-03-10"), (1, "yes", "2026-03-20"))
    assert outcomes(table, dt.date(2026, 3, 19))[0] == "no"
    assert outcomes(table, dt.date(2026, 3, 20))[0] == "yes"


def test_what_was_observed_before_the_row_speaks_of_another_one() -> None:
    assert outcomes(labels((3, "yes", "2026-03-04")))[2] is None


def test_rows_of_one_entity_are_told_apart_by_their_date() -> None:
    rows = pd.DataFrame({"who": [1, 1], "day": [DAY, DAY + dt.timedelta(days=31)], "age": [30.0, 31.0]})
    told = ("who", "day", "left", "observed_at")
    table = labels((1, "2026-03-01", "no", "2026-05-01"), (1, "2026-04-01", "yes", "2026-05-02"), columns=told)
    assert outcomes(table, rows=rows, spec=PANEL) == ["no", "yes"]


def test_an_outcome_of_the_rows_own_is_replaced() -> None:
    assert outcomes(labels((1, "yes", "2026-03-10")), rows=ROWS.assign(left="no")) == ["yes", None, None]


def test_text_and_numbers_name_the_same_entity() -> None:
    assert outcomes(labels(("1", "yes", "2026-03-10"), ("x", "no", "2026-03-10")))[0] == "yes"


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (labels((1, "yes", "2026-03-10"), (1, "no", "2026-03-10")), "labels.who, observed_at fails duplicate_keys"),
        (labels((1, None, "2026-03-10"), (2, "no", "2026-03-10")), "labels.left fails null_values: 1 of 2 rows"),
        (labels((1, "yes"), columns=("who", "left")), "labels.observed_at fails missing_column"),
    ],
)
def test_outcomes_that_contradict_each_other_are_refused(table: ibis.Table, sentence: str) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        LabelsContract(SNAPSHOT).validate(table)
