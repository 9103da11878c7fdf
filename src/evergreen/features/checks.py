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
from evergreen.records import Check

Family = Literal["key", "number", "category", "date", "any"]
"""What a column may be, whatever its exact type.

``key``: text or whole numbers. ``number``: integers, floats, decimals. ``category``: text, whole numbers or
truth values. ``date``: dates, timestamps (a zoned one is read in UTC) or ISO text. ``any``: no demand.
"""

FAMILY_NAMES: dict[Family, str] = {
    "key": "text or whole numbers",
    "number": "numbers",
    "category": "text, whole numbers or truth values",
    "date": "a date, a timestamp or ISO text",
    "any": "anything",
}


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
        is_text = dtype.is_string() or dtype.is_uuid()
        if self.family in ("number", "date") and is_text:
            return self.unparsable_share is not None
        is_whole = dtype.is_integer() or (dtype.is_decimal() and dtype.scale == 0)
        return {
            "key": is_text or is_whole,
            "number": dtype.is_numeric() and not dtype.is_boolean(),
            "category": is_text or is_whole or dtype.is_boolean(),
            "date": dtype.is_date() or dtype.is_timestamp(),
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
    return [
        _missing_column(column, schema) if column.name not in schema else _column_type(column, schema[column.name])
        for column in columns
        if column.name not in schema or not column.accepts(schema[column.name])
    ]


def _missing_column(column: Column, schema: ibis.Schema) -> Check:
    lowered = {name.lower(): name for name in schema}
    close = difflib.get_close_matches(column.name.lower(), lowered, n=1)
    return Check(
        name="missing_column",
        passed=False,
        where=column.name,
        found="no such column",
        allowed="one",
        what_to_do=f"rename {lowered[close[0]]}" if close else "add it to the source",
    )


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
    if dtype.is_floating():
        counts.append(infinities(value, column.name))
    elif dtype.is_string() and column.family in ("number", "date"):
        parsed = value.try_cast("date" if column.family == "date" else "float64")
        unparsable = Count(
            "unparsable_values",
            column.name,
            value.count() - parsed.count(),
            f"hold text that is no {column.family}",
            "write dates as 2026-02-28" if column.family == "date" else "write numbers as 1234.5",
            column.unparsable_share or 0.0,
        )
        counts.append(unparsable)
        if column.family == "number":
            counts.append(infinities(parsed, column.name))
    return counts


def infinities(value: ir.FloatingColumn, name: str) -> Count:
    """Count infinite numbers; none are allowed."""
    return Count("infinite_values", name, _sum(value.isinf()), "are infinite", "repair the division behind them")


def future_dates(data: ir.Table, name: str, today: dt.date | None) -> Count:
    """Count dates after ``today``.

    Without ``today`` the database's current date counts, and one day more: somewhere on earth it is already
    tomorrow.
    """
    latest = ibis.date(today) if today else ibis.today() + ibis.interval(days=1)
    advice = f"correct them, or move today ({today})" if today else "correct them"
    return Count("future_dates", name, _sum(date_of(data[name]) > latest), "lie in the future", advice)


def later_days(data: ir.Table, name: str) -> Count:
    """Count dates that are not the first day of a month; none are allowed where a month is meant."""
    offending = _sum(date_of(data[name]).day() > 1)
    return Count("first_of_month", name, offending, "are not the first day of a month", "write 2026-02-01 for February")


def returns(data: ir.Table, quantity: str, amount: str, allowed_share: float) -> Count:
    """Count lines with a negative quantity or amount; a small share of returns is normal."""
    is_return = (data[quantity] < 0).fill_null(False) | (data[amount] < 0).fill_null(False)
    return Count(
        "negative_values",
        quantity,
        _sum(is_return),
        f"have a negative {quantity} or {amount}",
        "drop returns in the source or raise max_return_share",
        allowed_share,
    )


def duplicate_keys(data: ir.Table, keys: Sequence[str]) -> ir.IntegerScalar:
    """Number of rows beyond the first of each key; rows without a key are counted as nulls instead."""
    complete = data.drop_null(list(keys))
    repeats = complete.group_by(list(keys)).agg(rows=lambda t: t.count()).filter(lambda t: t.rows > 1)
    return (repeats.rows - 1).sum().fill_null(0)


def date_of(value: ir.Column) -> ir.DateColumn:
    """The date of a date, a timestamp (a zoned one in UTC: connections are opened in UTC) or ISO text.

    A text that is no date gives null.
    """
    return value.try_cast("date") if value.type().is_string() else value.cast("date")


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
            close = difflib.get_close_matches(column, table.columns, n=1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            raise EvergreenError(
                f"Table '{name}' has no column '{column}': {hint}it has {', '.join(table.columns)}; "
                "rename the column in the source, or change the name in the use case's parameters."
            )
