"""Counts of columns within groups of rows, such as the rows of each store: few cells, of constant size."""

from __future__ import annotations

from typing import NamedTuple

from evergreen.errors import EvergreenError
from evergreen.records import Frozen

MOST_GROUPS = 60
"""Groups that are counted by name, the largest; a table of more tells nothing of the others."""
FEWEST_ROWS = 100
"""Rows of the reference that a group needs to be counted."""
GROUP_CELLS = 16


class Inflation(NamedTuple):
    """By how much dependence inflates a column's tests within one group; see ``DesignEffect``."""

    values: float
    ranks: float
    scales: float
    windows: float | None


class GroupedColumn(Frozen):
    """One column's values within each group.

    Attributes:
        edges: Edges of the cells of numbers, which are among the column's own; empty for categories.
        levels: The most frequent categories, the others sharing one count; empty for numbers.
        counts: Finite values per cell, or values per level, of each group; shape (groups, cells).
        inflations: Of a reference: what dependence does within each group, None where too few values tell. Empty
            where rows are declared independent, and in windows.
    """

    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    counts: tuple[tuple[int, ...], ...]
    inflations: tuple[Inflation | None, ...] = ()


class GroupCounts(Frozen):
    """Counts of all columns within the values of one.

    Attributes:
        groups: The values that are counted by name, the largest of the reference first.
        rows: Rows of each.
        columns: Counts by column.
    """

    groups: tuple[str, ...]
    rows: tuple[int, ...]
    columns: dict[str, GroupedColumn]


def merge_groups(a: dict[str, GroupCounts], b: dict[str, GroupCounts]) -> dict[str, GroupCounts]:
    """Counts of both tables' rows together; a grouping that one side lacks is left out."""
    return {by: _merged(by, a[by], b[by]) for by in a if by in b}


def _merged(by: str, a: GroupCounts, b: GroupCounts) -> GroupCounts:
    if a.groups != b.groups:
        raise EvergreenError(f"Profiles to merge: the groups by {by} differ; build both parts with the same reference.")
    shared = [name for name in a.columns if name in b.columns]
    return GroupCounts(
        groups=a.groups,
        rows=tuple(x + y for x, y in zip(a.rows, b.rows, strict=True)),
        columns={name: _added(name, by, a.columns[name], b.columns[name]) for name in shared},
    )


def _added(name: str, by: str, a: GroupedColumn, b: GroupedColumn) -> GroupedColumn:
    if (a.edges, a.levels) != (b.edges, b.levels):
        raise EvergreenError(
            f"Profiles to merge: column {name} has other cells by {by} in each part; build both parts with the same "
            "reference."
        )
    pairs = zip(a.counts, b.counts, strict=True)
    counts = tuple(tuple(x + y for x, y in zip(*pair, strict=True)) for pair in pairs)
    return a.model_copy(update={"counts": counts, "inflations": a.inflations or b.inflations})
