"""Promotion: error rates by simulation, and every path of the decision."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats
from scipy.stats import norm

from evergreen.errors import EvergreenError
from evergreen.evaluation.comparison import delong_test
from evergreen.evaluation.promotion import PromotionPolicy, calibration_check, decide_promotion
from evergreen.evaluation.spending import spend_alpha
from evergreen.records import Check


def judging_rows(seed: int, rows: int, gain: float = 0.0, blocked: bool = False) -> tuple[np.ndarray, ...]:
    """Binormal scores that share 85 % of their noise; a champion's AUC of .74, 22 % positives."""
    rng = np.random.default_rng([seed, rows, blocked])
    block = np.arange(rows) // 20 if blocked else np.arange(rows)

    def noise() -> np.ndarray:
        return np.sqrt(0.5) * (rng.normal(size=rows)[block] + rng.normal(size=rows))

    y = rng.random(rows) < (rng.beta(2.2, 7.8, size=rows)[block] if blocked else 0.22)
    common = noise()
    scores = [
        np.sqrt(2) * norm.ppf(auc) * y + np.sqrt(0.85) * common + np.sqrt(0.15) * noise() for auc in (0.74, 0.74 + gain)
    ]
    return y, scores[0], scores[1], block


@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize(("rows", "draws"), [(500, 400), (2_000, 200)])
def test_an_equal_challenger_is_promoted_in_at_most_five_percent(rows, draws, blocked):
    promoted = 0
    for seed in range(draws):
        y, champion, challenger, block = judging_rows(seed, rows, blocked=blocked)
        promoted += decide_promotion(y, champion, challenger, blocks=block).decision == "promote"
    assert promoted / draws <= 0.05


def test_blocks_of_unequal_size_keep_the_level_of_alpha():
    rng = np.random.default_rng(11)
    cleared = 0
    for _ in range(500):
        block = np.repeat(np.arange(60), np.ceil(8 * rng.lognormal(0, 1.75, 60)).astype(int))
        y = rng.random(len(block)) < rng.beta(2.2, 7.8, 60)[block]
        shared = [np.sqrt(0.5) * (rng.normal(size=60)[block] + rng.normal(size=len(block))) for _ in range(3)]
        champion, challenger = (0.91 * y + np.sqrt(0.85) * shared[0] + np.sqrt(0.15) * own for own in shared[1:])
        bounds = decide_promotion(y, champion, challenger, blocks=block).ci
        cleared += bounds is not None and bounds[0] > 0
    assert cleared / 500 <= 0.045  # .025 plus 2.9 standard errors of 500 draws; sums within blocks clear 6 %


@pytest.mark.parametrize("blocked", [False, True])
def test_a_challenger_better_by_three_points_is_promoted_at_five_thousand_rows(blocked):
    promoted = 0
    for seed in range(60):
        y, champion, challenger, block = judging_rows(seed, 5_000, 0.03, blocked)
        promoted += decide_promotion(y, champion, challenger, blocks=block).decision == "promote"
    assert promoted / 60 >= 0.9


def test_the_minimum_detectable_gain_is_promoted_with_its_power():
    y, champion, challenger, _ = judging_rows(0, 3_000)
    gain = decide_promotion(y, champion, challenger).minimum_detectable_gain
    promoted = 0
    for seed in range(200):
        y, champion, challenger, _ = judging_rows(seed, 3_000, gain)
        promoted += decide_promotion(y, champion, challenger).decision == "promote"
    assert promoted / 200 == pytest.approx(0.8, abs=0.1)


def test_rows_needed_are_enough_to_clear_zero():
    policy = PromotionPolicy(min_improvement=0.03)
    needed = int(np.median([decide_promotion(*judging_rows(seed, 600)[:3], policy).rows_needed for seed in range(40)]))
    shown = 0
    for seed in range(150):
        y, champion, challenger, _ = judging_rows(seed, needed, 0.03)
        shown += decide_promotion(y, champion, challenger).ci[0] > 0
    assert shown / 150 == pytest.approx(0.8, abs=0.12)


def test_the_bounds_are_those_of_the_paired_test():
    y, champion, challenger, block = judging_rows(2, 2_000, 0.03, blocked=True)
    decision = decide_promotion(y, champion, challenger, PromotionPolicy(alpha=0.05), block)
    test = delong_test(y, champion, challenger, alpha=0.1, blocks=block)
    assert decision.ci == pytest.approx(test.ci)
    assert (decision.champion_auc, decision.challenger_auc) == (test.auc_a, test.auc_b)
    assert decision.difference == pytest.approx(test.difference)
    assert (decision.rows, decision.blocks, decision.alpha) == (2_000, 100, 0.05)


def test_a_worse_challenger_is_refused_and_a_close_one_undecidable():
    y, champion, challenger, _ = judging_rows(3, 5_000, 0.06)
    assert decide_promotion(y, champion, challenger).decision == "promote"
    assert decide_promotion(y, challenger, champion).decision == "refuse"
    y, champion, challenger, _ = judging_rows(4, 300)
    close = decide_promotion(y, champion, challenger)
    assert close.decision == "undecidable"
    assert close.rows_needed > 300
    assert f"{close.rows_needed:,} rows are needed" in close.reasons[-1]


def test_a_sure_but_small_gain_is_not_promoted():
    y, champion, challenger, _ = judging_rows(5, 60_000, 0.006)
    decision = decide_promotion(y, champion, challenger)
    assert decision.ci[0] > 0
    assert decision.difference < 0.01
    assert decision.decision != "promote"


