"""A model judged on rows that it has not seen, and the record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evergreen.evaluation.auc import auc_covariance
from evergreen.evaluation.comparison import PairComparison, compare_models
from evergreen.evaluation.metrics import Metric
from evergreen.evaluation.promotion import (
    PromotionDecision,
    PromotionPolicy,
    calibration_check,
    decide_promotion,
)
from evergreen.evaluation.slice_gates import slice_check
from evergreen.evaluation.slices import SliceMetric, SlicePolicy, slice_groups
from evergreen.records import Check, Frozen, Record
from evergreen.rows.labelled import LabelledRows

LOGISTIC_REGRESSION = "LogisticRegression"


@dataclass(frozen=True)
class ScoredRows:
    """Test rows with the probabilities of the judged version and of every other algorithm of its leaderboard.

    Attributes:
        test: The test rows; their ``spec``, ``label`` and ``bounds`` are the version's.
        scores: Probability of class 1 per algorithm, each of shape (rows,).
        thresholds: Decision threshold per algorithm.
        algorithm: The judged version's algorithm.
    """

    test: LabelledRows
    scores: dict[str, np.ndarray]
    thresholds: dict[str, float]
    algorithm: str

    @property
    def judged(self) -> np.ndarray:
        """The judged version's scores."""
        return self.scores[self.algorithm]


class PromotionOutcome(Frozen):
    """What became of the challenger.

    Attributes:
        outcome: ``promoted``; ``refused``; ``undecidable``; or ``standing`` where the judged version serves already.
        champion_before: The champion when the decision was made, or None.
        champion_after: The champion now.
        decision: The statistical decision with its numbers; None where there was nothing to decide.
    """

    outcome: Literal["promoted", "refused", "undecidable", "standing"]
    champion_before: str | None
    champion_after: str | None
    decision: PromotionDecision | None


class EvaluationRecord(Record):
    """``evaluation.json``; ``status`` is the promotion's outcome.

    Attributes:
        version: The judged version.
        algorithm: Its algorithm.
        threshold: Probability from which a row is predicted 1.
        n_test: Rows in the test window.
        metrics: ``test`` and ``train`` (out of fold), each name → value with interval.
        test_roc_auc: Test ROC AUC of every algorithm of the leaderboard.
        slices: Groups of rows with their AUC.
        comparisons: Pairs of the best algorithms with their tests.
        beats_logistic_regression: In words, whether the judged version is better than the plain baseline.
        promotion: The decision about the champion.
    """

    version: str
    algorithm: str
    threshold: float
    n_test: int
    metrics: dict[str, dict[str, Metric]]
    test_roc_auc: dict[str, float | None]
    slices: list[SliceMetric]
    comparisons: list[PairComparison]
    beats_logistic_regression: str
    promotion: PromotionOutcome


def roc_auc_by_algorithm(scored: ScoredRows) -> dict[str, float | None]:
    """Test ROC AUC of every algorithm; None where only one class is there."""
    y = scored.test.y
    if y.min() == y.max():
        return dict.fromkeys(scored.scores)
    found = auc_covariance(y, np.stack(list(scored.scores.values())), scored.test.blocks)
    return dict(zip(scored.scores, map(float, found.aucs), strict=True))


def against_logistic_regression(scored: ScoredRows) -> str:
    """Say whether the judged version beats the plain logistic regression."""
    if scored.algorithm == LOGISTIC_REGRESSION:
        return "The judged version is the logistic regression itself: nothing more complex was worth it."
    if LOGISTIC_REGRESSION not in scored.scores:
        return "No logistic regression was trained beside it: there is no plain baseline."
    pair = {name: scored.scores[name] for name in (scored.algorithm, LOGISTIC_REGRESSION)}
    return compare_models(scored.test.y, pair, scored.thresholds, blocks=scored.test.blocks)[0].sentence


def judge_first(scored: ScoredRows, policy: PromotionPolicy, checks: Sequence[Check] = ()) -> PromotionDecision:
    """Decide about a first champion: its AUC on the test window against the floor."""
    y, blocks = scored.test.y, scored.test.blocks
    calibration = calibration_check(y, scored.judged, policy, blocks)
    return decide_promotion(y, None, scored.judged, policy, blocks, [*checks, calibration])


def judge_challenger(
    rows: LabelledRows,
    champion_scores: np.ndarray,
    challenger_scores: np.ndarray,
    policy: PromotionPolicy,
    slices: SlicePolicy,
    checks: Sequence[Check] = (),
) -> PromotionDecision:
    """Decide between champion and challenger on rows that neither has seen, no slice and no calibration getting worse.

    Args:
        rows: Judging rows, labelled.
        champion_scores: The champion's probabilities, shape (rows,).
        challenger_scores: The challenger's probabilities, shape (rows,).
        policy: What the challenger must show.
        slices: How rows are sliced.
        checks: Further conditions, already evaluated.
    """
    y, blocks, spec = rows.y, rows.blocks, rows.spec
    own: list[Check] = []
    if 0 < y.sum() < len(y):
        groups = slice_groups(rows.X, spec.categorical, spec.numeric, slices)
        own = [
            calibration_check(y, challenger_scores, policy, blocks),
            slice_check(y, champion_scores, challenger_scores, groups, policy, blocks),
        ]
    return decide_promotion(y, champion_scores, challenger_scores, policy, blocks, [*checks, *own])
