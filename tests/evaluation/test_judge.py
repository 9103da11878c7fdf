"""Claims about judging a version, on rows that are good, few, or of one class only."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from evergreen.evaluation.comparison import compare_models
from evergreen.evaluation.decision import PromotionDecision
from evergreen.evaluation.judge import (
    Contestant,
    EvaluationRecord,
    PromotionOutcome,
    ScoredRows,
    against_logistic_regression,
    judge,
    roc_auc_by_algorithm,
)
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.parameters import BehaviourPolicy, EvaluationParameters, PromotionPolicy, SlicePolicy
from evergreen.evaluation.slices import slice_metrics
from evergreen.evaluation.spending import spend_alpha
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", target="gone", positive=1, numeric=["a"], categorical=["colour"])
LABEL = LabelDefinition(target="gone", kind="positive", positive=1)
TOLERANT = EvaluationParameters(
    promotion=PromotionPolicy(max_calibration_error=1), slices=SlicePolicy(max_gap=1, min_auc=0)
)


def scored(rows: int, signal: float = 1.0, one_class: bool = False, equal: bool = False) -> ScoredRows:
    rng = np.random.default_rng(rows)
    y = np.zeros(rows, dtype=np.int8) if one_class else (np.arange(rows) % 3 == 0).astype(np.int8)
    latent = signal * (2 * y - 1) + rng.normal(size=rows)
    good = np.full(rows, 0.3) if equal else 1 / (1 + np.exp(-2 * latent + 0.7))
    worse = np.full(rows, 0.3) if equal else 1 / (1 + np.exp(-latent - rng.normal(size=rows)))
    frame = pd.DataFrame({"id": np.arange(rows), "gone": y, "a": latent, "colour": rng.choice(["red", "blue"], rows)})
    bounds = Bounds(dated=False, judging_share=0.3)
    test = LabelledRows(frame, y, rng.random(rows), SPEC, LABEL, bounds, dt.date(2026, 2, 28))
    names = {"HistGradientBoosting": good, "LogisticRegression": worse}
    return ScoredRows(test, names, dict.fromkeys(names, 0.5), "HistGradientBoosting")


def decide(
    found: ScoredRows,
    champion: np.ndarray | None,
    challenger: np.ndarray,
    policy: EvaluationParameters = TOLERANT,
    look: int | None = None,
) -> PromotionDecision:
    """The judge's answer about a model that gives each row the score that stands for it."""
    scores = dict(zip(found.test.rows["a"], challenger, strict=True))
    contestant = Contestant(lambda rows: rows["a"].map(scores).to_numpy(), 1_000)
    return judge(found.test, champion, challenger, contestant, policy, look)


def record_of(found: ScoredRows) -> EvaluationRecord:
    test = found.test
    metrics = classification_metrics(test.y, found.judged, 0.5)
    slices = slice_metrics(test.y, found.judged, test.X, SPEC.categorical, SPEC.numeric)
    return EvaluationRecord(
        use_case="churn",
        as_of=test.as_of,
        status="undecidable",
        version="1",
        algorithm=found.algorithm,
        threshold=0.5,
        n_test=len(test.y),
        metrics={"test": metrics, "train": metrics},
        test_roc_auc=roc_auc_by_algorithm(found),
        slices=slices,
        comparisons=compare_models(test.y, found.scores, found.thresholds),
        beats_logistic_regression=against_logistic_regression(found),
        promotion=PromotionOutcome(
            outcome="undecidable",
            champion_before=None,
            champion_after=None,
            decision=decide(found, None, found.judged, EvaluationParameters()),
        ),
    )


def test_a_first_champion_must_beat_the_floor() -> None:
    good, noise = scored(3000), scored(3000, signal=0.0)
    assert decide(good, None, good.judged).decision == "promote"
    assert decide(noise, None, noise.judged).decision == "refuse"


@pytest.mark.parametrize(
    "found",
    [scored(2000, one_class=True), scored(2000, equal=True), scored(10)],
    ids=["one class only", "all scores equal", "ten rows"],
)
def test_degenerate_rows_decide_nothing_and_leave_no_nan(found: ScoredRows) -> None:
    record = record_of(found)
    assert record.promotion.decision is not None
    assert record.promotion.decision.decision != "promote"
    assert "NaN" not in record.model_dump_json()
    assert EvaluationRecord.model_validate_json(record.model_dump_json()) == record


def test_the_judged_version_is_held_against_the_plain_baseline_in_words() -> None:
    sentence = against_logistic_regression(scored(3000))
    assert "HistGradientBoosting ranks better than LogisticRegression" in sentence


def test_an_equal_challenger_is_not_promoted_and_a_better_one_is() -> None:
    found = scored(6000)
    good, worse = found.judged, found.scores["LogisticRegression"]
    assert decide(found, good, good).decision != "promote"
    assert decide(found, worse, good).decision == "promote"
    assert decide(found, good, worse).decision == "refuse"


def test_a_challenger_that_fails_one_slice_is_refused() -> None:
    found = scored(8000)
    good, worse = found.judged, found.scores["LogisticRegression"]
    red = (found.test.rows["colour"] == "red").to_numpy()
    broken = np.where(red, np.random.default_rng(0).random(len(good)), good)
    decision = decide(found, worse, broken)
    assert decision.decision == "refuse"
    assert any("colour" in reason for reason in decision.reasons)


def test_the_twentieth_comparison_with_a_champion_has_its_part_of_alpha() -> None:
    found = scored(2000)
    decision = decide(found, found.scores["LogisticRegression"], found.judged, look=20)
    assert (decision.look, decision.alpha) == (20, pytest.approx(spend_alpha(0.025, 20)))
    assert decision.evidence == "judging"


@pytest.mark.parametrize("first", [True, False], ids=["first champion", "challenger"])
def test_a_model_that_is_too_large_is_refused_however_good(first: bool) -> None:
    found = scored(6000)
    champion = None if first else found.scores["LogisticRegression"]
    policy = TOLERANT.model_copy(update={"behaviour": BehaviourPolicy(max_model_mb=0.0001)})
    decision = decide(found, champion, found.judged, policy)
    assert decision.decision == "refuse"
    assert [check.name for check in decision.checks if not check.passed] == ["model_size"]


def test_rows_that_are_not_there_decide_nothing() -> None:
    found = scored(600)
    none = found.test.where(np.zeros(600, dtype=bool))
    empty = ScoredRows(none, {"HistGradientBoosting": np.array([])}, {}, "HistGradientBoosting")
    assert decide(empty, np.array([]), np.array([])).decision == "undecidable"
