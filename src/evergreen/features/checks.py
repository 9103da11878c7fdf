"""Checks of one table, counted where the table lies: one aggregate query, and a second one for duplicates."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.measures import returned
from evergreen.features.typed import as_date, as_number, fractions, is_zoned_text
from evergreen.records import Check
from evergreen.star_schema import Returns

Family = Literal["key", "number", "category", "date", "any"]
"""What a column may be, whatever its exact type.

``key``: text or whole numbers, whatever type holds them. ``number``: integers, floats, decimals, truth values.
``category``: text, numbers or truth values. ``date``: dates, timestamps (a zoned one is read in UTC), whole numbers
yyyymmdd or ISO text. ``any``: no demand.
"""

FAMILY_NAMES: dict[Family, str] = {
    "key": "text or whole numbers",
    "number": "numbers",
    "category": "text, numbers or truth values",
    "date": "a date, a timestamp, a number yyyymmdd or ISO text",
    "any": "anything",
}


LARGEST = 3.4e38  # of a number that 32 bits hold


@dataclass(frozen=True)
class Column:
    """What one column of a table promises.

    Attributes:
        name: Its name.
        family: Which types are accepted.
        required: Whether every row needs a value; a floating NaN counts as none.
        unparsable_share: For numbers and dates, the largest share of texts that may fail to parse; None where
            text is not accepted at all.
    """

    name: str
    family: Family
    required: bool = False
    unparsable_share: float | None = None

    def accepts(self, dtype: dtypes.DataType) -> bool:
        """Whether a column of this type belongs to the family."""
        if dtype.is_null():
            return not self.required
        is_text = dtype.is_string() or dtype.is_uuid()
        if self.family in ("number", "date") and is_text:
            return self.unparsable_share is not None
        is_number = dtype.is_numeric() and not dtype.is_boolean()
        may_be_whole = is_number and not (dtype.is_decimal() and dtype.scale)
        return {
            "key": is_text or may_be_whole,
            "number": is_number or dtype.is_boolean(),
            "category": is_text or is_number or dtype.is_boolean(),
            "date": dtype.is_date() or dtype.is_timestamp() or may_be_whole,
            "any": True,
        }[self.family]


@dataclass(frozen=True)
class Count:
    """A number of offending rows to be counted, and how many are allowed.

    Attributes:
        name: Name of the check.
        column: Column it speaks of.
        offending: Ibis scalar: the number of offending rows.
        words: What such rows are, as "of N rows …" is followed by it.
        what_to_do: What to do about them.
        allowed_share: Largest share of all rows.
    """

    name: str
    column: str
    offending: ir.IntegerScalar
    words: str
    what_to_do: str
    allowed_share: float = 0.0

    def judge(self, found: int, rows: int) -> Check:
        """Compare the number found with the number allowed."""
        allowed = math.floor(self.allowed_share * rows)
        share = f" ({self.allowed_share:.0%})" if self.allowed_share else ""
        return Check(
            name=self.name,
            passed=found <= allowed,
            where=self.column,
            found=f"{found:,} of {rows:,} rows {self.words}",
            allowed=f"{allowed:,}{share}",
            what_to_do=self.what_to_do,
        )


def schema_breaches(data: ir.Table, columns: Sequence[Column]) -> list[Check]:
    """Columns that are missing or have a type outside their family."""
    schema = data.schema()
    needed = {column.name for column in columns}
    return [
        _missing_column(column, [name for name in schema if name not in needed])
        if column.name not in schema
        else _column_type(column, schema[column.name])
        for column in columns
        if column.name not in schema or not column.accepts(schema[column.name])
    ]


def _missing_column(column: Column, free: Sequence[str]) -> Check:
    """The advice names a column only where nothing else needs it."""
    return Check(
        name="missing_column",
        passed=False,
        where=column.name,
        found="no such column",
        allowed="one",
        what_to_do=f"rename {close}" if (close := closest(column.name, free)) else "add it to the source",
    )


def closest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, whatever its case; None where none is close."""
    lowered = {each.lower(): each for each in names}
    close = difflib.get_close_matches(name.lower(), lowered, n=1)
    return lowered[close[0]] if close else None


def _column_type(column: Column, dtype: dtypes.DataType) -> Check:
    return Check(
        name="column_type",
        passed=False,
        where=column.name,
        found=f"type {dtype}",
        allowed=FAMILY_NAMES[column.family],
        what_to_do="cast it in the source",
    )