def test_the_same_model_again_is_refused():
    y, champion, _, _ = judging_rows(6, 1_000)
    decision = decide_promotion(y, champion, champion)
    assert (decision.decision, decision.difference, decision.ci) == ("refuse", 0.0, (0.0, 0.0))


def test_a_failed_check_refuses_even_a_better_challenger():
    y, champion, challenger, _ = judging_rows(7, 5_000, 0.06)
    failed = Check(name="latency", passed=False, found=9.0, allowed=5.0, unit="ms")
    decision = decide_promotion(y, champion, challenger, checks=[failed])
    assert decision.decision == "refuse"
    assert decision.reasons[0] == failed.sentence
    assert decision.checks == (failed,)


@pytest.mark.parametrize(
    ("auc", "rows", "expected"), [(0.75, 2_000, "promote"), (0.5, 2_000, "refuse"), (0.64, 150, "undecidable")]
)
def test_the_first_champion_must_be_surely_above_the_floor(auc, rows, expected):
    rng = np.random.default_rng(8)
    y = rng.random(rows) < 0.3
    decision = decide_promotion(y, None, rng.normal(size=rows) + np.sqrt(2) * norm.ppf(auc) * y)
    assert decision.decision == expected
    assert (decision.against, decision.champion_auc) == ("floor", None)
    assert decision.difference == pytest.approx(decision.challenger_auc - 0.6)


def test_spending_less_alpha_asks_for_more():
    y, champion, challenger, _ = judging_rows(9, 2_000, 0.03)
    spent = [decide_promotion(y, champion, challenger, PromotionPolicy(alpha=a)) for a in (0.05, 0.025, 0.001)]
    assert spent[0].ci[0] > spent[1].ci[0] > spent[2].ci[0]
    gains = [decision.minimum_detectable_gain for decision in spent]
    assert gains == sorted(gains)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.3, 1.0]), st.floats(0, 1)), max_size=60),
    st.booleans(),
)
def test_no_input_crashes_or_leaves_a_nan(rows, first):
    y, champion, challenger = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    decision = decide_promotion(y, None if first else champion, challenger)
    assert decision.reasons
    numbers = [decision.difference, decision.minimum_detectable_gain, *(decision.ci or ())]
    assert all(number is None or math.isfinite(number) for number in numbers)
    assert "nan" not in decision.model_dump_json().lower()


@pytest.mark.parametrize(
    ("y", "challenger", "words"),
    [
        (np.zeros(500), np.linspace(0, 1, 500), "in 0 independent"),
        (np.tile([0, 1], 5), np.linspace(0, 1, 10), "in 5 independent"),
        (np.tile([0, 1], 250), np.full(500, 0.3), "one score"),
    ],
)
def test_data_that_cannot_decide_are_undecidable_with_a_reason(y, challenger, words):
    decision = decide_promotion(y, np.linspace(0, 1, len(y)), challenger)
    assert decision.decision == "undecidable"
    assert words in decision.reasons[0]


def test_few_blocks_are_few_rows():
    y, champion, challenger, _ = judging_rows(10, 2_000, 0.06)
    decision = decide_promotion(y, champion, challenger, blocks=np.arange(2_000) % 6)
    assert decision.decision == "undecidable"
    assert decision.blocks == 6


def test_a_decision_survives_json():
    y, champion, challenger, _ = judging_rows(11, 500)
    decision = decide_promotion(y, champion, challenger, checks=[calibration_check(y, norm.cdf(challenger))])
    assert type(decision).model_validate_json(decision.model_dump_json()) == decision


def test_the_calibration_check_refuses_what_is_shown_not_what_is_noise():
    rng = np.random.default_rng(12)
    p = rng.beta(1, 3, 3_000)
    y = rng.random(3_000) < p
    assert calibration_check(y, p).passed
    spoilt = calibration_check(y, np.sqrt(p))
    assert not spoilt.passed
    assert spoilt.sentence.startswith("calibration fails: expected calibration error")
    few = calibration_check(y[:12], p[:12])
    assert (few.passed, "could not be judged" in few.sentence) == (True, True)
    assert not calibration_check(y, p * 5).passed


def test_bad_input_is_refused_in_words():
    with pytest.raises(EvergreenError, match="score exactly the labelled rows"):
        decide_promotion([0, 1], [0.1], [0.2, 0.3])
    with pytest.raises(ValidationError, match="alpha"):
        PromotionPolicy(alpha=0)


def test_all_looks_together_spend_alpha_and_no_more() -> None:
    spent = np.cumsum([spend_alpha(0.025, look) for look in range(1, 10_001)])
    assert spent[-1] < 0.025
    assert spent[-1] == pytest.approx(0.025, rel=1e-3)


def test_earlier_looks_may_spend_more() -> None:
    assert spend_alpha(0.05, 1) > spend_alpha(0.05, 2) > spend_alpha(0.05, 3)


def test_twenty_looks_at_growing_rows_err_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(7)
    gains = rng.normal(size=(4000, 20))
    z = np.cumsum(gains, axis=1) / np.sqrt(np.arange(1, 21))
    limits = [stats.norm.isf(spend_alpha(0.05, look)) for look in range(1, 21)]
    wrong = int((z > limits).any(axis=1).sum())
    assert stats.binomtest(wrong, 4000, 0.05, alternative="greater").pvalue > 1e-4
    assert (z > stats.norm.isf(0.05)).any(axis=1).mean() > 0.15  # what unspent looks would cost
