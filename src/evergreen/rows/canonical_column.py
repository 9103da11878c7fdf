"""What do the values of a column on an engine mean? The canonical texts of ``canonical`` as an Ibis expression."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evergreen.rows.canonical import LARGEST_WHOLE_FLOAT

_MOST_DECIMALS = "decimal(38, 18)"
_WHOLE = "decimal(38, 0)"
_FRACTIONS_BELOW = 2.0**53
_SMALLEST_PLAIN = 1e-4
"""Smaller fractions are written with an exponent."""


def canonical_column(column: ir.Column) -> ir.StringColumn:
    """A column's values as their canonical texts, computed where the data lies.

    Args:
        column: Text, numbers, truth values, dates or timestamps (a zoned one is read in UTC).

    Returns:
        Texts; null where the value is missing or NaN.
    """
    kind = column.type()
    if kind.is_boolean():
        return column.cast("int8").cast("string")
    if kind.is_floating():
        return _float_text(column)
    if kind.is_decimal():
        return column.cast("string") if kind.scale == 0 else _decimal_text(column)
    if kind.is_timestamp():
        return _timestamp_text(column.cast("timestamp"))
    return column.cast("string")


def _float_text(column: ir.FloatingColumn) -> ir.StringColumn:
    with_fractions = column.abs() < _FRACTIONS_BELOW
    bounded = ibis.ifelse(with_fractions, column, 0.0)  # engines floor to 64-bit integers
    whole = (~with_fractions | (bounded == bounded.floor())) & (column.abs() < LARGEST_WHOLE_FLOAT)
    infinite = ibis.ifelse(column > 0, ibis.literal("inf"), ibis.literal("-inf"))
    return ibis.cases(
        (column.isnan(), ibis.null("string")),
        (column.isinf(), infinite),
        (whole, ibis.ifelse(whole, column, 0.0).cast(_WHOLE).cast("string")),
        else_=_fraction_text(column, whole),
    )


def _fraction_text(column: ir.FloatingColumn, whole: ir.BooleanColumn) -> ir.StringColumn:
    """Shortest digits; an engine that writes 1.25E7 (Spark) is put right."""
    text = column.cast("string")
    plain = ~whole & (column.abs() >= _SMALLEST_PLAIN) & (column.abs() < 1e16)
    positional = _without_zeros(ibis.ifelse(plain, column, 0.5).cast(_MOST_DECIMALS).cast("string"))
    exponent = text.replace(".0E", "E").re_replace(r"E-(\d)$", r"e-0\1").re_replace(r"E(\d)", r"e+\1").lower()
    return ibis.cases((text.contains("E") & plain, positional), (text.contains("E"), exponent), else_=text)


def _decimal_text(column: ir.DecimalColumn) -> ir.StringColumn:
    plain = _without_zeros(column.cast("string"))
    if column.type().scale is not None and column.type().scale <= 4:
        return plain
    short = column.cast("float64")
    tiny = (column.abs() < _SMALLEST_PLAIN) & (column != 0) & (short.cast(column.type()) == column)
    return ibis.ifelse(tiny, _float_text(short), plain)


def _without_zeros(text: ir.StringColumn) -> ir.StringColumn:
    return ibis.ifelse(text.contains("."), text.re_replace(r"\.?0+$", ""), text)


def _timestamp_text(column: ir.TimestampColumn) -> ir.StringColumn:
    seconds = column.strftime("%Y-%m-%d %H:%M:%S")
    fraction = column.cast("string").re_extract(r"\.(\d+)", 1).fill_null("")  # engines leave out its last zeros, or not
    text = ibis.ifelse(fraction == "", seconds, seconds + ibis.literal(".") + fraction.rpad(6, "0"))
    return ibis.ifelse(text.endswith(" 00:00:00"), text.substr(0, 10), text)
