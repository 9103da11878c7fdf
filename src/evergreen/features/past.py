"""What rows with dates learn from the calendar and from each other's past, beside the columns they have already."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen.features.calendar import add_calendar
from evergreen.features.checks import require_columns
from evergreen.features.days import ALL_DAYS, Days
from evergreen.features.history import history_of, key_history
from evergreen.features.lookup import look_up
from evergreen.features.measures import measured
from evergreen.features.typed import as_date, as_key
from evergreen.histories import Past
from evergreen.schema import TableSpec


def add_past(rows: ir.Table, spec: TableSpec, past: Past, name: str = "rows", span: Days = ALL_DAYS) -> ir.Table:
    """Add the features that a use case of one table asks of its own earlier rows.

    Args:
        rows: The table, one row an entity or an entity and date.
        spec: Its description, with a date.
        past: The features.
        name: What the user calls the table.
        span: Days whose rows are asked for. Only these and the days that their histories look back at are read, and
            the features are the same to the last bit.

    Returns:
        The rows of these days, row for row, with ``past.past_columns`` added.

    Raises:
        EvergreenError: If a column is missing.
    """
    if spec.date is None:
        return rows
    if not past.past_columns:
        return span.of(rows, as_date(rows[spec.date], spec.time_zone))
    keys = list(dict.fromkeys(key for each in past.histories.values() for key in each.keys))
    read = [column for each in past.measures.values() for column in each.columns]
    require_columns(rows, name, [spec.date, *keys, *read])
    table = rows.mutate(
        ev_day=as_date(rows[spec.date], spec.time_zone), **{f"ev_key_{key}": as_key(rows[key]) for key in keys}
    )
    earlier = span.reaching_back(table, table.ev_day, past.look_back_days)
    named = {key: earlier[f"ev_key_{key}"] for key in keys}
    lines = earlier.select("ev_day", **named, **{each: measured(earlier, rule) for each, rule in past.measures.items()})
    table = span.of(table, table.ev_day)
    for prefix, rule in past.histories.items():
        lived = span.of_its_keys(lines, rule.keys, "ev_day")
        history = key_history(lived, history_of(prefix, rule, frozenset(past.measures)), "ev_day", past.history_days)
        history = span.of(history, history.ev_day)
        known = history.rename({f"ev_key_{key}": key for key in rule.keys})
        table = look_up(table, known, [*(f"ev_key_{key}" for key in rule.keys), "ev_day"])
    kept = [column for column in rows.columns if column not in past.past_columns]
    return add_calendar(table, "ev_day", past.calendar).select(*kept, *past.past_columns)
