"""Is the challenger better? A version judged on rows that it has not seen, and the record of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evergreen.evaluation.accumulating import JudgedDays, Look, decide_accumulating
from evergreen.evaluation.auc import structural_components
from evergreen.evaluation.behaviour import Predict, behaviour_checks
from evergreen.evaluation.comparison import PairComparison, compare_models
from evergreen.evaluation.decision import Evidence, PromotionDecision
from evergreen.evaluation.metrics import Metric
from evergreen.evaluation.parameters import EvaluationParameters, PromotionPolicy
from evergreen.evaluation.promotion import calibration_check, decide_promotion
from evergreen.evaluation.slice_gates import auc_gate, gap_gate, slice_check
from evergreen.evaluation.slices import SliceMetric, slice_groups, slice_metrics
from evergreen.evaluation.spending import alpha_of_challenger, spend_alpha
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
        outcome: ``promoted``; ``refreshed``; ``refused``; ``undecidable``; or ``standing`` where the judged version
            serves already.
        champion_before: The champion when the decision was made, or None.
        champion_after: The champion now.
        decision: The statistical decision with its numbers; None where there was nothing to decide.
    """

    outcome: Literal["promoted", "refreshed", "refused", "undecidable", "standing"]
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


def evaluation_record(
    use_case: str,
    version: str,
    scored: ScoredRows,
    metrics: dict[str, dict[str, Metric]],
    slices: list[SliceMetric],
    comparisons: list[PairComparison],
    promotion: PromotionOutcome,
) -> EvaluationRecord:
    """Put the figures of a judged version together; arguments as of the record."""
    return EvaluationRecord(
        use_case=use_case, as_of=scored.test.as_of, status=promotion.outcome, version=version,
        algorithm=scored.algorithm, threshold=scored.thresholds[scored.algorithm], n_test=len(scored.test.y),
        metrics=metrics, test_roc_auc=roc_auc_by_algorithm(scored), slices=slices, comparisons=comparisons,
        beats_logistic_regression=against_logistic_regression(scored), promotion=promotion,
    )  # fmt: skip


def roc_auc_by_algorithm(scored: ScoredRows) -> dict[str, float | None]:
    """Test ROC AUC of every algorithm; None where only one class is there."""
    y = scored.test.y
    if y.min() == y.max():
        return dict.fromkeys(scored.scores)
    found = structural_components(y, np.stack(list(scored.scores.values())))
    return dict(zip(scored.scores, map(float, found.aucs), strict=True))


def against_logistic_regression(scored: ScoredRows) -> str:
    """Say whether the judged version beats the plain logistic regression."""
    if scored.algorithm == LOGISTIC_REGRESSION:
        return "The judged version is the logistic regression itself: nothing more complex was worth it."
    if LOGISTIC_REGRESSION not in scored.scores:
        return "No logistic regression was trained beside it: there is no plain baseline."
    pair = {name: scored.scores[name] for name in (scored.algorithm, LOGISTIC_REGRESSION)}
    return compare_models(scored.test.y, pair, scored.thresholds, blocks=scored.test.blocks)[0].sentence


@dataclass(frozen=True)
class Contestant:
    """The judged version, as behaviour checks need it.

    Attributes:
        predict: Features (n, p) → probability of class 1, shape (n,).
        model_bytes: Size of the model file.
    """

    predict: Predict
    model_bytes: int

    def scores(self, rows: LabelledRows) -> np.ndarray:
        """The version's own probabilities of rows, shape (rows,), whoever scored them to judge it."""
        return self.predict(rows.X)


def judge(
    rows: LabelledRows,
    champion_scores: np.ndarray | None,
    challenger_scores: np.ndarray,
    contestant: Contestant,
    policy: EvaluationParameters,
    look: int | None = None,
    evidence: Evidence = "judging",
) -> PromotionDecision:
    """Decide whether a version may serve, whoever asks: a pipeline, an experiment or a person.

    Against a champion: on rows that neither has seen, at the part of alpha that this look may spend, no slice getting
    worse. Without one: its AUC against the floor. Either way no slice may be unfit, calibration must hold and the model
    behave.

    Args:
        rows: Judging rows, labelled.
        champion_scores: The champion's probabilities, shape (rows,); None where there is no champion.
        challenger_scores: The challenger's probabilities, shape (rows,).
        contestant: The challenger.
        policy: What it must show.
        look: Number of this comparison with the champion, from 1; None spends the whole of alpha.
        evidence: Where the rows come from.
    """
    promotion = policy.promotion
    if look is not None:
        promotion = promotion.model_copy(update={"alpha": spend_alpha(promotion.alpha, look)})
    checks = conditions(rows, champion_scores, challenger_scores, contestant, policy, promotion)
    decision = decide_promotion(rows.y, champion_scores, challenger_scores, promotion, rows.blocks, checks)
    return decision.model_copy(update={"look": look, "evidence": evidence})


def judge_days(
    rows: LabelledRows,
    champion_scores: np.ndarray,
    challenger_scores: np.ndarray,
    cutoffs: np.ndarray,
    contestant: Contestant,
    policy: EvaluationParameters,
    look: Look,
) -> PromotionDecision:
    """Decide whether a version may replace the champion where rows have dates: on days that neither had learnt.

    Args:
        rows: Judged rows, labelled.
        champion_scores: The champion's probabilities, shape (rows,).
        challenger_scores: Those of the challenger, or of models of its recipe that had not learnt the row's day.
        cutoffs: Last day that the model behind a challenger's score had learnt, as days since 1970, shape (rows,).
        contestant: The challenger.
        policy: What it must show.
        look: Which look it is.
    """
    promotion = policy.promotion
    own = promotion.model_copy(update={"alpha": alpha_of_challenger(promotion.alpha, look.challenger)})
    checks = conditions(rows.by_day, champion_scores, challenger_scores, contestant, policy, own)
    judged = JudgedDays(rows.y.astype(bool), champion_scores, challenger_scores, rows.day_numbers, cutoffs)
    return decide_accumulating(judged, look, promotion, checks)


def conditions(
    rows: LabelledRows,
    champion_scores: np.ndarray | None,
    challenger_scores: np.ndarray,
    contestant: Contestant,
    policy: EvaluationParameters,
    promotion: PromotionPolicy,
) -> list[Check]:
    """What a version must fulfil beside its AUC; arguments as of :func:`judge`, ``promotion`` at the look's alpha."""
    if not len(rows.y):
        return []
    spec, blocks = rows.spec, rows.blocks
    slices, champions = (
        [] if scores is None else _slices(rows, scores, policy) for scores in (challenger_scores, champion_scores)
    )
    checks = [
        auc_gate(slices, policy.slices),
        gap_gate(slices, policy.slices, champions),
        *behaviour_checks(
            contestant.predict, rows.X, contestant.scores(rows), contestant.model_bytes, policy.behaviour
        ),
        calibration_check(rows.y, challenger_scores, promotion, blocks),
    ]
    if champion_scores is None or rows.y.min() == rows.y.max():
        return checks
    groups = slice_groups(rows.X, spec.categorical, spec.numeric, policy.slices)
    return [*checks, slice_check(rows.y, champion_scores, challenger_scores, groups, promotion, blocks)]


def _slices(rows: LabelledRows, scores: np.ndarray, policy: EvaluationParameters) -> list[SliceMetric]:
    spec = rows.spec
    return slice_metrics(rows.y, scores, rows.X, spec.categorical, spec.numeric, policy.slices, rows.blocks)
