"""How much of alpha may one look at judging rows spend, so that all looks together err no more often than stated?

Where rows have no dates, every look is a test of its own. Where they have, rows accumulate: a challenger under
judgement is asked again as days come, half of its alpha for all days since the champion's training end, half for the
newest alone, so that a steady small gain is seen and a sudden one is not outvoted by the days before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
from scipy import stats

from evergreen.evaluation.sequential import spending_bounds

LOOKS_A_YEAR = 52


def spend_alpha(alpha: float, look: int) -> float:
    """The part of ``alpha`` for one look, so that all looks together, however many, spend at most ``alpha``.

    alpha_k = alpha · 6 / (π² k²), and Σ 1/k² = π²/6; by Bonferroni's inequality the chance that any look is
    wrong stays below alpha, whatever their dependence.

    Args:
        alpha: Error rate over all looks.
        look: Number of the look, from 1.
    """
    return alpha * 6 / (pi**2 * look**2)


def alpha_of_challenger(alpha: float, challenger: int) -> float:
    """The part of ``alpha`` for one challenger of a champion: most for the first, the rest for all others.

    Args:
        alpha: Error rate over all challengers of a champion.
        challenger: Its number among them, from 1.
    """
    first = 0.85
    return alpha * first if challenger == 1 else spend_alpha(alpha * (1 - first), challenger - 1)


def alpha_of_newest(alpha: float, look: int) -> float:
    """The part of a challenger's ``alpha`` for one look at the newest days.

    A half of alpha: half of that falls with the look's number, for what a trigger has just found, half is spread
    evenly over a year of weekly looks, for what comes later.

    Args:
        alpha: The challenger's error rate over all its looks, all days included.
        look: Number of its look, from 1.
    """
    even = 1 / LOOKS_A_YEAR if look <= LOOKS_A_YEAR else 0.0
    return alpha / 2 * (spend_alpha(1.0, look) + even) / 2


def alpha_of_all_days(alpha: float, elapsed: Sequence[float], information: Sequence[float]) -> float:
    """The level at which a challenger's newest look at all days is held, 0 where there is nothing to spend.

    The other half of alpha, spent linearly over the time that was planned (Lan and DeMets, Biometrika 70, 1983;
    calendar time: Lan and DeMets, Statistics in Medicine 8, 1989): that the looks before were at a part of the
    same days is known, so that looking often costs little.

    Args:
        alpha: The challenger's error rate over all its looks, the newest days included.
        elapsed: Each look's share of the planned time since the champion's training end, ascending, at most 1.
        information: What each look rested on, ascending, in any unit.
    """
    spent = np.minimum(np.asarray(elapsed, dtype=float), 1.0) * alpha / 2
    bounds = spending_bounds(np.asarray(information, dtype=float) / information[-1], spent)
    return float(stats.norm.sf(bounds[-1]))
