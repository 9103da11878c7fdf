"""The screen at the end of a run fits a terminal, however many use cases there are."""

from __future__ import annotations

import datetime as dt

import pytest

from evergreen.reporting.screen import MOST_LINES, Lifecycle, summary
from evergreen.retraining.record import ChampionPart, RetrainingRecord


@pytest.mark.parametrize("count", [1, 2, 12, 40])
def test_the_screen_has_at_most_25_lines(count: int) -> None:
    today = dt.date(2026, 2, 28)
    record = RetrainingRecord.model_construct(
        use_case="churn", as_of=today, status="not_needed", reason="None of 6 rules fired.", challenger=None,
        champion=ChampionPart(before="1", after="1"),
    )  # fmt: skip
    shown = summary({f"case_{number}": Lifecycle(retraining=record) for number in range(count)}, "data").splitlines()
    assert len(shown) <= MOST_LINES == 25
    named = [line for line in shown if line.startswith("case_")]
    left = next((line for line in shown if line.startswith("… and ")), "… and 0 more")
    assert len(named) + int(left.split()[2]) == count
    assert shown[-2] == "Versions: kedro models list"
    told = [line for line in shown if "not needed" in line]
    assert len(told) == len(named)
