"""How a column becomes the number, key or date that its table's description says it is, whatever type it has."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.rows.canonical_column import canonical_column
from evergreen.schema import TableSpec

_FLOOR_BELOW = 2.0**53


def as_number(column: ir.Column) -> ir.FloatingColumn:
    """Numbers, truth values (1 and 0) or text that holds either as floats; other text becomes null.

    Args:
        column: A column of one of these types.

    Raises:
        EvergreenError: If it is of another type.
    """
    kind = column.type()
    if kind.is_string():
        word = column.lower()
        return ibis.cases((word == "true", 1.0), (word == "false", 0.0), else_=column.try_cast("float64"))
    if kind.is_boolean():
        return column.cast("int64").cast("float64")
    if kind.is_numeric():
        return column.cast("float64")
    if kind.is_null():
        return column.cast("float64")
    raise EvergreenError(
        f"Column '{column.get_name()}' is listed as numeric but is of type {kind}; allowed are numbers, booleans or "
        "text that holds numbers: convert it in the source or take it off the list."
    )


def as_declared(table: ir.Table, spec: TableSpec) -> ir.Table:
    """A feature table with each feature as the number or category that a version knows it as.

    A use case may have made a number a category since the version was trained, or the other way round.
    """
    kinds = table.schema()
    numbers = [name for name in spec.numeric if name in kinds and kinds[name].is_string()]
    categories = [name for name in spec.categorical if name in kinds and kinds[name].is_numeric()]
    changed: dict[str, ir.Value] = {name: as_number(table[name]) for name in numbers}
    changed |= {name: canonical_column(table[name]) for name in categories}
    return table.mutate(**changed) if changed else table


def as_key(column: ir.Column) -> ir.Column:
    """A key as it is, whole numbers that a null has made floats as integers again."""
    if not column.type().is_floating():
        return column
    return ibis.ifelse(column.isnan(), ibis.null("int64"), column.cast("int64"))


def fractions(column: ir.FloatingColumn) -> ir.BooleanColumn:
    """Whether a float is no whole number; false for a missing one."""
    bounded = ibis.ifelse(column.abs() < _FLOOR_BELOW, column, 0.0)
    return (bounded != bounded.floor()).fill_null(False) & ~column.isnan().fill_null(True)


def as_date(column: ir.Column, time_zone: str | None = None) -> ir.DateColumn:
    """Read a column as dates; what is no date becomes null.

    Args:
        column: Dates, timestamps, whole numbers ``yyyymmdd``, or text ``yyyy-mm-dd`` or ``yyyymmdd`` (a time of day
            may follow).
        time_zone: Where a row's day is counted (``Europe/Berlin``), for timestamps with a time zone.

    Returns:
        The column as a DATE.

    Raises:
        EvergreenError: If the column is of another type, or its timestamps have a time zone and ``time_zone`` is None.
    """
    kind = column.type()
    if kind.is_date():
        return column
    if kind.is_timestamp():
        return column.date() if kind.timezone is None else _day_in(column, time_zone)
    if kind.is_integer() or kind.is_floating() or (kind.is_decimal() and kind.scale == 0):
        whole = ibis.ifelse(fractions(column), ibis.null(kind), column) if kind.is_floating() else column
        return _of_digits(as_key(whole).cast("string"))
    if kind.is_string():
        digits = column.length() == len("yyyymmdd")
        return ibis.ifelse(digits, _of_digits(column), column.try_cast("date"))
    if kind.is_null():
        return column.cast("date")
    raise EvergreenError(
        f"Column '{column.get_name()}' should hold dates but is of type {kind}; allowed are a date, a timestamp, "
        "an integer yyyymmdd or a string yyyy-mm-dd: change it in the source or in the query that reads it."
    )


def is_zoned_text(column: ir.StringColumn) -> ir.BooleanColumn:
    """Whether a text is a time of day with a time zone, so that its day depends on where one stands."""
    return column.re_search(r"\d:\d\d.*([zZ]|[+-]\d\d(:?\d\d)?)$").fill_null(False)


def _of_digits(text: ir.StringColumn) -> ir.DateColumn:
    dashed = text.substr(0, 4) + ibis.literal("-") + text.substr(4, 2) + ibis.literal("-") + text.substr(6, 2)
    return ibis.ifelse(text.re_search(r"^\d{8}$"), dashed, ibis.null("string")).try_cast("date")


def _day_in(column: ir.TimestampColumn, time_zone: str | None) -> ir.DateColumn:
    if time_zone is None:
        raise EvergreenError(
            f"Column '{column.get_name()}' holds timestamps with a time zone ({column.type().timezone}), so a row's "
            "day depends on where it is counted: name the place as time_zone (Europe/Berlin, UTC, …) beside the use "
            "case's columns, or turn the column into a date in the source."
        )
    if time_zone == "UTC":
        return column.date()
    return _LOCAL_TIME.get(column.get_backend().name, _duckdb_local)(column, time_zone).date()


_ZONED = dtypes.Timestamp(timezone="UTC")


@ibis.udf.scalar.builtin(name="timezone", signature=((dtypes.string, _ZONED), dtypes.timestamp))
def _timezone(zone: str, at: dt.datetime) -> dt.datetime:  # type: ignore[empty-body]
    """DuckDB's own conversion."""


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=((_ZONED, dtypes.string), dtypes.timestamp))
def _from_utc_timestamp(at: dt.datetime, zone: str) -> dt.datetime:  # type: ignore[empty-body]
    """Spark's own conversion; its session counts in UTC."""


@ibis.udf.scalar.builtin(name="DATETIME", signature=((_ZONED, dtypes.string), dtypes.timestamp))
def _datetime(at: dt.datetime, zone: str) -> dt.datetime:  # type: ignore[empty-body]
    """BigQuery's own conversion."""


def _duckdb_local(column: ir.TimestampColumn, zone: str) -> ir.TimestampColumn:
    return _timezone(zone, column)


_LOCAL_TIME = {"duckdb": _duckdb_local, "pyspark": _from_utc_timestamp, "bigquery": _datetime}
