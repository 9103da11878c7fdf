"""Is any slice too bad to promote the model? Gates that noise over many slices does not trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from evergreen.evaluation.auc import (
    Floats,
    as_block_codes,
    as_labels,
    as_scores,
    auc_covariance,
    rarer_class_units,
    share_interval,
)
from evergreen.evaluation.decision import DEFAULT_POLICY
from evergreen.evaluation.parameters import PromotionPolicy, SlicePolicy
from evergreen.evaluation.slices import DEFAULT_SLICES, SliceMetric, each_slice
from evergreen.records import Check


def auc_gate(slices: Sequence[SliceMetric], policy: SlicePolicy = DEFAULT_SLICES) -> Check:
    """Whether every slice can reach ``min_auc``.

    A slice breaks the gate when its upper bound at ``alpha`` over the number of slices (Bonferroni) lies
    below: over many slices some look bad by chance.
    """
    judged = [row for row in slices if row.roc_auc is not None]
    if not judged:
        return _nothing_to_judge("slice_auc", policy.min_auc)
    bounds = [_bounds(row, policy.alpha / len(judged))[1] for row in judged]
    index = int(np.argmin(bounds))
    row, bound = judged[index], bounds[index]
    return Check(
        name="slice_auc",
        passed=bound >= policy.min_auc,
        found=row.roc_auc,
        allowed=policy.min_auc,
        at_least=True,
        detail=(
            f"of {len(judged)} slices {row.column} = {row.group} is worst: AUC {row.roc_auc:.3f}, at best {bound:.3f}"
        ),
    )


def gap_gate(
    slices: Sequence[SliceMetric],
    policy: SlicePolicy = DEFAULT_SLICES,
    champions: Sequence[SliceMetric] = (),
) -> Check:
    """Whether two groups of one column differ in AUC by more than ``max_gap``.

    Groups of columns that a person named (``held_strictly``) must not differ by more in what was found. In any other
    column a pair breaks the gate when its gap is more than chance among so many slices allows – their joint intervals
    lie further apart – and the champion's gap between the same groups is smaller. Where there is no champion to compare
    with, such a gap is a warning: groups differ by nature, and only a person knows which must not.

    Args:
        slices: The judged version's slices.
        policy: Limits.
        champions: The champion's slices on the same rows; none for a first champion.
    """
    judged = [row for row in slices if row.roc_auc is not None]
    pairs = [pair for _, rows in groupby(judged, lambda row: row.column) for pair in combinations(list(rows), 2)]
    if not pairs:
        return _nothing_to_judge("slice_gap", policy.max_gap)
    aucs = {(row.column, row.group): row.roc_auc for row in champions}
    level = policy.alpha / (2 * len(judged))
    gaps = [_gap(a, b, level, aucs, a.column in policy.held_strictly) for a, b in pairs]
    gap = max(gaps, key=lambda gap: (gap.breaks(policy.max_gap), gap.sure))
    return Check(
        name="slice_gap",
        passed=not gap.breaks(policy.max_gap),
        found=gap.found,
        allowed=policy.max_gap,
        detail=gap.sentence(len(judged)),
        what_to_do="look at these rows; evaluation.slices.held_strictly names columns in which it must not be",
        blocks=gap.strict or bool(champions),
    )


@dataclass(frozen=True)
class _Gap:
    """Two groups of one column.

    Attributes:
        better: The group with the larger AUC.
        worse: The other.
        sure: The least that the gap is, by intervals that hold for all slices at once.
        champions: The champion's gap between them; None where it has none.
        strict: Whether a person named the column.
    """

    better: SliceMetric
    worse: SliceMetric
    sure: float
    champions: float | None
    strict: bool

    @property
    def found(self) -> float:
        return (self.better.roc_auc or 0.0) - (self.worse.roc_auc or 0.0)

    def breaks(self, allowed: float) -> bool:
        if self.strict:
            return self.found > allowed
        return self.sure > allowed and (self.champions is None or self.champions < self.found)

    def sentence(self, slices: int) -> str:
        champion = "" if self.champions is None else f"; the champion's is {self.champions:.3f}"
        held = "held strictly" if self.strict else f"at least {max(self.sure, 0):.3f} among {slices} slices"
        return (
            f"the surest gap is in {self.worse.column}: AUC {self.worse.roc_auc:.3f} for {self.worse.group} and "
            f"{self.better.roc_auc:.3f} for {self.better.group}, {held}{champion}"
        )


def _gap(
    a: SliceMetric, b: SliceMetric, level: float, champions: Mapping[tuple[str, str], float | None], strict: bool
) -> _Gap:
    better, worse = sorted((a, b), key=lambda row: -(row.roc_auc or 0.0))
    known = [champions.get((row.column, row.group)) for row in (better, worse)]
    gap = None if known[0] is None or known[1] is None else known[0] - known[1]
    return _Gap(better, worse, _bounds(better, level)[0] - _bounds(worse, level)[1], gap, strict)


def slice_check(
    y_true: ArrayLike,
    champion_scores: ArrayLike,
    challenger_scores: ArrayLike,
    groups: Mapping[str, ArrayLike],
    policy: PromotionPolicy = DEFAULT_POLICY,
    blocks: ArrayLike | None = None,
) -> Check:
    """Whether any slice loses more AUC than allowed, beyond what noise over that many slices explains.

    In each slice the paired difference in AUC gets an upper bound at ``alpha`` divided by the number of
    slices judged (Bonferroni); a slice fails when even that bound lies under ``-max_slice_loss``. Slices with
    too few rows of a class are left out.

    Args:
        y_true: Labels 0/1, shape (rows,).
        champion_scores: The champion's scores, shape (rows,).
        challenger_scores: The challenger's scores, shape (rows,).
        groups: Group of each row for every column, each of shape (rows,); see ``slices.slice_groups``.
        policy: Names the largest loss allowed.
        blocks: Block of each row, shape (rows,).

    Returns:
        The check ``slices``; ``found`` is the worst slice's difference.
    """
    y = as_labels(y_true)
    codes = as_block_codes(blocks, len(y))
    pair = np.stack([as_scores(champion_scores, len(y)), as_scores(challenger_scores, len(y))])
    losses = _slice_differences(y, pair, groups, codes, policy)
    allowed = policy.max_slice_loss
    if not losses:
        detail = f"no slice has {policy.min_units_per_class} independent rows of each class, so none was judged"
        return Check(name="slices", passed=True, allowed=allowed, detail=detail)
    level = policy.alpha / len(losses)
    worst = min(losses, key=lambda loss: loss.upper_bound(level))
    passed = worst.upper_bound(level) >= -allowed
    detail = (
        f"of {len(losses)} slices {worst.name} fares worst: difference in AUC {worst.difference:+.3f}, at best "
        f"{worst.upper_bound(level):+.3f}"
    )
    return Check(name="slices", passed=passed, found=worst.difference, allowed=-allowed, at_least=True, detail=detail)


@dataclass(frozen=True)
class _SliceDifference:
    """Challenger's AUC less the champion's in one slice."""

    name: str
    difference: float
    standard_error: float
    degrees_of_freedom: int

    def upper_bound(self, alpha: float) -> float:
        """One-sided upper bound at level ``alpha``."""
        return self.difference + float(stats.t.isf(alpha, self.degrees_of_freedom)) * self.standard_error


def _slice_differences(
    y: NDArray[np.bool_],
    pair: Floats,
    groups: Mapping[str, ArrayLike],
    codes: NDArray[np.intp],
    policy: PromotionPolicy,
) -> list[_SliceDifference]:
    found = []
    for column, group, rows in each_slice(groups):
        if rarer_class_units(y[rows], codes[rows]) >= policy.min_units_per_class:
            here = auc_covariance(y[rows], pair[:, rows], codes[rows])
            difference, error = here.contrast([-1, 1])
            found.append(_SliceDifference(f"{column} = {group}", difference, error, here.degrees_of_freedom))
    return found


def _bounds(row: SliceMetric, alpha: float) -> tuple[float, float]:
    """One-sided bounds of a slice's AUC, each at ``alpha``."""
    quantile = float(stats.t.isf(alpha, row.units - 1))
    return share_interval(row.roc_auc or 0.0, row.standard_error or 0.0, row.units, quantile)


def _nothing_to_judge(name: str, allowed: float) -> Check:
    detail = "no slice has enough rows of each class, so none was judged"
    return Check(name=name, passed=True, allowed=allowed, detail=detail)
