"""May the challenger replace the champion? A statistical decision on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from evergreen.evaluation.auc import (
    AucCovariance,
    Floats,
    as_block_codes,
    as_labels,
    as_scores,
    auc_covariance,
    auc_interval,
    rarer_class_units,
)
from evergreen.evaluation.decision import DEFAULT_POLICY, Decision, PromotionDecision
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.records import Check

__all__ = [
    "DEFAULT_POLICY",
    "PromotionDecision",
    "PromotionPolicy",
    "calibration_check",
    "decide_promotion",
]

# What leads to a first champion where none was found yet.
TO_CHANGE: dict[Decision, str] = {
    "refuse": "To change it: add columns that are known before the outcome, look at the model card for what is wrong "
    "with the data, or set evaluation.promotion.",
    "undecidable": "To change it: bring more labelled rows or better columns, or set evaluation.promotion.",
}


def decide_promotion(
    y_true: ArrayLike,
    champion_scores: ArrayLike | None,
    challenger_scores: ArrayLike,
    policy: PromotionPolicy = DEFAULT_POLICY,
    blocks: ArrayLike | None = None,
    checks: Sequence[Check] = (),
) -> PromotionDecision:
    """Decide whether the challenger replaces the champion.

    It does when the one-sided lower bound of the paired difference in AUC (DeLong, by blocks leaving
    one block out, Student's quantile) is above 0, the difference itself is at least ``min_improvement``, and
    every check passed. Without a champion the lower bound of the challenger's AUC must be above the floor.
    A failed check that blocks or an upper bound under what is asked for refuses; everything between is undecidable.

    Args:
        y_true: Labels 0/1 of the judging rows, shape (rows,).
        champion_scores: The champion's scores on these rows, shape (rows,); None when there is no champion.
        challenger_scores: The challenger's scores on these rows, shape (rows,).
        policy: What the challenger must show.
        blocks: Block of each row, shape (rows,); None means that rows are independent.
        checks: Further conditions, already evaluated.

    Returns:
        The decision; data that can't decide (one class, few rows, constant scores) are ``undecidable``.

    Raises:
        EvergreenError: If labels are not 0/1, scores not finite, or lengths differ.
    """
    y = as_labels(y_true)
    codes = as_block_codes(blocks, len(y))
    challenger = as_scores(challenger_scores, len(y))
    champion = None if champion_scores is None else as_scores(champion_scores, len(y))
    evidence = _weigh(y, champion, challenger, codes, policy)
    decision, reasons = _judge(evidence, policy)
    failed = [check.sentence for check in checks if check.status == "failed"]
    if failed:
        decision, reasons = "refuse", [*failed, *reasons]
    reasons = [*reasons, *(f"Warning: {check.sentence}" for check in checks if check.status == "warning")]
    if champion is None and decision != "promote":
        reasons = [*reasons, TO_CHANGE[decision]]
    return PromotionDecision(
        decision=decision,
        against="floor" if champion is None else "champion",
        champion_auc=evidence.champion_auc,
        challenger_auc=evidence.challenger_auc,
        difference=evidence.difference,
        ci=evidence.ci,
        alpha=policy.alpha,
        power=policy.power,
        minimum_detectable_gain=evidence.minimum_detectable_gain,
        rows_needed=evidence.rows_needed,
        rows=len(y),
        positives=int(y.sum()),
        blocks=len(np.unique(codes)),
        checks=tuple(checks),
        reasons=tuple(reasons),
    )


def calibration_check(
    y_true: ArrayLike,
    scores: ArrayLike,
    policy: PromotionPolicy = DEFAULT_POLICY,
    blocks: ArrayLike | None = None,
) -> Check:
    """Whether the challenger's probabilities hold: fails when the error is *shown* to exceed what is allowed.

    The calibration error is biased upwards in small samples, so its interval's lower end decides.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores: The challenger's probabilities, shape (rows,).
        policy: Names the largest error allowed.
        blocks: Block of each row, shape (rows,).

    Returns:
        The check ``calibration``; with too few rows it passes and says so.
    """
    error = classification_metrics(y_true, scores, blocks=blocks)["expected_calibration_error"]
    allowed = policy.max_calibration_error
    if error.value is None or error.low is None or error.high is None:
        passed = error.status != "not_applicable"
        detail = f"could not be judged ({error.reason})"
    else:
        passed = error.low <= allowed
        detail = f"expected calibration error {error.value:.3f} ({error.low:.3f} to {error.high:.3f})"
    return Check(name="calibration", passed=passed, found=error.value, allowed=allowed, detail=detail)


@dataclass(frozen=True)
class _Evidence:
    """What the rows say about the gain; everything None where they say nothing, with the reason."""

    obstacle: str | None = None
    champion_auc: float | None = None
    challenger_auc: float | None = None
    difference: float | None = None
    ci: tuple[float, float] | None = None
    required: float = 0.0
    minimum_detectable_gain: float | None = None
    rows_needed: int | None = None


def _weigh(
    y: NDArray[np.bool_],
    champion: Floats | None,
    challenger: Floats,
    codes: NDArray[np.intp],
    policy: PromotionPolicy,
) -> _Evidence:
    units = rarer_class_units(y, codes)
    if units < policy.min_units_per_class:
        return _Evidence(
            obstacle=(
                f"Too few rows to decide: the rarer class stands in {units} independent rows or blocks, "
                f"at least {policy.min_units_per_class} are needed."
            ),
            rows_needed=ceil(len(y) * policy.min_units_per_class / units) if units else None,
        )
    if challenger.min() == challenger.max():
        return _Evidence(obstacle=f"The challenger gives all {len(y)} rows one score: its AUC says nothing.")
    if champion is None:
        return _against_floor(auc_covariance(y, challenger, codes), len(y), policy)
    return _against_champion(auc_covariance(y, np.stack([champion, challenger]), codes), len(y), policy)


def _against_champion(found: AucCovariance, rows: int, policy: PromotionPolicy) -> _Evidence:
    difference, error = found.contrast([-1, 1])
    half = float(stats.t.isf(policy.alpha, found.degrees_of_freedom)) * error
    return _Evidence(
        champion_auc=float(found.aucs[0]),
        challenger_auc=float(found.aucs[1]),
        difference=difference,
        ci=(difference - half, difference + half),
        required=policy.min_improvement,
        minimum_detectable_gain=max(half, policy.min_improvement) + _power_quantile(policy) * error,
        rows_needed=_rows_needed(half + _power_quantile(policy) * error, rows, policy.min_improvement),
    )


def _against_floor(found: AucCovariance, rows: int, policy: PromotionPolicy) -> _Evidence:
    auc, error = float(found.aucs[0]), found.contrast([1])[1]
    low, high = auc_interval(found, 1 - 2 * policy.alpha)[0]
    half = float(stats.t.isf(policy.alpha, found.degrees_of_freedom)) * error
    detectable = half + _power_quantile(policy) * error
    floor = policy.first_champion_floor
    return _Evidence(
        challenger_auc=auc,
        difference=auc - floor,
        ci=(low - floor, high - floor),
        minimum_detectable_gain=detectable,
        rows_needed=_rows_needed(detectable, rows, auc - floor),
    )


def _power_quantile(policy: PromotionPolicy) -> float:
    return float(stats.norm.ppf(policy.power))


def _rows_needed(detectable: float, rows: int, gain: float) -> int | None:
    """Rows at which ``gain`` would be detectable; the standard error falls with the root of the rows."""
    return ceil(rows * (detectable / gain) ** 2) if gain > 0 and detectable > 0 else None


def _judge(evidence: _Evidence, policy: PromotionPolicy) -> tuple[Decision, list[str]]:
    if evidence.ci is None or evidence.difference is None:
        return "undecidable", [str(evidence.obstacle)]
    low, high = evidence.ci
    gain = evidence.difference
    first = evidence.champion_auc is None
    whom = f"the floor of {policy.first_champion_floor:g}" if first else f"the champion's {evidence.champion_auc:.4f}"
    facts = (
        f"The challenger's AUC {evidence.challenger_auc:.4f} is {gain:+.4f} against {whom} "
        f"(bounds {low:+.4f} to {high:+.4f}, one-sided alpha {policy.alpha:.3g})."
    )
    if low > 0 and gain >= evidence.required:
        return "promote", [facts, "The lower bound is above 0 and the gain is large enough."]
    if high < evidence.required or high <= 0:
        return "refuse", [
            facts,
            f"Even the upper bound lies under the {evidence.required:g} that is asked for.",
        ]
    return "undecidable", [facts, _shortfall(evidence, policy)]


def _shortfall(evidence: _Evidence, policy: PromotionPolicy) -> str:
    asked = f"These rows find a gain of {evidence.minimum_detectable_gain:.4f} with {policy.power:.0%} power"
    if evidence.rows_needed is None:
        return f"{asked}."
    wanted = evidence.required or evidence.difference
    return f"{asked}; for one of {wanted:.4f} to clear 0 as surely about {evidence.rows_needed:,} rows are needed."
