"""Which columns a table must have, said in one sentence when it doesn't."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import ibis.expr.types as ir

from evergreen.errors import EvergreenError


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
