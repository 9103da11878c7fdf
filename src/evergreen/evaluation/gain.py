"""By how much is the challenger ahead on days that came after what both had learnt?

Every judged row carries its day and its cut-off: the last day that the model which judged it had learnt. AUCs are
compared within each cut-off, never across, for base rates and models differ from one to the next. What one day does to
the difference is found by leaving the day out; days that lie close to each other are not independent, so the variance
sums over neighbours (Newey and West, Econometrica 55, 1987, with Bartlett's weights).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evergreen.evaluation.auc import Floats, aucs_without_each_block, structural_components

LAG_DAYS = 6
"""Days over which rows are taken to depend on each other: a week's round, less the day itself."""

SURE_DAYS = 28
"""Fewest days from which it is read how much days depend on each other."""

Days = NDArray[np.int64]


@dataclass(frozen=True)
class CutoffGain:
    """Champion and challenger on the rows of one cut-off.

    Attributes:
        days: Distinct days with rows, as days since 1970, ascending, shape (days,).
        aucs: The champion's and the challenger's AUC, shape (2,); NaN where a class is missing.
        weight: mn / (m + n) of m positives and n negatives: what the difference weighs.
        without: The difference without one day after the other, shape (days,).
        weights_without: Its weight then, shape (days,).
        rows: Rows.
        positives: Positive rows.
    """

    days: Days
    aucs: Floats
    weight: float
    without: Floats
    weights_without: Floats
    rows: int
    positives: int


@dataclass(frozen=True)
class Gain:
    """The challenger's gain over all cut-offs.

    Attributes:
        champion_auc: The champion's AUC, mean over cut-offs by their weight; None where no cut-off has both classes.
        challenger_auc: The challenger's, likewise.
        difference: Challenger's less champion's.
        standard_error: Its standard error, days close to each other taken as dependent.
        degrees_of_freedom: Of Student's law that the difference follows.
        information: Σ mn / (m + n) of the cut-offs.
        rows: Rows.
        positives: Positive rows.
        days: Days that carry information.
    """

    champion_auc: float | None
    challenger_auc: float | None
    difference: float
    standard_error: float
    degrees_of_freedom: float
    information: float
    rows: int
    positives: int
    days: int

    def half_width(self, alpha: float) -> float:
        """Distance of a one-sided bound at ``alpha``; infinite where alpha is 0."""
        return float(stats.t.isf(alpha, self.degrees_of_freedom)) * self.standard_error if alpha > 0 else np.inf


NO_GAIN = Gain(None, None, 0.0, np.inf, 1.0, 0.0, 0, 0, 0)


def cutoff_gain(y: NDArray[np.bool_], champion: Floats, challenger: Floats, days: Days) -> CutoffGain:
    """Compare both versions on the rows of one cut-off; all arguments of shape (rows,)."""
    distinct, code = np.unique(days, return_inverse=True)
    m, n = np.bincount(code[y], minlength=len(distinct)), np.bincount(code[~y], minlength=len(distinct))
    left = _weight(m.sum() - m, n.sum() - n)
    weight = float(_weight(m.sum(), n.sum()))
    if not weight:
        none = np.zeros(len(distinct))
        return CutoffGain(distinct, np.full(2, np.nan), 0.0, none, none, len(y), int(y.sum()))
    pair = np.stack([champion, challenger])
    with np.errstate(invalid="ignore", divide="ignore"):
        without = np.diff(aucs_without_each_block(y, pair, code), axis=0)[0]
    aucs = structural_components(y, pair).aucs
    return CutoffGain(distinct, aucs, weight, np.where(left > 0, without, 0.0), left, len(y), int(y.sum()))


def cutoff_gains(
    y: NDArray[np.bool_], champion: Floats, challenger: Floats, days: Days, cutoffs: Days
) -> list[CutoffGain]:
    """One comparison a cut-off, in their order; all arguments of shape (rows,)."""
    places = (np.flatnonzero(cutoffs == cutoff) for cutoff in np.unique(cutoffs))
    return [cutoff_gain(y[at], champion[at], challenger[at], days[at]) for at in places]


