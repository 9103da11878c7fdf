"""What another table knows of a row's keys: for all time, of an ended period, or as of the row's day.

A period that has ended is looked up exactly: where the figures of last month are missing they stay null, older ones
don't stand in for them. Nobody could tell a figure of last month from one that has not been delivered for a year, and a
null is counted by the data checks. Without a period the newest row that is old enough counts, whatever its age.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evergreen.features.calendar import day_number
from evergreen.features.lookup import look_up
from evergreen.features.typed import as_date, as_key, as_number
from evergreen.rows.canonical_column import canonical_column
from evergreen.star_schema import Dimension, Period

_FOR_EVER = 4_000_000  # a day number far beyond every calendar
HOUR = "ev_hour"
"""Column in which facts carry their hour number, where a dimension goes by the hour."""


def period_number(moment: ir.Column, period: Period, time_zone: str | None = None) -> ir.IntegerColumn:
    """Which period a date or time lies in, counted from an arbitrary one; the same type on every side of a join.

    Args:
        moment: Dates, or times where the period is an hour.
        period: Its length.
        time_zone: Where the day is counted, if the column has a time zone.
    """
    if period == "hour":
        return hour_number(moment)
    day = as_date(moment, time_zone)
    if period == "day":
        return day_number(day).cast("int64")
    if period == "week":  # from Monday on: 1970-01-01 was a Thursday
        return ((day_number(day) + 3) / 7).floor().cast("int64")
    months = (day.year() * 12 + day.month()).cast("int64")
    if period == "month":
        return months
    if period == "quarter":
        return (day.year() * 4 + day.quarter()).cast("int64")
    return day.year().cast("int64")


def hour_number(moment: ir.Column) -> ir.IntegerColumn:
    """Hours since 1970-01-01, of times (zoned ones in UTC) or ISO text; a date is its midnight."""
    kind = moment.type()
    at = moment.try_cast("timestamp") if kind.is_string() else moment.cast("timestamp")
    return (day_number(at.date()).cast("int64") * 24 + at.hour().cast("int64")).cast("int64")


def known_columns(table: ir.Table, dimension: Dimension) -> dict[str, ir.Column]:
    """A dimension's features under their names: numbers as floats, categories as text."""
    numbers = {f"{dimension.prefix}{name}": as_number(table[name]) for name in dimension.numeric}
    return numbers | {f"{dimension.prefix}{name}": as_category(table[name]) for name in dimension.categorical}


def as_category(column: ir.Column) -> ir.StringColumn:
    """Text as it is, anything else as its canonical text."""
    return column if column.type().is_string() else canonical_column(column)


def add_dimension(rows: ir.Table, table: ir.Table, dimension: Dimension, date: str, time_zone: str | None) -> ir.Table:
    """Add what a dimension knows to rows that have its keys.

    Args:
        rows: Rows with the key columns and, where the dimension has dates, a DATE column; where it goes by the hour,
            each row's hour number as ``HOUR``.
        table: The dimension's table.
        dimension: Its description.
        date: Name of the DATE column.
        time_zone: Where the day of the dimension's own date is counted, if it has a time zone.

    Returns:
        The rows, row for row, with ``dimension.columns`` added; null where the key is null or nothing is known.
    """
    pairs = [_joined(rows[ours], as_key(table[theirs])) for ours, theirs in dimension.key.items()]
    keys = [f"ev_key_{i}" for i in range(len(pairs))]
    left = rows.mutate(**{key: ours for key, (ours, _) in zip(keys, pairs, strict=True)})
    known = {key: theirs for key, (_, theirs) in zip(keys, pairs, strict=True)} | known_columns(table, dimension)
    if dimension.date is None:
        found = look_up(left, table.select(**known), keys)
    elif dimension.period is not None:
        own = rows[HOUR] if dimension.period == "hour" else period_number(rows[date], dimension.period)
        ended = period_number(table[dimension.date], dimension.period, time_zone) + dimension.delay
        found = look_up(left.mutate(ev_period=own), table.select(ev_period=ended, **known), [*keys, "ev_period"])
    else:
        valid = day_number(as_date(table[dimension.date], time_zone)).cast("int64") + dimension.delay
        versions = table.select(ev_from=valid, **known)
        found = _newest(left.mutate(ev_day=day_number(left[date]).cast("int64")), versions, keys)
    return found.select(*rows.columns, *dimension.columns)


def _joined(ours: ir.Column, theirs: ir.Column) -> tuple[ir.Column, ir.Column]:
    """Keys as they are where both are text or whole numbers, else as canonical texts."""
    kinds = ours.type(), theirs.type()
    same = all(kind.is_string() for kind in kinds) or all(kind.is_integer() for kind in kinds)
    return (ours, theirs) if same else (canonical_column(ours), canonical_column(theirs))


def _newest(rows: ir.Table, versions: ir.Table, keys: list[str]) -> ir.Table:
    """Add, to each row, the version of its key that holds on its day."""
    following = versions.ev_from.lead().over(ibis.window(group_by=keys, order_by=versions.ev_from))
    held = versions.mutate(ev_until=following.coalesce(_FOR_EVER)).rename({f"{key}_known": key for key in keys})
    days = rows.select(*keys, "ev_day").distinct().drop_null()
    holds = [days[key] == held[f"{key}_known"] for key in keys]
    holds += [days.ev_day >= held.ev_from, days.ev_day < held.ev_until]
    added = [name for name in versions.columns if name not in (*keys, "ev_from")]
    known = days.inner_join(held, holds).select(*keys, "ev_day", *added)
    return look_up(rows, known, [*keys, "ev_day"])
