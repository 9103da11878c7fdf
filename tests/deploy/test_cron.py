"""The scheduler of the container: which minute a line of cron names."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from typing import Any

import pytest

from tests_support import ROOT


@pytest.fixture(scope="module")
def cron() -> Any:
    spec = importlib.util.spec_from_file_location("cron", ROOT / "deploy/docker/cron.py")
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "after", "due"),
    [
        ("0 6 * * 1", "2026-11-27 10:00", "2026-11-30 06:00"),  # a Friday; the next Monday
        ("0 6 * * 1", "2026-11-30 06:00", "2026-12-07 06:00"),  # never twice in its own minute
        ("*/15 * * * *", "2026-11-27 10:01", "2026-11-27 10:15"),
        ("30 2 29 2 *", "2026-03-01 00:00", "2028-02-29 02:30"),
        ("0 0 1 * 0", "2026-11-28 00:00", "2026-11-29 00:00"),  # either day, where both are named
        ("5,10-12 8-9 * * 7", "2026-11-29 09:10", "2026-11-29 09:11"),
        ("10/20 * * * *", "2026-11-27 10:31", "2026-11-27 10:50"),
    ],
)
def test_the_next_run_is_the_first_minute_that_the_line_names(cron: Any, line: str, after: str, due: str) -> None:
    found = cron.next_time(line, datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize("line", ["60 * * * *", "* * 31 2 *", "5-1 * * * *", "* * * *"])
def test_a_line_that_names_no_time_is_refused(cron: Any, line: str) -> None:
    with pytest.raises(ValueError, match=r"within|names no time|argument"):
        cron.next_time(line, datetime(2026, 1, 1, tzinfo=UTC))