def pooled_gain(found: Sequence[CutoffGain], dependence: float | None = None) -> Gain:
    """The gain over all cut-offs: Σ w_c Δ_c / Σ w_c.

    How much days depend on each other is read from these days, which costs degrees of freedom: of G days that depend
    over L, 1.5 G / (L + 1) are left (Andrews, Econometrica 59, 1991, for the bandwidth's cost; L counts days with rows,
    so that a table of one day a week has nearly G). Where ``dependence`` is known from other days, G − 1 are.

    Args:
        found: One comparison a cut-off.
        dependence: Factor by which neighbouring days raise the variance, from :func:`dependence_of` other days.
    """
    judged = [each for each in found if each.weight > 0]
    if not judged:
        return NO_GAIN
    weights = np.array([each.weight for each in judged])
    aucs = np.average(np.stack([each.aucs for each in judged]), axis=0, weights=weights)
    moved, days = _moved_by_day(judged)
    distinct = len(np.unique(days))
    span = int(days.max() - days.min()) + 1
    alone = float(moved @ moved)
    variance = _variance_over_days(moved, days) if dependence is None else alone * dependence
    left = 1.5 * distinct / (1 + LAG_DAYS * distinct / span) if dependence is None else distinct - 1.0
    return Gain(
        champion_auc=float(aucs[0]),
        challenger_auc=float(aucs[1]),
        difference=float(aucs[1] - aucs[0]),
        standard_error=float(np.sqrt(variance)) if distinct > 1 else np.inf,
        degrees_of_freedom=max(min(distinct - 1.0, left), 1.0),
        information=float(weights.sum()),
        rows=sum(each.rows for each in judged),
        positives=sum(each.positives for each in judged),
        days=distinct,
    )


def dependence_of(found: Sequence[CutoffGain]) -> float | None:
    """Factor by which neighbouring days raise the variance of a gain, at least 1; None on fewer than ``SURE_DAYS``."""
    judged = [each for each in found if each.weight > 0]
    if not judged:
        return None
    moved, days = _moved_by_day(judged)
    alone = float(moved @ moved)
    if len(np.unique(days)) < SURE_DAYS or alone == 0:
        return None
    return max(_variance_over_days(moved, days) / alone, 1.0)


def information_of(y: NDArray[np.bool_], cutoffs: Days) -> float:
    """What judged rows will weigh, Σ mn / (m + n) over cut-offs, before any score is looked at."""
    distinct, code = np.unique(cutoffs, return_inverse=True)
    positive = np.asarray(y, dtype=bool)
    m, n = (np.bincount(code[mask], minlength=len(distinct)) for mask in (positive, ~positive))
    return float(_weight(m, n).sum())


def days_passed(days: Days, train_end: dt.date | None) -> int:
    """Days from the champion's training end to the last one judged."""
    if train_end is None or not len(days):
        return 0
    return int(days.max() - np.datetime64(train_end, "D").astype(np.int64))


def _weight(m: NDArray[np.int64], n: NDArray[np.int64]) -> Floats:
    return m * n / np.maximum(m + n, 1)


def _moved_by_day(judged: Sequence[CutoffGain]) -> tuple[Floats, Days]:
    """How far each day's absence moves the pooled gain, and the days; both of shape (days,).

    Moves are scaled so that their squares sum to the variance of independent days: days are left out within their
    cut-off, whose K days make the factor (K − 1) / K, as strata do (Rao and Shao, Biometrika 79, 1992); a cut-off of
    one day stands for itself among all.
    """
    number = sum(len(each.days) for each in judged)
    total = sum(each.weight for each in judged)
    gain = sum(each.weight * _ahead(each) for each in judged) / total
    moved = []
    for each in judged:
        rest = total - each.weight + each.weights_without
        left = total * gain - each.weight * _ahead(each) + each.weights_without * each.without
        strata = len(each.days) if len(each.days) > 1 else number
        moves = np.where(rest > 0, left / np.where(rest > 0, rest, 1.0), 0.0) - gain
        moved.append(moves * np.sqrt((strata - 1) / strata))
    return np.concatenate(moved), np.concatenate([each.days for each in judged])


def _ahead(cutoff: CutoffGain) -> float:
    return float(cutoff.aucs[1] - cutoff.aucs[0])


def _variance_over_days(moved: Floats, days: Days) -> float:
    by_day = np.bincount(days - days.min(), weights=moved)
    lags = range(1, min(LAG_DAYS + 1, len(by_day)))
    neighbours = sum((1 - lag / (LAG_DAYS + 1)) * float(by_day[lag:] @ by_day[:-lag]) for lag in lags)
    return max(float(by_day @ by_day) + 2 * neighbours, 0.0)
