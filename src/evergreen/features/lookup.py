"""What another table knows of a row's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir

from evergreen.errors import EvergreenError


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


def require_same_keys(tables: Mapping[str, ir.Table], key: str) -> None:
    """Check that a key has a type by which the tables can be joined: whole numbers everywhere, or text everywhere.

    Args:
        tables: What the user calls each table → the table.
        key: Name of the key column in all of them.

    Raises:
        EvergreenError: Where the types differ; the message names both.
    """
    types = {name: table[key].type() for name, table in tables.items()}
    if len({"number" if kind.is_numeric() else str(kind).removeprefix("!") for kind in types.values()}) > 1:
        found = " but ".join(f"{name}.{key} is {kind}" for name, kind in types.items())
        raise EvergreenError(
            f"the tables can't be joined by {key}: {found}, and 7 is not '7' or '007'; allowed is one type: "
            "cast one of the columns in the source."
        )
