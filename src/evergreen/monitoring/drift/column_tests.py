"""The hypotheses of one column: how each is tested, and how large its difference is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from evergreen.monitoring.drift.effects import (
    detectable_shares,
    detectable_shift,
    detectable_spread,
    shift_from_cells,
    shift_from_ks,
    shift_from_shares,
)
from evergreen.monitoring.profiles.profile import (
    UNSEEN_LEVELS_KEPT,
    CategoricalColumn,
    DesignEffect,
    NumericColumn,
    ValueColumn,
)
from evergreen.monitoring.profiles.two_sample import (
    Array,
    border_share,
    cauchy_combination,
    chi_square,
    estimated_chi_square_p_value,
    estimated_variance_p_value,
    fisher_p_value,
    ks_distance,
    ks_p_value,
    loudest_level,
    normal_score_z,
    pool_rare_levels,
    pooled,
    share_p_value,
    size_factor,
    squared_normal_score_z,
    two_sided,
)

_KS_RANKS_SCALES = (0.1, 0.6, 0.3)
"""Weights of the tests of numbers: normal scores have the power for shifts, which are what drift mostly is; their
squares see spread and tails, and Kolmogorov–Smirnov any other change of shape."""
_UNNAMED_WEIGHT = 0.2
"""Part of a categorical column's level for the levels that are not counted by name."""


@dataclass(frozen=True)
class Tested:
    """One tested difference of a column, before correction for the others.

    Attributes:
        name: What was tested.
        p_value: Of the test that decides.
        effect: How large the difference is that was tested; small ones raise no alarm.
        seen: How large the difference from the reference is, which is what people see drawn, where it is another one.
    """

    name: Literal["values", "nulls", "infinities"]
    p_value: float
    effect: float
    seen: float = 0.0


def value_test(
    reference: ValueColumn,
    window: ValueColumn,
    design: DesignEffect,
) -> Tested:
    """Test whether values are distributed alike; both columns have values on the same bins.

    Numeric: Kolmogorov–Smirnov, van der Waerden's normal scores and Klotz' squared ones, joined by the Cauchy
    combination. Where rows depend on each other the squared distance of Kolmogorov and Smirnov has a heavier tail
    than Kolmogorov's, so it takes the larger inflation of its own and the scores'. The effect is the larger of those
    on the distribution function and on quantile cells. Categorical: chi-square of the 2 × k table with rare levels
    pooled, joined where rows are independent by Fisher's exact test of the level that differs most, which sees what
    moved to one level of many; Bonferroni corrects it for the choice.
    """
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    h = float(size_factor(ref.sum(), win.sum()))
    if isinstance(reference, CategoricalColumn) and isinstance(window, CategoricalColumn):
        return _levels_test(reference, window, design)
    distance = float(ks_distance(ref, win))
    slow = max(design.values, design.ranks)
    known = [
        ks_p_value(distance, h * slow),
        two_sided(float(normal_score_z(ref, win)) / np.sqrt(design.ranks)),
        two_sided(float(squared_normal_score_z(ref, win)) / np.sqrt(design.of_scales)),
    ]
    p_values = [estimated_variance_p_value(p_value, design.windows) for p_value in known]
    cells = shift_from_cells(ref, win, h * max(slow, design.of_scales))
    return Tested(
        "values",
        cauchy_combination(p_values, _KS_RANKS_SCALES),
        max(shift_from_ks(distance, h * design.values), cells),
    )


def share_test(
    name: Literal["nulls", "infinities"], reference: ValueColumn, window: ValueColumn, design: DesignEffect
) -> Tested:
    """Test whether the share of rows that are null, or infinite, is the same."""
    hits = np.array([getattr(reference, name), getattr(window, name)], float)
    rows = np.array([reference.rows, window.rows], float)
    ref, win = np.stack([hits, rows - hits], axis=-1)
    p_value = estimated_variance_p_value(share_p_value(ref, win, design.nulls), design.windows)
    return Tested(name, p_value, shift_from_shares(ref, win, float(size_factor(*rows)) * design.nulls))


