"""How much error may each of many looks at the same judging rows spend?"""

from __future__ import annotations

from math import pi


def spend_alpha(alpha: float, look: int) -> float:
    """The part of ``alpha`` for one look, so that all looks together, however many, spend at most ``alpha``.

    alpha_k = alpha · 6 / (π² k²), and Σ 1/k² = π²/6; by Bonferroni's inequality the chance that any look is
    wrong stays below alpha, whatever their dependence.

    Args:
        alpha: Error rate over all looks.
        look: Number of the look, from 1.
    """
    return alpha * 6 / (pi**2 * look**2)
