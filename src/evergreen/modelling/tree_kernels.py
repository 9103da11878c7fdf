"""The leaves of many trees, summed up in machine code; compiled once a machine and read from numba's cache."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

_TREES = "i4[::1], f8[::1], i4[::1], i4[::1], f8[::1], i4[::1], f8, f8"
_ROWS_TOGETHER = 256


@njit(f"f8(f8[::1], {_TREES})", cache=True, nogil=True)
def _one(x, feature, threshold, left, right, value, roots, start, rate):  # type: ignore[no-untyped-def]
    total = start
    for root in roots:
        node = root
        while left[node] >= 0:
            node = left[node] if x[feature[node]] <= threshold[node] else right[node]
        total += rate * value[node]
    return total


@njit(f"f8[::1](f8[:, ::1], {_TREES})", cache=True, nogil=True)
def _many(X, feature, threshold, left, right, value, roots, start, rate):  # type: ignore[no-untyped-def]
    total = np.full(len(X), start)
    for first in range(0, len(X), _ROWS_TOGETHER):
        last = min(first + _ROWS_TOGETHER, len(X))
        for root in roots:
            for row in range(first, last):
                node = root
                while left[node] >= 0:
                    node = left[node] if X[row, feature[node]] <= threshold[node] else right[node]
                total[row] += rate * value[node]
    return total


class NumbaTrees:
    """See :class:`evergreen.modelling.predictor.TreeKernel`."""

    def one(self, x: np.ndarray, trees: Mapping[str, np.ndarray], start: float, rate: float) -> float:
        """One row (k,)."""
        return float(_one(x, *_arrays(trees), start, rate))

    def many(self, X: np.ndarray, trees: Mapping[str, np.ndarray], start: float, rate: float) -> np.ndarray:
        """Many rows (n, k), C-contiguous: a block of rows a tree, so that the tree stays in the cache."""
        return np.asarray(_many(X, *_arrays(trees), start, rate))


def _arrays(trees: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    t = trees
    return t["feature"], t["threshold"], t["left"], t["right"], t["value"], t["roots"]
