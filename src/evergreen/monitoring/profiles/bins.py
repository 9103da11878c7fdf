"""Bins of a numeric column: edges at its quantiles, and the fast way from values to bin numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LARGEST = np.finfo(float).max
_GRID_CELLS = 8192
_STEPS_AT_MOST = 4
_CACHED_ROWS = 32_768


def quantile_edges(values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Strictly increasing edges at the quantiles of ``values``; bin i is ``edge[i-1] < x <= edge[i]``.

    A column with at most ``bins`` distinct values gets one bin a value. In a mixed column each value that
    holds more than one bin's share gets a bin of its own, so that ties are read exactly. The first bin holds
    what lies below the smallest value, the last what lies above the largest.

    Args:
        values: Finite values, shape (n,).
        bins: Number of quantile bins to aim for.
    """
    if not len(values):
        return np.empty(0)
    ordered = np.sort(values)
    below = np.nextafter(ordered[:1], -_LARGEST)
    new = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1  # a difference of finite values may not be finite
    starts = np.concatenate([[0], new])
    if len(starts) <= bins:
        return np.unique(np.concatenate([below, ordered[starts]]))
    ranks = np.linspace(0, len(ordered) - 1, bins).astype(int)
    sizes = np.diff(np.concatenate([starts, [len(ordered)]]))
    atoms = ordered[starts[sizes > len(ordered) / bins]]
    return np.unique(np.concatenate([below, ordered[ranks], atoms, np.nextafter(atoms, -_LARGEST)]))


def even_cells(counts: NDArray, most: int) -> NDArray[np.intp]:
    """Numbers of the edges that bound at most ``most`` cells of about equal share.

    Args:
        counts: Values per bin, one more than there are edges.
        most: Cells, the outermost two of which hold what lies beyond all edges.
    """
    if len(counts) <= most:
        return np.arange(len(counts) - 1)
    before = np.cumsum(counts)[:-1]
    steps = most - 2
    targets = -(-int(before[-1]) * np.arange(steps + 1) // steps)  # whole numbers, so that coarse edges are fine ones
    return np.unique(np.searchsorted(before, targets).clip(max=len(before) - 1))


class Binner:
    """Bin numbers of values: ``np.searchsorted(edges, x, side="left")``, several times faster.

    An even grid over the edges leads each value to the first edge that it may not exceed; comparing with the
    few edges inside its cell does the rest. Exact, because the grid's cell number never falls as x grows.
    Edges too uneven for the grid are searched as numpy does.
    """

    def __init__(self, edges: NDArray[np.float64]) -> None:
        self.edges = edges
        self._steps = _STEPS_AT_MOST + 1
        if len(edges) < 2:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            self._scale = (_GRID_CELLS - 2) / (edges[-1] - edges[0])
            if not np.isfinite(self._scale) or self._scale == 0:
                return
            cells = self._cells(edges)
        per_cell = np.bincount(cells, minlength=_GRID_CELLS)
        self._steps = int(per_cell.max())
        self._first = (np.cumsum(per_cell) - per_cell).astype(np.int32)
        self._padded = np.concatenate([edges, [np.inf]])

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.integer]:
        """Bin number of each finite value, shape (n,)."""
        if self._steps > _STEPS_AT_MOST:
            return np.searchsorted(self.edges, values, side="left")
        numbers = np.empty(len(values), np.int32)
        for start in range(0, len(values), _CACHED_ROWS):
            part = values[start : start + _CACHED_ROWS]
            found = self._first[self._cells(part)]
            for _ in range(self._steps):
                found += self._padded[found] < part
            numbers[start : start + _CACHED_ROWS] = found
        return numbers

    def _cells(self, values: NDArray[np.float64]) -> NDArray[np.int32]:
        scaled = (np.clip(values, self.edges[0], self.edges[-1]) - self.edges[0]) * self._scale
        return scaled.astype(np.int32) + (values > self.edges[-1])
