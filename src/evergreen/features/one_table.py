"""Features of a use case whose table already has them, described by parameters alone."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.calendar import as_date
from evergreen.features.checks import require_columns
from evergreen.rows.canonical_column import canonical_column
from evergreen.schema import TableSpec


def one_table_features(table: ir.Table, spec: TableSpec, *, name: str = "customers", outcome: bool = True) -> ir.Table:
    """Select and type the columns that a use case names.

    Numeric features become floats, text that is no number (a blank, say) null. Categorical features become
    strings. Infinities pass: the contract of the feature table reports them.

    Args:
        table: One row an entity (and date).
        spec: The columns' names and roles.
        name: What the user calls the table, for messages.
        outcome: Whether the target must be there; without, it is taken along where it exists.

    Returns:
        Keys (the date as a DATE), numeric features, categorical features, target and, where the table has
        it, the snapshot date as a DATE.

    Raises:
        EvergreenError: If a column is missing, or a feature's type cannot become what the spec says.
    """
    require_columns(table, name, [*spec.keys, *spec.features, *([spec.target] if outcome else [])])
    columns = {key: table[key] for key in spec.keys}
    columns |= {feature: _as_number(table[feature], name) for feature in spec.numeric}
    columns |= {feature: _as_category(table[feature], name) for feature in spec.categorical}
    dates = [date for date in (spec.date, spec.snapshot_date) if date and date in table.columns]
    columns |= {date: as_date(table[date]) for date in dates}
    if spec.target in table.columns:
        columns[spec.target] = table[spec.target]
    return table.select(**columns)


def _as_number(column: ir.Column, table: str) -> ir.FloatingColumn:
    kind = column.type()
    if kind.is_string():
        return column.try_cast("float64")
    if kind.is_boolean():
        return column.cast("int64").cast("float64")
    if kind.is_numeric():
        return column.cast("float64")
    raise _wrong_type(column, table, "numeric", "numbers, booleans or text that holds numbers")


def _as_category(column: ir.Column, table: str) -> ir.StringColumn:
    kind = column.type()
    if kind.is_string() or kind.is_boolean() or kind.is_numeric():
        return canonical_column(column)
    raise _wrong_type(column, table, "categorical", "text, booleans or numbers")


def _wrong_type(column: ir.Column, table: str, role: str, allowed: str) -> EvergreenError:
    return EvergreenError(
        f"Column '{column.get_name()}' of table '{table}' is listed as {role} but is of type {column.type()}; "
        f"allowed are {allowed}: convert it in the source or take it off the list."
    )