def minimum_detectable_effect(
    reference: ValueColumn,
    window: ValueColumn,
    design: DesignEffect,
    alpha: float,
) -> float | None:
    """Effect on the values found with 80 % power at level ``alpha``; None where a side has no values."""
    if not reference.count or not window.count:
        return None
    h = float(size_factor(reference.count, window.count))
    if isinstance(reference, NumericColumn):
        return detectable_shift(_known_variance_level(alpha, design), h * design.ranks)
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    df = max(len(pool_rare_levels(ref, win, border_share=_border_share(reference))) - 1, 1)
    return detectable_shares(alpha, h * design.values, df, design.windows)


def minimum_detectable_spread(
    reference: ValueColumn, window: ValueColumn, design: DesignEffect, alpha: float
) -> float | None:
    """Ratio of standard deviations found with 80 % power at ``alpha``; None for categories and without values."""
    if not isinstance(reference, NumericColumn) or not reference.count or not window.count:
        return None
    h = float(size_factor(reference.count, window.count))
    return detectable_spread(_known_variance_level(alpha, design), h * design.of_scales)


def _known_variance_level(alpha: float, design: DesignEffect) -> float:
    """The level of the normal distribution whose quantile is Student's at ``alpha``."""
    if design.windows is None:
        return alpha
    return float(2 * special.ndtr(special.stdtrit(design.windows, alpha / 2)))


def _border_share(column: CategoricalColumn) -> float:
    """See :class:`CategoricalColumn`; where a profile doesn't know it, four standard errors above its rarest level."""
    if column.border_share is not None or not column.levels or not column.counts[-1]:
        return column.border_share or 0.0
    return border_share(min(column.counts[:-1]), column.count)


def _levels_test(reference: CategoricalColumn, window: CategoricalColumn, design: DesignEffect) -> Tested:
    """Chi-square of the named levels, and a test of the level without a name that differs most."""
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    groups = pool_rare_levels(ref, win, border_share=_border_share(reference))
    named, unnamed = _named_levels_test(pooled(ref, groups), pooled(win, groups), design), None
    for level in reference.unseen | window.unseen:
        found = _unnamed_level_test(level, reference, window, design)
        unnamed = found if unnamed is None or found.p_value < unnamed.p_value else unnamed
    if unnamed is None:
        return named
    p_values = named.p_value / (1 - _UNNAMED_WEIGHT), unnamed.p_value / _UNNAMED_WEIGHT
    speaking = unnamed.effect if p_values[1] < p_values[0] else 0.0
    return Tested("values", min(1.0, *p_values), max(named.effect, speaking))


def _named_levels_test(ref: Array, win: Array, design: DesignEffect) -> Tested:
    if len(ref) < 2:
        return Tested("values", 1.0, 0.0)
    statistic, df = chi_square(ref, win)
    p_value = estimated_chi_square_p_value(float(statistic / design.values), df, design.windows)
    h = float(size_factor(ref.sum(), win.sum())) * design.values
    effect = shift_from_shares(ref, win, h)
    if design.windows is not None:  # how much single levels move from window to window isn't known
        return Tested("values", p_value, effect)
    level = loudest_level(ref, win)
    alone = min(1.0, len(ref) * fisher_p_value(ref, win, level))
    two = np.array([[side[level], side.sum() - side[level]] for side in (ref, win)])
    return Tested("values", cauchy_combination([p_value, alone]), max(effect, shift_from_shares(two[0], two[1], h)))


def _unnamed_level_test(
    level: str, reference: CategoricalColumn, window: CategoricalColumn, design: DesignEffect
) -> Tested:
    """Test a level that has no count of its own, by the counts that are remembered of such levels.

    A level that is not remembered has at most the smallest count that is. As many levels as could have this one's
    rows among all rows without a name share the p-value (Bonferroni).
    """
    rows = np.array([reference.count, window.count], float)
    hits = np.array([_remembered(level, column) for column in (reference, window)])
    ref, win = np.stack([hits, rows - hits], axis=-1)
    others = reference.counts[-1] + window.counts[-1]
    p_value = estimated_variance_p_value(share_p_value(ref, win, design.values), design.windows)
    h = float(size_factor(*rows)) * design.values
    return Tested("values", min(1.0, p_value * max(others / hits.sum(), 1.0)), shift_from_shares(ref, win, h))


def _remembered(level: str, column: CategoricalColumn) -> float:
    if level in column.unseen or len(column.unseen) < UNSEEN_LEVELS_KEPT:
        return float(column.unseen.get(level, 0))
    return float(min(column.unseen.values()))
