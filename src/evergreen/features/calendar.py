"""What the calendar says of a date."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from evergreen.features.typed import as_date
from evergreen.histories import CALENDAR

__all__ = ["CALENDAR", "add_calendar", "day_number"]

_EPOCH = ibis.date("1970-01-01")


def add_calendar(table: ir.Table, date: str, names: Sequence[str] = CALENDAR) -> ir.Table:
    """Add calendar columns of a date column; others of the table that are called alike stay what they are.

    Args:
        table: Table with the column ``date``, of any type that :func:`as_date` reads.
        date: Name of that column.
        names: The columns to add.

    Returns:
        The table with those of ``year``, ``month``, ``day_of_week`` (0 is Monday), ``is_weekend`` (0 or 1),
        ``quarter`` and ``season`` (northern meteorological: winter is December to February) that are named.
    """
    day = as_date(table[date])
    month = day.month()
    season = ibis.cases(
        (month.isin([12, 1, 2]), "winter"),
        (month.isin([3, 4, 5]), "spring"),
        (month.isin([6, 7, 8]), "summer"),
        (month.isin([9, 10, 11]), "autumn"),
    )
    day_of_week = day.day_of_week.index()
    known = {
        "year": day.year(),
        "month": month,
        "day_of_week": day_of_week,
        "is_weekend": (day_of_week >= 5).cast("int8"),
        "quarter": day.quarter(),
        "season": season,
    }
    return table.mutate(**{name: known[name] for name in names})


def day_number(date: ir.DateColumn) -> ir.IntegerColumn:
    """Days since 1970-01-01: what windows range over on every engine."""
    return date.delta(_EPOCH, unit="day")
