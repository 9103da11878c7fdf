"""The star schema back out of a table in which it was joined before."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evergreen.features.checks import require_columns


def dimension_of(prejoined: ir.Table, key: str, date: str | None) -> ir.Table:
    """Split a dimension off: for each key the row of its newest date.

    Args:
        prejoined: Facts with the columns of their dimensions beside them.
        key: Key of the dimension, such as ``product_id``; its columns begin like it (``product_``).
        date: Column with the date of the fact; None: any row will do.

    Returns:
        One row a key: the key and the dimension's columns.

    Raises:
        EvergreenError: If a column is missing.
    """
    require_columns(prejoined, "the pre-joined table", [key, *([date] if date else [])])
    prefix = key.removesuffix("id")
    columns = [name for name in prejoined.columns if name.startswith(prefix)]
    rows = prejoined.drop_null([key])
    newest = [ibis.desc(rows[date])] if date else []
    order = ibis.window(group_by=key, order_by=[*newest, *(rows[name] for name in columns if name != key)])
    ranked = rows.mutate(newest_first=ibis.row_number().over(order))
    return ranked.filter(ranked.newest_first == 0).select(*columns)
