"""What is a p-value worth among many?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from evergreen.errors import EvergreenError
from evergreen.evaluation.adjustment import benjamini_hochberg, holm
from evergreen.evaluation.auc import Floats

Method = Literal["holm", "benjamini_hochberg", "bonferroni"]


def adjust(p_values: ArrayLike, method: Method = "holm") -> Floats:
    """P-values adjusted for their number, in the same order and at most 1.

    Args:
        p_values: Raw p-values, shape (tests,).
        method: ``holm`` (1979) and ``bonferroni`` bound the chance of any false finding, ``benjamini_hochberg``
            (1995) the expected share of false findings.

    Raises:
        EvergreenError: Where a p-value lies outside 0 to 1 or the method is not known.
    """
    p = np.asarray(p_values, dtype=float)
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise EvergreenError("a p-value lies outside 0 to 1: adjust takes raw p-values")
    if method == "holm":
        return np.minimum(holm(p), 1.0)
    if method == "benjamini_hochberg":
        return np.minimum(benjamini_hochberg(p), 1.0)
    if method == "bonferroni":
        return np.minimum(p * len(p), 1.0)
    raise EvergreenError(f"method is {method!r}: holm, benjamini_hochberg and bonferroni are known")
