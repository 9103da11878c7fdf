"""Claims about gains on days that came later: against explicit loops, and in simulated years."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from evergreen.evaluation.accumulating import JudgedDays, Look, decide_accumulating, measure_parts
from evergreen.evaluation.gain import LAG_DAYS, cutoff_gains, information_of, pooled_gain
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.records import Check


def judged(weeks: int, gain: float = 0.0, seed: int = 0, per_week: int = 150, gain_from: int = 0) -> JudgedDays:
    """Binormal scores that share 85 % of their noise; a champion's AUC of .74, 22 % positives, a cut-off a week."""
    rng = np.random.default_rng([seed, weeks, int(1000 * (1 + gain))])
    week = np.repeat(np.arange(weeks), per_week)
    y = rng.random(len(week)) < 0.22
    common = np.sqrt(0.85) * rng.normal(size=len(week))
    own = np.sqrt(0.15) * rng.normal(size=(2, len(week)))
    ahead = np.where(week >= gain_from, np.sqrt(2) * norm.ppf(0.74 + gain), np.sqrt(2) * norm.ppf(0.74))
    scores = [common + own[0] + np.sqrt(2) * norm.ppf(0.74) * y, common + own[1] + ahead * y]
    return JudgedDays(y, *scores, 7 * week + rng.integers(0, 7, len(week)) + 20_000, 7 * week + 19_999)


def weekly_look(weeks: int) -> Look:
    return Look(weeks, 1, tuple((np.arange(weeks) + 1) / 52), tuple(np.arange(weeks) + 1.0))


def by_hand(days: JudgedDays, kept: np.ndarray) -> float:
    """The gain with an explicit loop over cut-offs, by scikit-learn."""
    total = weights = 0.0
    for cutoff in np.unique(days.cutoffs[kept]):
        rows = kept & (days.cutoffs == cutoff)
        y = days.y[rows]
        weight = y.sum() * (~y).sum() / len(y)
        ahead = roc_auc_score(y, days.challenger[rows]) - roc_auc_score(y, days.champion[rows])
        total, weights = total + weight * ahead, weights + weight
    return total / weights


def test_gain_and_error_are_those_of_leaving_out_day_by_day():
    days = judged(4, 0.03)
    found = pooled_gain(cutoff_gains(days.y, days.champion, days.challenger, days.days, days.cutoffs))
    everything = np.ones(len(days.y), dtype=bool)
    assert found.difference == pytest.approx(by_hand(days, everything))
    distinct = np.unique(days.days)
    moved = np.array([by_hand(days, days.days != day) for day in distinct]) - found.difference
    lags = np.abs(distinct[:, None] - distinct[None, :])
    bartlett = np.maximum(1 - lags / (LAG_DAYS + 1), 0)
    variance = moved @ bartlett @ moved * 6 / 7  # seven days a cut-off
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert found.information == pytest.approx(information_of(days.y, days.cutoffs))
    assert (found.rows, found.days) == (600, 28)


def test_scores_of_two_cut_offs_are_never_compared():
    days = judged(6)
    shifted = JudgedDays(days.y, days.champion, days.challenger + 100.0 * days.cutoffs, days.days, days.cutoffs)
    assert measure_parts(shifted, 28)[0] == measure_parts(days, 28)[0]


def test_rows_of_one_day_a_week_have_nearly_as_many_degrees_of_freedom_as_days():
    days = judged(20)
    weekly = JudgedDays(days.y, days.champion, days.challenger, days.cutoffs + 1, days.cutoffs)
    assert measure_parts(weekly, 28)[0].degrees_of_freedom > 15
    assert measure_parts(days, 28)[0].degrees_of_freedom == pytest.approx(1.5 * 140 / 7, rel=0.05)


def test_days_that_depend_on_each_other_widen_the_error():
    rng = np.random.default_rng(3)
    days = judged(20, per_week=140)
    day_effect = np.repeat(rng.normal(size=20), 140)  # one a week, for positives and negatives of the challenger alike
    tilted = days.challenger + np.where(days.y, day_effect, -day_effect)
    alone = measure_parts(days, 28)[0].standard_error
    assert measure_parts(JudgedDays(days.y, days.champion, tilted, days.days, days.cutoffs), 28)[0].standard_error > (
        2 * alone
    )


def test_a_steady_gain_is_promoted_by_all_days_and_an_equal_challenger_stays_undecided():
    policy = PromotionPolicy()
    good = decide_accumulating(judged(40, 0.03), weekly_look(40), policy)
    assert (good.decision, good.look, good.blocks) == ("promote", 40, 280)
    assert [part.part for part in good.shown] == ["all days", "newest days"]
    equal = decide_accumulating(judged(40), weekly_look(40), policy)
    assert equal.decision == "undecidable"
    assert equal.minimum_detectable_gain is not None


def test_after_a_change_of_the_world_old_days_do_not_outvote_the_newest():
    lost, won = judged(46, -0.02), judged(6, 0.15, seed=1)
    shift = 7 * 46
    days = JudgedDays(
        np.append(lost.y, won.y),
        np.append(lost.champion, won.champion),
        np.append(lost.challenger, won.challenger),
        np.append(lost.days, won.days + shift),
        np.append(lost.cutoffs, won.cutoffs + shift),
    )
    found = decide_accumulating(days, weekly_look(52), PromotionPolicy())
    assert found.shown[0].ci is not None
    assert found.shown[0].ci[0] < 0
    assert (found.decision, found.difference) == ("promote", found.shown[1].difference)


def test_what_all_days_show_promotes_nothing_that_fell_behind_on_the_newest():
    won, lost = judged(48, 0.05), judged(4, -0.15, seed=1)
    shift = 7 * 48
    days = JudgedDays(
        np.append(won.y, lost.y),
        np.append(won.champion, lost.champion),
        np.append(won.challenger, lost.challenger),
        np.append(won.days, lost.days + shift),
        np.append(won.cutoffs, lost.cutoffs + shift),
    )
    found = decide_accumulating(days, weekly_look(52), PromotionPolicy())
    assert found.shown[0].ci is not None
    assert found.shown[0].ci[0] > 0
    assert found.decision == "undecidable"


def test_few_days_and_a_failed_check_promote_nothing():
    policy = PromotionPolicy()
    few = decide_accumulating(judged(1, 0.2), weekly_look(1), policy)
    assert few.decision == "undecidable"
    assert few.reasons[0].startswith("Too few days to decide: 7 judged days")
    check = Check(name="size", passed=False, found=3, allowed=2)
    assert decide_accumulating(judged(40, 0.03), weekly_look(40), policy, [check]).decision == "refuse"
    empty = judged(1)
    none = JudgedDays(*(getattr(empty, name)[:0] for name in ("y", "champion", "challenger", "days", "cutoffs")))
    assert decide_accumulating(none, weekly_look(1), policy).decision == "undecidable"
