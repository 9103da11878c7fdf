"""What another table knows of a row's key."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir


def look_up(table: ir.Table, known: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Add the columns of another table to the rows with the same key.

    Args:
        table: Rows with the key columns.
        known: At most one row a key: the key columns and the columns to add.
        keys: Names of the key columns.

    Returns:
        The table, row for row, with the columns added; nulls where the key is null or unknown.
    """
    added = [name for name in known.columns if name not in keys]
    known = known.rename({f"{key}_known": key for key in keys})
    same = [table[key] == known[f"{key}_known"] for key in keys]
    return table.left_join(known, same).select(*table.columns, *added)
