"""Did each variant meet as many units as it should?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.experiments.assignment import check_weights

MISMATCH_P = 0.001


@dataclass(frozen=True)
class SampleRatio:
    """Did each variant meet as many units as its weight promises?

    Attributes:
        statistic: Chi-square.
        degrees_of_freedom: Variants with a weight, less one.
        p_value: Chance of shares at least this far off.
        mismatch: Whether the comparison is not to be believed.
        expected: Units that the weights promise each variant.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    mismatch: bool
    expected: dict[str, float]


def sample_ratio_test(counts: Mapping[str, int], weights: Mapping[str, float]) -> SampleRatio:
    """Sample ratio mismatch: Σ (O − N w)² / (N w) against chi-square (Kohavi, Tang and Xu 2020, chapter 21).

    Args:
        counts: Units that met each variant; one that is not named met none.
        weights: Weight of each variant; they need not add up to 1.

    Raises:
        EvergreenError: Where a count is negative, a variant without weight or unknown met units, or nobody met any.
    """
    check_weights(weights)
    for name, count in counts.items():
        if count < 0:
            raise EvergreenError(f"variant {name} has {count} units: a count isn't negative")
        if count and not weights.get(name):
            raise EvergreenError(
                f"variant {name} has {count} units and no weight: it should have met nobody; "
                "mend the assignment, or the weights that are said here"
            )
    total = sum(counts.values())
    if not total:
        raise EvergreenError("no variant has a single unit: wait for traffic")
    live = {name: weight for name, weight in weights.items() if weight > 0}
    promised = {name: total * weight / sum(live.values()) for name, weight in live.items()}
    statistic = float(np.sum([(counts.get(name, 0) - n) ** 2 / n for name, n in promised.items()]))
    freedom = len(live) - 1
    p_value = float(stats.chi2.sf(statistic, freedom)) if freedom else 1.0
    return SampleRatio(statistic, freedom, p_value, p_value < MISMATCH_P, promised)
