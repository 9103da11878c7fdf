"""Claims about backtested policies: the bound, its limits, a case whose optimum is known, and late outcomes."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest
import yaml

from evergreen.reporting.policy_backtest import backtest_page
from evergreen.retraining.backtest.policies import (
    BacktestedPolicy,
    Matrix,
    every,
    live,
    never,
    on_drift,
    on_estimate,
    on_loss,
    oracle,
    regret_interval,
    staleness,
)
from evergreen.retraining.backtest.record import backtest_record, known_policies

WINDOWS = 24


def matrix(changes: tuple[int, ...] = (8, 16), delay: int = 0, noise: float = 0.0) -> Matrix:
    """Models know the world that they were born into (AUC .8), and lose .2 in every other one."""
    world = np.searchsorted(changes, np.arange(WINDOWS), side="right")
    auc = np.where(world[:, None] == world[None, :], 0.8, 0.6) + noise * np.random.default_rng(0).normal(
        size=(WINDOWS, WINDOWS)
    )
    below = np.tril(np.ones((WINDOWS, WINDOWS), dtype=bool), -1)
    drift = np.abs(world[:, None] - world[None, :]).astype(float)
    return Matrix(np.where(below, np.nan, auc), np.where(below, np.nan, auc), drift, delay)


@pytest.mark.parametrize("cost", [0.0, 0.01, 0.3, 5.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_no_policy_costs_less_than_the_oracle(cost, noise):
    found = matrix(noise=noise)
    least = oracle(found, cost).costs.sum()
    for policy in known_policies(7):
        assert live(found, policy, cost).costs.sum() >= least - 1e-12, policy.name


def test_free_trainings_are_the_newest_model_and_dear_ones_the_first():
    found = matrix(noise=0.05)
    free = oracle(found, 0.0)
    assert free.costs.sum() <= live(found, BacktestedPolicy("always", every(1), False), 0.0).costs.sum()
    assert oracle(found, 100.0).trained.sum() == 0
    assert oracle(found, 100.0).costs.sum() == pytest.approx(live(found, known_policies(7)[0], 100.0).costs.sum())


def test_in_a_world_that_changes_twice_the_optimum_is_two_trainings():
    best = oracle(matrix(), 0.05)
    assert np.flatnonzero(best.trained).tolist() == [8, 16]
    assert best.costs.sum() == pytest.approx(WINDOWS * 0.2 + 2 * 0.05)


def test_rules_fire_when_what_they_watch_is_known():
    prompt, late = matrix(), matrix(delay=3)

    def first(found, rule):
        return int(np.flatnonzero(live(found, BacktestedPolicy("r", rule, False), 0.0).trained)[0])

    assert first(prompt, on_estimate(0.05)) == 9
    assert first(prompt, on_drift(0.3)) == 9
    assert first(prompt, on_loss(0.05)) == 9
    assert first(late, on_loss(0.05)) == 12
    assert first(late, on_drift(0.3)) == 9
    assert not live(prompt, BacktestedPolicy("n", never, False), 0.0).trained.any()


def test_the_gate_waits_until_the_recipe_was_better_on_windows_that_followed():
    found = matrix(noise=0.005)
    gated = live(found, BacktestedPolicy("g", every(1), True), 0.0)
    assert (gated.in_charge[:11] == 0).all()
    assert gated.in_charge[14] >= 8
    assert gated.trained[1:].all()


def test_regret_is_inside_its_interval_and_no_regret_has_none():
    found = matrix(noise=0.02)
    best, worst = oracle(found, 0.01).costs, live(found, known_policies(7)[0], 0.01).costs
    low, high = regret_interval(worst, best)
    assert low < (worst - best).sum() < high
    assert regret_interval(best, best) == (0.0, 0.0)


def test_age_costs_what_the_world_lost():
    ages = staleness(matrix())
    assert ages[0] == (0, 0.0, WINDOWS)
    assert (np.diff([lost for _, lost, _ in ages]) > -1e-12).all()
    assert ages[-1][1] == pytest.approx(0.2)


def test_where_nothing_changes_nothing_is_recommended():
    ends = [dt.date(2026, 1, 7) + dt.timedelta(days=7 * k) for k in range(WINDOWS)]
    for seed_like_noise in (0.0, 0.01, 0.03):
        record = backtest_record("shop", ends[-1], "3", matrix((), noise=seed_like_noise), ends, 7, 0.01)
        assert record.recommended == "never"


def test_a_lucky_calendar_is_not_recommended():
    # the one change comes just before the training of "every 13 windows", whose date nobody could know
    world = matrix((9,), noise=0.005)
    lucky = every(13)
    assert live(world, BacktestedPolicy("lucky", lucky, False), 0.01).in_charge[13] == 13
    ends = [dt.date(2026, 1, 7) + dt.timedelta(days=7 * k) for k in range(WINDOWS)]
    record = backtest_record("shop", ends[-1], "3", world, ends, 7, 0.01)
    rows = {row.policy: row for row in record.policies}
    calendar = rows["every 13 windows"]
    assert calendar.cost_a_window > 1.02 * min(row.cost_a_window for row in record.policies if row.available)
    assert record.recommended != "every 13 windows"


def test_the_record_recommends_what_retraining_can_be_set_to_and_the_page_shows_it():
    ends = [dt.date(2026, 1, 7) + dt.timedelta(days=7 * k) for k in range(WINDOWS)]
    record = backtest_record("shop", ends[-1], "3", matrix(noise=0.005), ends, 7, 0.01)
    best = next(row for row in record.policies if row.policy == record.recommended)
    assert best.available
    assert best.trainings > 0
    assert best.cost <= 1.1 * min(row.cost for row in record.policies if row.available)
    assert record.settings.startswith("shop:\n  retraining: {trigger: {rules: [")
    page = backtest_page(record)
    assert "Nobody pays less than" in page
    assert record.recommended in page
    assert f"<pre>{record.settings.rstrip()}</pre>" in page
    assert yaml.safe_load(re.findall("<pre>(.*?)</pre>", page, re.DOTALL)[0])["shop"]["retraining"]
    short = backtest_record("shop", ends[3], "3", Matrix(*(np.zeros((4, 4)),) * 3, 0), ends[:4], 7, 0.01)
    assert (short.status, short.recommended) == ("skipped", None)
    assert "4 whole windows of 7 days, 8 are needed" in backtest_page(short)
