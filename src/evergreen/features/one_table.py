"""Features of a use case whose table already has them, described by parameters alone."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.calendar import day_number
from evergreen.features.checks import require_columns
from evergreen.features.typed import as_date, as_key, as_number
from evergreen.rows.canonical_column import canonical_column
from evergreen.schema import TableSpec


def one_table_features(table: ir.Table, spec: TableSpec, *, name: str = "customers", outcome: bool = True) -> ir.Table:
    """Select and type the columns that a use case names.

    Numeric features become floats: truth values 1 and 0, text that is no number (a blank, say) null, a date the days
    that it lies before the row's own. Categorical features become canonical texts. Infinities pass: the contract of
    the table reports them.

    Args:
        table: One row an entity (and date).
        spec: The columns' names and roles.
        name: What the user calls the table, for messages.
        outcome: Whether the target must be there; without, it is taken along where it exists.

    Returns:
        Keys (the date as a DATE), numeric features, categorical features, target, weights and, where the table has
        it, the snapshot date as a DATE.

    Raises:
        EvergreenError: If a column is missing, or a feature's type cannot become what the spec says.
    """
    needed_for_training = [spec.target, *([spec.weights] if spec.weights else [])]
    require_columns(table, name, [*spec.keys, *spec.features, *(needed_for_training if outcome else [])])
    columns: dict[str, ir.Value] = {key: as_key(table[key]) for key in spec.keys}
    columns |= {feature: _as_number(table, feature, spec) for feature in spec.numeric}
    columns |= {feature: _as_category(table[feature], name) for feature in spec.categorical}
    columns |= {date: as_date(table[date], spec.time_zone) for date in _dates(table, spec)}
    if spec.target in table.columns and not table[spec.target].type().is_null():
        columns[spec.target] = table[spec.target]
    if spec.weights and spec.weights in table.columns:
        columns[spec.weights] = as_number(table[spec.weights])
    features = table.select(*(value.name(column) for column, value in columns.items()))  # whatever a column is called
    return features.drop_null(spec.keys) if spec.null_keys == "drop" else features


def _dates(table: ir.Table, spec: TableSpec) -> list[str]:
    return [date for date in (spec.date, spec.snapshot_date) if date and date in table.columns]


def _as_number(table: ir.Table, feature: str, spec: TableSpec) -> ir.FloatingColumn:
    column = table[feature]
    if not (column.type().is_date() or column.type().is_timestamp()):
        return as_number(column)
    own = _dates(table, spec)
    if not own:
        raise EvergreenError(
            f"Column '{feature}' is listed as numeric and holds dates, which are read as days before the row's own "
            "date, but the rows have none: name it as table.date or table.snapshot_date, or leave the column out."
        )
    row = day_number(as_date(table[own[0]], spec.time_zone))
    return (row - day_number(as_date(column, spec.time_zone))).cast("float64")


def _as_category(column: ir.Column, table: str) -> ir.StringColumn:
    kind = column.type()
    if kind.is_string() or kind.is_boolean() or kind.is_numeric() or kind.is_null() or kind.is_temporal():
        return canonical_column(column)
    raise EvergreenError(
        f"Column '{column.get_name()}' of table '{table}' is listed as categorical but is of type {kind}; allowed are "
        "text, booleans, numbers or dates: convert it in the source or take it off the list."
    )
