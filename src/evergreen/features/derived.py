"""Which features are computed from a row's own columns, by a definition of the project's own?"""

from __future__ import annotations

from collections.abc import Callable

import ibis.expr.operations as ops
import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.schema import TableSpec

DERIVED: dict[str, Callable[[ir.Table], ir.Value]] = {}
"""Name of a feature → an Ibis expression over the columns of its row, on whatever engine they lie."""

_BEYOND_THE_ROW = (ops.Analytic, ops.Reduction, ops.WindowFunction)


def with_derived(table: ir.Table, *specs: TableSpec | None) -> ir.Table:
    """A source table with the derived features that are listed and that it does not hold itself.

    Args:
        table: One row an entity (and date).
        specs: Descriptions that list features: the use case's, and that of the version that serves; None: nothing.

    Raises:
        EvergreenError: Where a definition needs a column that is missing, or looks at other rows than its own.
    """
    listed = dict.fromkeys(name for spec in specs if spec is not None for name in spec.features)
    wanted = [name for name in listed if name in DERIVED and name not in table.columns]
    return table.mutate(**{name: _value(name, table) for name in wanted}) if wanted else table


def _value(name: str, table: ir.Table) -> ir.Value:
    try:
        value = DERIVED[name](table)
    except AttributeError as error:
        raise EvergreenError(
            f"derived feature {name} cannot be computed ({error}): the table has {', '.join(table.columns)}; correct "
            "its definition in evergreen.features.derived, or take it off the list."
        ) from error
    others = value.op().find(_BEYOND_THE_ROW, filter=lambda node: not isinstance(node, ops.Relation))
    if others:
        raise EvergreenError(
            f"derived feature {name} looks beyond its own row ({type(others[0]).__name__}), at rows that may be later "
            "than it: what came before is a history, declared in YAML; compute the rest in the source."
        )
    return value
