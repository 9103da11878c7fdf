"""Claims about the gate that rows pass before anything is learnt from them."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.retraining.gate import (
    UsualWindow,
    WindowCounts,
    contract_breach,
    count_window,
    gate_of,
    judge_gate,
    require_fit,
    usual_window,
)
from evergreen.retraining.parameters import GatePolicy
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", date="day", target="sold", numeric=["a", "b"], categorical=["c"])
TYPES = {"id": "int64", "day": "timestamp", "a": "float64", "b": "int64", "c": "string", "sold": "float64"}
SOUND = WindowCounts(rows=2000, missing_share=0.02, duplicates=5, days=7)


def rows(n: int = 40) -> pd.DataFrame:
    day = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.arange(n) % 8, unit="D")
    return pd.DataFrame({"id": np.arange(n), "day": day, "a": 1.0, "b": 2, "c": "x", "sold": 1.0})


def failed(counts: WindowCounts, usual: float = 0.0, breach: str | None = None) -> list[str]:
    return [check.name for check in judge_gate(counts, GatePolicy(), usual, breach) if not check.passed]


def test_a_sound_window_passes() -> None:
    checks = judge_gate(SOUND, GatePolicy(), 0.0, None)
    assert [check.name for check in checks] == ["rows", "missing_share", "duplicate_share", "contract", "days"]
    require_fit("churn", checks)


@pytest.mark.parametrize(
    ("counts", "broken"),
    [
        (WindowCounts(999, 0.02, 5, 7), "rows"),
        (WindowCounts(2000, 0.1001, 5, 7), "missing_share"),
        (WindowCounts(2000, 0.02, 21, 7), "duplicate_share"),
        (WindowCounts(2000, 0.02, 5, 4), "days"),
    ],
)
def test_each_limit_blocks_by_itself_and_only_beyond_it(counts: WindowCounts, broken: str) -> None:
    assert failed(counts) == [broken]
    assert failed(WindowCounts(1000, 0.1, 10, 5)) == []


def test_a_broken_contract_blocks_and_is_quoted() -> None:
    checks = judge_gate(SOUND, GatePolicy(), 0.0, "column age of table churn's window is missing")
    with pytest.raises(EvergreenError) as stopped:
        require_fit("churn", checks)
    assert "column age of table churn's window is missing" in str(stopped.value)


def test_the_error_names_use_case_check_found_and_allowed() -> None:
    checks = judge_gate(WindowCounts(120, 0.5, 0, None), GatePolicy(min_rows=1000), 0.0, None)
    with pytest.raises(EvergreenError) as stopped:
        require_fit("churn", checks)
    told = str(stopped.value)
    assert "churn: the quality gate stopped retraining" in told
    assert "missing_share is 50.0 % (allowed: 10.0 %)" in told
    assert "nothing was changed" in told


def test_as_many_missing_values_as_the_champion_knew_are_allowed() -> None:
    holes = WindowCounts(2000, 0.3, 0, 7)
    assert failed(holes, usual=0.31) == []
    assert failed(holes, usual=0.29) == ["missing_share"]


def test_rows_without_dates_need_no_days() -> None:
    checks = judge_gate(WindowCounts(2000, 0.0, 0, None), GatePolicy(), 0.0, None)
    assert "days" not in [check.name for check in checks]


def test_counts_are_those_of_the_table() -> None:
    frame = rows()
    frame.loc[:5, "a"] = np.nan
    frame.loc[:2, "c"] = None
    frame.loc[3, "id"] = 0
    found = count_window(ibis.memtable(frame), SPEC)
    assert (found.rows, found.duplicates, found.days) == (40, 1, 8)
    assert found.missing_share == pytest.approx(9 / 120)


@pytest.mark.parametrize(
    "newest",
    [
        rows(),
        rows().drop(columns="sold"),
        rows().assign(sold=pd.Series([1.0] * 20 + [None] * 20)),
        rows().assign(sold=None),
    ],
)
def test_the_newest_rows_need_no_outcome(newest: pd.DataFrame) -> None:
    table = ibis.memtable(newest, schema={name: kind for name, kind in TYPES.items() if name in newest})
    assert contract_breach(table, SPEC, "sales") is None


def test_the_newest_rows_need_their_features() -> None:
    assert "a fails missing_column" in str(contract_breach(ibis.memtable(rows().drop(columns="a")), SPEC, "sales"))


def test_too_few_rows_are_too_little_to_learn_from_and_no_fault_of_the_source() -> None:
    gate = gate_of("churn", dt.date(2026, 3, 1), judge_gate(WindowCounts(120, 0.0, 0, None), GatePolicy(), 0.0, None))
    assert (gate.status, gate.passed) == ("too_little", False)
    assert gate.reason == "Too little to learn from: rows is 120 (allowed: at least 1,000); wait for more."


def test_a_season_with_few_rows_passes_where_windows_usually_hold_few_and_a_tenth_of_them_does_not() -> None:
    usual = UsualWindow(rows=1500.0, days=8.0)
    assert all(check.passed for check in judge_gate(WindowCounts(695, 0.0, 0, 4), GatePolicy(), 0.0, None, usual))
    checks = judge_gate(WindowCounts(150, 0.0, 0, 1), GatePolicy(), 0.0, None, usual)
    assert [(each.name, each.allowed) for each in checks if not each.passed] == [("rows", 375), ("days", 2)]


def test_what_is_usual_is_the_median_of_whole_windows_before_the_newest() -> None:
    per_day = np.repeat([3, 1, 3, 5], 28)
    day = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.repeat(np.arange(112), per_day), unit="D")
    table = ibis.memtable(pd.DataFrame({"id": np.arange(len(day)), "day": day}))
    start = dt.date(2026, 1, 1) + dt.timedelta(days=84)
    assert usual_window(table, SPEC, start, 28, 9) == UsualWindow(84.0, 28.0)
    assert usual_window(table, SPEC, dt.date(2026, 2, 1), 28, 9) == UsualWindow()
    undated = SPEC.model_copy(update={"date": None})
    assert usual_window(table, undated, start, 28, 9) == UsualWindow(9.0)


def test_rows_that_a_person_asks_for_stop_the_run_whatever_is_usual() -> None:
    checks = judge_gate(WindowCounts(695, 0.0, 0, 9), GatePolicy(min_rows=1000), 0.0, None, UsualWindow(1500.0, 8.0))
    with pytest.raises(EvergreenError, match=r"rows is 695 \(allowed: at least 1,000\).*too little to learn from"):
        require_fit("churn", checks)
