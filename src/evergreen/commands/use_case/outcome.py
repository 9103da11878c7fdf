"""What is the outcome? The value that counts as 1, and from which day on it is missing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from evergreen.commands.use_case.facts import TableFacts
from evergreen.commands.use_case.opening import OpenTable, quoted
from evergreen.errors import EvergreenError
from evergreen.rows.canonical import TRUTH
from evergreen.rows.labelled import LEAST_OF_A_CLASS

_MISSING_SHARE = 0.3  # of the days of a table, at its end, that outcomes may be missing in


def positive_value(facts: TableFacts, target: str, asked: str | None) -> tuple[Any, str]:
    """The value of the outcome that counts as 1, and why; None stands for the largest fifth of a number.

    Args:
        facts: The table, counted.
        target: The outcome's column.
        asked: The value as the user typed it, or None.

    Raises:
        EvergreenError: Where there is no such value, where it can't be told, or where there are too few of it.
    """
    found, column = facts.outcomes, facts.columns[target]
    rows = facts.rows - column.nulls
    shares = ", ".join(f"{_plain(value)} ({_share(count, rows)})" for value, count in list(found.items())[:5])
    if asked is not None:
        value, why = next((each for each in found if str(_plain(each)) == asked), None), ""
        if value is None:
            raise EvergreenError(f"--positive {asked} is no value of {target}: it holds {shares}.")
    elif len(found) < 2:
        raise EvergreenError(f"{target} holds {shares or 'no value'}: an outcome needs two different values.")
    elif len(found) == 2:
        value = next((each for each in found if str(_plain(each)).lower() in TRUTH[0]), list(found)[-1])
        why = " (the word for yes)" if str(_plain(value)).lower() in TRUTH[0] else " (the rarer one)"
    elif column.kind == "number" and column.levels > 10:
        return None, f"outcome: 1 where {target} is above the .8 quantile of the training rows (training.label)"
    else:
        raise EvergreenError(
            f"{target} has {column.levels} values ({shares}, …): say with --positive which one counts as 1."
        )
    if min(found[value], rows - found[value]) < LEAST_OF_A_CLASS:
        raise EvergreenError(
            f"{target} is {_plain(value)} in {found[value]:,} of {rows:,} rows: at least {LEAST_OF_A_CLASS} rows with "
            "and without it are needed to learn from, some hundred to be judged; bring more."
        )
    return _plain(value), f"outcome: 1 where {target} is {_plain(value)}{why}, of {shares}"


def label_delay(facts: TableFacts, table: OpenTable, target: str, date: str | None) -> tuple[int, list[str]]:
    """Days at the end of a table in which outcomes are missing, and a line that says so.

    Args:
        facts: The table, counted.
        table: The same table.
        target: The outcome's column.
        date: Column with a row's date, or None.

    Raises:
        EvergreenError: Where outcomes are missing in rows without dates, or long before the end.
    """
    nulls = facts.columns[target].nulls
    if not nulls:
        return 0, []
    if date is None:
        raise EvergreenError(
            f"{target} has no value in {nulls:,} of {facts.rows:,} rows, and rows to learn from need their outcome: "
            f"write those that have one to a file of their own and name it here; the others can be its newer snapshot "
            "(<name>.current in the catalog), which needs none."
        )
    missing = f"{quoted(target)} is null or {quoted(target)}::varchar = ''"
    first = day_of(table.one(f"select min({quoted(date)}) as d from data where {missing}")["d"])
    begin, end = (day_of(facts.columns[date].least), day_of(facts.columns[date].greatest))
    delay = (end - first).days + 1
    if delay > _MISSING_SHARE * (end - begin).days:
        raise EvergreenError(
            f"{target} has no value in {nulls:,} of {facts.rows:,} rows, the first on {first}, and only outcomes of "
            f"the newest days may be missing: write the rows that have one to a file of their own."
        )
    return delay, [f"label delay: {delay} days, since outcomes are missing from {first} on (split.label_delay_days)"]


def day_of(value: Any) -> dt.date:
    """The day of a date, a timestamp, ISO text or a number yyyymmdd."""
    number = isinstance(value, int | float) or not isinstance(value, dt.date | str)
    return pd.Timestamp(str(int(value)) if number else value).date()


def _plain(value: Any) -> Any:
    """A value as YAML writes it: 1 for 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _share(count: int, rows: int) -> str:
    return "under 1%" if count and count < 0.005 * rows else f"{count / max(rows, 1):.0%}"
