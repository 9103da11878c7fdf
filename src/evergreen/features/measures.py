"""The numbers of a row that histories are made of, as its description derives them from its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from evergreen.features.typed import as_number
from evergreen.histories import Compared, Measure
from evergreen.rows.canonical import canonical_text
from evergreen.rows.canonical_column import canonical_column
from evergreen.star_schema import Returns


def measured(table: ir.Table, measure: Measure) -> ir.FloatingColumn:
    """A measure of every row as a float; null where a column of it is missing, NaN or can't be read."""
    if measure.when is not None:
        return _compared(table, measure.when)
    over, *under = (_number(table, name) for name in measure.columns)
    if measure.ratio is not None:
        return over / under[0].nullif(0.0)
    return over * under[0] if measure.product is not None else over


def _number(table: ir.Table, name: str) -> ir.FloatingColumn:
    number = as_number(table[name])
    return ibis.ifelse(number.isnan(), ibis.null("float64"), number) if table[name].type().is_floating() else number


def _compared(table: ir.Table, when: Compared) -> ir.FloatingColumn:
    if when.above is not None:
        return (_number(table, when.column) > when.above).cast("int8").cast("float64")
    return is_one_of(table[when.column], when.equals).cast("int8").cast("float64")


def is_one_of(column: ir.Column, values: Collection[object]) -> ir.BooleanColumn:
    """Whether a column has one of some values, whatever type it holds them as; null where it has none."""
    return canonical_column(column).isin([canonical_text(value) for value in values])


def sparse_measures(measures: Mapping[str, Measure], never_null: Collection[str]) -> frozenset[str]:
    """Measures that may be null: those that read a column which may be, or divide by what may be 0."""
    certain = {*never_null}
    return frozenset(name for name, each in measures.items() if not set(each.columns) <= certain)


def returned(table: ir.Table, returns: Returns) -> ir.BooleanColumn:
    """Whether a row counts as a return by its sign or its mark; what has no number is none."""
    found: ir.BooleanColumn = ibis.literal(False)
    for name in returns.positive:
        found = found | (as_number(table[name]) < 0).fill_null(False)
    for name, values in returns.marked.items():
        found = found | is_one_of(table[name], values).fill_null(False)
    return found


def counting(table: ir.Table, returns: Returns) -> list[ir.BooleanColumn]:
    """Conditions that a row meets which counts: its numbers are above 0, and nothing marks it as a return."""
    kept: list[ir.BooleanColumn] = []
    for name in returns.positive:
        number = as_number(table[name])
        kept += [number > 0, ~number.isnan()]
    return [*kept, *(~is_one_of(table[name], values).fill_null(False) for name, values in returns.marked.items())]