def counts_of(data: ir.Table, column: Column) -> list[Count]:
    """The counts that a column's promise asks for: nulls, unparsable texts, infinities."""
    value = data[column.name]
    dtype = value.type()
    counts = []
    if column.required:
        nulls = data.count() - value.count()
        if dtype.is_floating():
            nulls += _sum(value.isnan())
        counts.append(Count("null_values", column.name, nulls, "have no value", "fill or drop these rows"))
    if column.family == "date" and not (dtype.is_date() or dtype.is_timestamp()):
        counts += _unparsable_dates(value, column)
    elif column.family == "number" and dtype.is_string():
        parsed = as_number(value)
        advice = "write numbers as 1234.5"
        unparsable = value.count() - parsed.count()
        counts.append(_unparsable(column, unparsable, "hold text that is no number", advice))
        counts.append(infinities(parsed, column.name))
    elif dtype.is_floating():
        counts.append(infinities(value, column.name))
        if column.family == "key":
            advice = "write keys as text or whole numbers"
            counts.append(Count("fractional_keys", column.name, _sum(fractions(value)), "are no whole numbers", advice))
    return counts


def _unparsable_dates(value: ir.Column, column: Column) -> list[Count]:
    is_text = value.type().is_string()
    unread = "hold text that is no date" if is_text else "are no date yyyymmdd"
    missing = value.count() - as_date(value).count()
    counts = [
        _unparsable(column, missing, unread, "write dates as 2026-02-28" if is_text else "write dates as 20260228")
    ]
    if is_text:
        zoned = _sum(is_zoned_text(value))
        advice = "turn them into dates in the source"
        counts.append(Count("zoned_dates", column.name, zoned, "are times with a time zone, as text", advice))
    return counts


def _unparsable(column: Column, offending: ir.IntegerScalar, words: str, advice: str) -> Count:
    return Count("unparsable_values", column.name, offending, words, advice, column.unparsable_share or 0.0)


def infinities(value: ir.FloatingColumn, name: str) -> Count:
    """Count numbers that are infinite, or too large for the 32 bits in which trees compare them; none are allowed."""
    large = value.isinf() | (value.abs() > LARGEST).fill_null(False)
    words, advice = f"are infinite or beyond {LARGEST:.1e}", "repair the division behind them, or use their logarithm"
    return Count("infinite_values", name, _sum(large & ~value.isnan()), words, advice)


def future_dates(data: ir.Table, name: str, today: dt.date | None, time_zone: str = "UTC") -> Count:
    """Count dates after ``today``, which would move the day that a run takes for today.

    Without ``today`` the database's current date counts, and one day more: somewhere on earth it is already
    tomorrow.
    """
    latest = ibis.date(today) if today else ibis.today() + ibis.interval(days=1)
    advice = f"correct them, or move today ({today})" if today else "correct them"
    return Count("future_dates", name, _sum(as_date(data[name], time_zone) > latest), "lie in the future", advice)


def later_days(data: ir.Table, name: str) -> Count:
    """Count dates that are not the first day of a month; none are allowed where a month is meant."""
    offending = _sum(as_date(data[name], "UTC").day() > 1)
    return Count("first_of_month", name, offending, "are not the first day of a month", "write 2026-02-01 for February")


def returns(data: ir.Table, rule: Returns, parameter: str) -> Count:
    """Count rows with a negative number or the mark of a return; a small share of them is normal.

    Args:
        data: The facts.
        rule: Columns and marks, and the share allowed.
        parameter: What the user raises to allow more.
    """
    words = [f"a negative {' or '.join(rule.positive)}"] if rule.positive else []
    words += [f"the mark of a return in {name}" for name in rule.marked]
    return Count(
        "negative_values" if rule.positive else "returns",
        [*rule.positive, *rule.marked][0],
        _sum(returned(data, rule)),
        f"have {' or '.join(words)}",
        f"drop returns in the source or raise {parameter}",
        rule.max_share,
    )


def duplicate_keys(data: ir.Table, keys: Sequence[str]) -> ir.IntegerScalar:
    """Number of rows beyond the first of each key; rows without a key are counted as nulls instead."""
    complete = data.drop_null(list(keys))
    repeats = complete.group_by(list(keys)).agg(rows=lambda t: t.count()).filter(lambda t: t.rows > 1)
    return (repeats.rows - 1).sum().fill_null(0)


def _sum(condition: ir.BooleanColumn) -> ir.IntegerScalar:
    return condition.cast("int64").sum().fill_null(0)


def require_columns(table: ir.Table, name: str, columns: Iterable[str]) -> None:
    """Check that a table has the columns that are about to be read.

    Args:
        table: The table.
        name: What the user calls it.
        columns: The columns needed.

    Raises:
        EvergreenError: At the first column that is missing; the message offers the closest name.
    """
    for column in columns:
        if column not in table.columns:
            close = closest(column, table.columns)
            hint = f"did you mean '{close}'? " if close else ""
            raise EvergreenError(
                f"Table '{name}' has no column '{column}': {hint}it has {', '.join(table.columns)}; "
                "rename the column in the source, or change the name in the use case's parameters."
            )
