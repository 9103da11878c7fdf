"""The drift statistics that there are, by name: one table, to which people add their own.

A statistic takes a column's summary in the reference and in the window, both on the same bins or levels and with
values, and the design effect of dependent rows; it gives a p-value and an effect on the common scale, or None where it
says nothing of such a column. ``drift.decides`` names the one that decides, ``drift.shows`` those shown beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evergreen.monitoring.drift.column_tests import value_test
from evergreen.monitoring.drift.effects import shift_from_cells, shift_from_ks, shift_from_shares
from evergreen.monitoring.profiles.profile import CategoricalColumn, DesignEffect, NumericColumn, ValueColumn
from evergreen.monitoring.profiles.two_sample import (
    Array,
    chi_square,
    estimated_chi_square_p_value,
    estimated_variance_p_value,
    ks_distance,
    ks_p_value,
    normal_score_z,
    pool_rare_levels,
    pooled,
    size_factor,
    squared_normal_score_z,
    two_sided,
)


@dataclass(frozen=True)
class Statistic:
    """What a statistic says of one column.

    Attributes:
        p_value: Probability of so large a difference where nothing changed.
        effect: Shift, in standard deviations, of two equal Gaussians that would be as different; 0 where unknown.
    """

    p_value: float
    effect: float


Statistics = Callable[[ValueColumn, ValueColumn, DesignEffect], Statistic | None]


def _evergreen(reference: ValueColumn, window: ValueColumn, design: DesignEffect) -> Statistic:
    found = value_test(reference, window, design)
    return Statistic(found.p_value, found.effect)


def _kolmogorov_smirnov(reference: ValueColumn, window: ValueColumn, design: DesignEffect) -> Statistic | None:
    if not isinstance(reference, NumericColumn):
        return None
    ref, win = _counts(reference, window)
    h = float(size_factor(ref.sum(), win.sum())) * max(design.values, design.ranks)
    distance = float(ks_distance(ref, win))
    return Statistic(estimated_variance_p_value(ks_p_value(distance, h), design.windows), shift_from_ks(distance, h))


def _normal_scores(reference: ValueColumn, window: ValueColumn, design: DesignEffect) -> Statistic | None:
    if not isinstance(reference, NumericColumn):
        return None
    ref, win = _counts(reference, window)
    return _score(float(normal_score_z(ref, win)), ref, win, design.ranks, design.windows)


def _klotz(reference: ValueColumn, window: ValueColumn, design: DesignEffect) -> Statistic | None:
    if not isinstance(reference, NumericColumn):
        return None
    ref, win = _counts(reference, window)
    return _score(float(squared_normal_score_z(ref, win)), ref, win, design.of_scales, design.windows)


def _chi_square(reference: ValueColumn, window: ValueColumn, design: DesignEffect) -> Statistic | None:
    if not isinstance(reference, CategoricalColumn):
        return None
    ref, win = _counts(reference, window)
    groups = pool_rare_levels(ref, win)
    ref, win = pooled(ref, groups), pooled(win, groups)
    if len(groups) < 2:
        return None
    statistic, df = chi_square(ref, win)
    h = float(size_factor(ref.sum(), win.sum())) * design.values
    p_value = estimated_chi_square_p_value(float(statistic / design.values), df, design.windows)
    return Statistic(p_value, shift_from_shares(ref, win, h))


def _score(z: float, ref: Array, win: Array, inflation: float, windows: float | None) -> Statistic:
    h = float(size_factor(ref.sum(), win.sum())) * inflation
    p_value = estimated_variance_p_value(two_sided(z / np.sqrt(inflation)), windows)
    return Statistic(p_value, shift_from_cells(ref, win, h))


def _counts(reference: ValueColumn, window: ValueColumn) -> tuple[Array, Array]:
    return np.asarray(reference.counts, float), np.asarray(window.counts, float)


STATISTICS: dict[str, Statistics] = {
    "evergreen": _evergreen,
    "kolmogorov_smirnov": _kolmogorov_smirnov,
    "normal_scores": _normal_scores,
    "klotz": _klotz,
    "chi_square": _chi_square,
}
"""Name → statistic. ``evergreen`` joins the others; where the one that decides says nothing of a column, it does."""


def deciding(name: str, reference: ValueColumn, window: ValueColumn, design: DesignEffect) -> Statistic:
    """What the statistic that decides says, or ``evergreen`` where that says nothing of such a column."""
    found = STATISTICS[name](reference, window, design)
    return _evergreen(reference, window, design) if found is None else found


def shown_beside(
    names: tuple[str, ...], reference: ValueColumn, window: ValueColumn, design: DesignEffect
) -> dict[str, Statistic]:
    """What the other statistics say, by name, as far as they say anything of such a column."""
    found = {name: STATISTICS[name](reference, window, design) for name in names}
    return {name: each for name, each in found.items() if each is not None}
