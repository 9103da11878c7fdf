"""The hypotheses of one column: how each is tested, and how large its difference is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from evergreen.monitoring.drift.effects import detectable_shares, detectable_shift, shift_from_ks, shift_from_shares
from evergreen.monitoring.profiles.profile import CategoricalColumn, DesignEffect, NumericColumn, ValueColumn
from evergreen.monitoring.profiles.two_sample import (
    Array,
    cauchy_combination,
    chi_square,
    estimated_variance_p_value,
    ks_distance,
    ks_p_value,
    normal_score_z,
    pool_rare_levels,
    pooled,
    share_p_value,
    size_factor,
    two_sided,
)

_KS_AND_RANKS = (0.2, 0.8)
"""Weights of the two tests of numbers: normal scores have the power for shifts, which are what drift mostly is."""


@dataclass(frozen=True)
class Tested:
    """One tested difference of a column, before correction for the others."""

    name: Literal["values", "nulls", "infinities"]
    p_value: float
    effect: float


def value_test(
    reference: ValueColumn,
    window: ValueColumn,
    design: DesignEffect,
) -> Tested:
    """Test whether values are distributed alike; both columns have values on the same bins.

    Numeric: Kolmogorov–Smirnov and van der Waerden, joined by the Cauchy combination, four to one for the
    scores: the one sees any change of shape, the other has the power for shifts. Categorical: chi-square of
    the 2 × k table with rare levels pooled.
    """
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    h = float(size_factor(ref.sum(), win.sum()))
    if isinstance(reference, CategoricalColumn):
        groups = pool_rare_levels(ref, win)
        return _levels_test(pooled(ref, groups), pooled(win, groups), design)
    distance = float(ks_distance(ref, win))
    p_values = [
        estimated_variance_p_value(ks_p_value(distance, h * design.values), design.windows),
        estimated_variance_p_value(two_sided(float(normal_score_z(ref, win)) / np.sqrt(design.ranks)), design.windows),
    ]
    return Tested("values", cauchy_combination(p_values, _KS_AND_RANKS), shift_from_ks(distance, h * design.values))


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
    if design.windows is not None:
        alpha = float(2 * special.ndtr(special.stdtrit(design.windows, alpha / 2)))
    if isinstance(reference, NumericColumn):
        return detectable_shift(alpha, h * design.ranks)
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    df = max(len(pool_rare_levels(ref, win)) - 1, 1)
    return detectable_shares(alpha, h * design.values, df)


def _levels_test(ref: Array, win: Array, design: DesignEffect) -> Tested:
    if len(ref) < 2:
        return Tested("values", 1.0, 0.0)
    statistic, df = chi_square(ref, win)
    p_value = estimated_variance_p_value(float(special.chdtrc(df, statistic / design.values)), design.windows)
    h = float(size_factor(ref.sum(), win.sum())) * design.values
    return Tested("values", p_value, shift_from_shares(ref, win, h))
