"""What the calendar says of a date, and how a column becomes a date."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evergreen.errors import EvergreenError

CALENDAR = ("year", "month", "day_of_week", "is_weekend", "quarter", "season")

_EPOCH = ibis.date("1970-01-01")


def add_calendar(table: ir.Table, date: str) -> ir.Table:
    """Add the calendar columns of a date column.

    Args:
        table: Table with the column ``date``, of any type that :func:`as_date` reads.
        date: Name of that column.

    Returns:
        The table with ``year``, ``month``, ``day_of_week`` (0 is Monday), ``is_weekend`` (0 or 1),
        ``quarter`` and ``season`` (northern meteorological: winter is December to February) added.
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
    return table.mutate(
        year=day.year(),
        month=month,
        day_of_week=day_of_week,
        is_weekend=(day_of_week >= 5).cast("int8"),
        quarter=day.quarter(),
        season=season,
    )


def as_date(column: ir.Column) -> ir.DateColumn:
    """Read a column as dates.

    Args:
        column: Dates, timestamps (a zoned one is read in UTC), integers ``yyyymmdd`` or strings
            ``yyyy-mm-dd``.

    Returns:
        The column as a DATE.

    Raises:
        EvergreenError: If the column is of another type.
    """
    kind = column.type()
    if kind.is_date():
        return column
    if kind.is_timestamp():
        return column.date()
    if kind.is_integer():
        return ibis.date(column // 10_000, column // 100 % 100, column % 100)
    if kind.is_string():
        return column.cast("date")
    raise EvergreenError(
        f"Column '{column.get_name()}' should hold dates but is of type {kind}; allowed are a date, a timestamp, "
        "an integer yyyymmdd or a string yyyy-mm-dd: change it in the source or in the query that reads it."
    )


def day_number(date: ir.DateColumn) -> ir.IntegerColumn:
    """Days since 1970-01-01: what windows range over on every engine."""
    return date.delta(_EPOCH, unit="day")
