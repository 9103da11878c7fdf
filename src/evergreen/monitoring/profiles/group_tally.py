"""Counting columns within groups of rows, batch by batch, by the codes that the columns' own tallies give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evergreen.monitoring.profiles.bins import Binner, even_cells
from evergreen.monitoring.profiles.design_effect import group_design_effects
from evergreen.monitoring.profiles.groups import (
    FEWEST_ROWS,
    GROUP_CELLS,
    MOST_GROUPS,
    GroupCounts,
    GroupedColumn,
    Inflation,
)
from evergreen.monitoring.profiles.profile import DesignEffect
from evergreen.monitoring.profiles.tally import LevelTally, NumericTally, Pieces, Tally, crossed

_CACHED_ROWS = 16_384
Cells = tuple[float, ...] | tuple[str, ...]


class GroupTally:
    """Counts of columns within the values of one, in few cells each.

    Attributes:
        names: Groups that are counted by name; all other values, and nulls, are two groups more.
        coded: By whose codes rows are dealt into groups.
        columns: A coarse tally of each column, whose pieces are groups within pieces.
    """

    def __init__(self, names: Sequence[str], cells: Mapping[str, Cells], tallies: Mapping[str, Tally], pieces: int):
        self.names = tuple(names)
        self.coded = LevelTally(self.names, 1)
        self.pieces, self.sections = pieces, len(self.names) + 2
        self.columns: dict[str, NumericTally | LevelTally] = {}
        self._coarse: dict[str, NDArray[np.int64]] = {}
        for name, chosen in cells.items():
            tally = tallies[name]
            if isinstance(tally, NumericTally):
                edges = np.asarray(chosen, np.float64)
                coarse: NumericTally | LevelTally = NumericTally(edges, pieces * self.sections)
                self._coarse[name] = _coarse_bins(tally.edges, edges)
            elif isinstance(tally, LevelTally):
                coarse = LevelTally([str(level) for level in chosen], pieces * self.sections)
                self._coarse[name] = _coarse_levels(len(tally.levels), len(chosen))
            else:
                continue
            self.columns[name] = coarse

    def add(self, groups: pa.Array, pieces: Pieces | None, codes: Mapping[str, NDArray[np.integer]]) -> None:
        """Count a batch.

        Args:
            groups: Each row's group, as text.
            pieces: Each row's piece; None for a single one.
            codes: Each row's code in each column.
        """
        sections = self.section(self.coded.add(groups, None), pieces)
        for name, tally in self.columns.items():
            for start in range(0, len(sections), _CACHED_ROWS):
                rows = slice(start, start + _CACHED_ROWS)
                cells = self._coarse[name].take(codes[name][rows])
                tally.counts += crossed(cells, sections[rows], tally.counts.shape)

    def section(self, groups: NDArray[np.integer], pieces: Pieces | None) -> NDArray[np.integer]:
        """Number of each row's group within its piece."""
        return groups if pieces is None else pieces.astype(np.int64) * self.sections + groups

    def finished(self, *, held_out: bool, ordered: bool) -> GroupCounts:
        """The finished counts; ``held_out`` pieces give their design effects."""
        return GroupCounts(
            groups=self.names,
            rows=tuple(self.coded.counts[0, : len(self.names)].tolist()),
            columns={name: self._column(tally, held_out, ordered) for name, tally in self.columns.items()},
        )

    def _column(self, tally: NumericTally | LevelTally, held_out: bool, ordered: bool) -> GroupedColumn:
        numeric = isinstance(tally, NumericTally)
        used = tally.counts[:, : -2 if numeric else -1].reshape(self.pieces, self.sections, -1)[:, : len(self.names)]
        found = group_design_effects(np.swapaxes(used, 0, 1), ordered=ordered, numeric=numeric) if held_out else ()
        return GroupedColumn(
            edges=tuple(tally.edges.tolist()) if isinstance(tally, NumericTally) else (),
            levels=tally.levels if isinstance(tally, LevelTally) else (),
            counts=tuple(map(tuple, used.sum(axis=0).tolist())),
            inflations=tuple(None if each is None else _inflation(each) for each in found),
        )


def own_cells(tally: Tally, values: NDArray[np.float64] | pa.Array) -> Cells | None:
    """Cells of about equal share that a new reference counts a column in; None for times and without values.

    Args:
        tally: The column's own.
        values: A sample of the column.
    """
    if isinstance(tally, LevelTally):
        return tally.levels[: GROUP_CELLS - 1] or None
    if not isinstance(tally, NumericTally) or not len(tally.edges):
        return None
    counts = np.bincount(Binner(tally.edges)(values[np.isfinite(values)]), minlength=len(tally.edges) + 1)
    return tuple(tally.edges[even_cells(counts, GROUP_CELLS)].tolist())


def known_cells(column: GroupedColumn) -> Cells:
    """The cells of a reference's column."""
    return column.edges or column.levels


def largest_groups(values: pa.Array, rows: int) -> list[str]:
    """Groups worth counting by name, from a sample of a table with so many rows."""
    counted = values.drop_null().value_counts().to_pylist()
    least = FEWEST_ROWS * len(values) / max(rows, 1)
    ranked = sorted(counted, key=lambda item: (-item["counts"], item["values"]))
    return [item["values"] for item in ranked[:MOST_GROUPS] if item["counts"] >= least]


def _inflation(found: DesignEffect) -> Inflation:
    values = {name: round(getattr(found, name), 3) for name in ("values", "ranks")}
    windows = None if found.windows is None else round(found.windows, 1)
    return Inflation(**values, scales=round(found.of_scales, 3), windows=windows)


def _coarse_bins(edges: NDArray[np.float64], chosen: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cell of each of a numeric tally's codes; infinities and nulls keep the last two."""
    places = np.searchsorted(edges, chosen)
    cells = np.searchsorted(places, np.arange(len(edges) + 1))
    return np.concatenate([cells, [len(chosen) + 1, len(chosen) + 2]])


def _coarse_levels(levels: int, chosen: int) -> NDArray[np.int64]:
    """Cell of each of a level tally's codes; nulls keep the last one."""
    return np.concatenate([np.minimum(np.arange(levels + 1), chosen), [chosen + 1]])
