"""p-values adjusted for being many."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from evergreen.evaluation.auc import Floats


def holm(p_values: ArrayLike) -> Floats:
    """P-values adjusted by Holm's step-down (1979): the chance of any false finding stays under the level.

    Args:
        p_values: Raw p-values, shape (tests,).

    Returns:
        Adjusted p-values in the same order.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _in_place(order, stepped)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """P-values adjusted by Benjamini and Hochberg (1995): the expected share of false findings is bounded.

    Args:
        p_values: Raw p-values, shape (tests,).

    Returns:
        Adjusted p-values in the same order.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)[::-1]
    stepped = np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1))
    return _in_place(order, stepped)


def _in_place(order: np.ndarray, stepped: Floats) -> Floats:
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
