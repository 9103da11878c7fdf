"""A long step is seen while it lasts: drawn on a terminal, written now and then into a log."""

from __future__ import annotations

import io
import logging

import pytest

from evergreen import progress
from evergreen.progress import FIRST_LINE_SECONDS, Display, counted, counting, watched


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_terminal_sees_step_detail_and_seconds_on_one_line_that_goes_at_the_end(clock: Clock) -> None:
    terminal = Terminal()
    display = Display(terminal, clock)
    display.begin("churn.training.train")
    display.tick()
    assert terminal.getvalue() == ""
    clock.seconds = 12
    display.tell("algorithm 3 of 6")
    display.tick()
    assert terminal.getvalue().endswith("churn.training.train: algorithm 3 of 6 (12 s)")
    assert "\n" not in terminal.getvalue()
    display.end()
    assert terminal.getvalue().endswith("\r\x1b[2K")


def test_a_log_has_a_plain_line_after_half_a_minute_and_then_ever_more_rarely(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress.logger, "info", lambda _, line: told.append(line))
    file = io.StringIO()
    display = Display(file, clock)
    display.begin("churn.scoring.score")
    for clock.seconds in range(0, 300, 5):
        display.tick()
    assert told == [f"churn.scoring.score ({FIRST_LINE_SECONDS * times:.0f} s)" for times in (1, 2, 4, 8)]
    assert file.getvalue() == ""


def test_a_line_of_the_log_never_stands_behind_the_step(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    display = Display(terminal, clock)
    monkeypatch.setattr(progress, "_display", display)
    display.begin("churn.training.train")
    clock.seconds = 2
    display.tick()
    log, handler = logging.getLogger("evergreen"), logging.StreamHandler(terminal)
    log.addHandler(handler)
    try:
        with watched():
            handler.handle(logging.makeLogRecord({"msg": "RandomForest: CV AUC 0.8"}))
    finally:
        log.removeHandler(handler)
    assert handler.filters == []
    assert terminal.getvalue().endswith("(2 s)\r\x1b[2KRandomForest: CV AUC 0.8\n")


def test_items_and_calls_are_told_of_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "tell", told.append)
    assert list(counted(["a", "b"], "algorithm")) == ["a", "b"]
    assert list(counted(iter("c"), "batch")) == ["c"]
    double = counting(lambda number: number * 2, "model", 9)
    assert [double(1), double(2)] == [2, 4]
    assert told == ["algorithm 1 of 2", "algorithm 2 of 2", "batch 1", "model 1 of at most 9", "model 2 of at most 9"]
