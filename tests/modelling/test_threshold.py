from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from evergreen.modelling.parameters import ThresholdPolicy
from evergreen.modelling.threshold import choose_threshold

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=40).filter(
    lambda rows: {label for label, _ in rows} == {0, 1}
)


def split(rows) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in rows]), np.array([score / 20 for _, score in rows])


def test_a_fixed_threshold_is_taken_as_given():
    assert choose_threshold(np.array([0, 1]), np.array([0.2, 0.3]), ThresholdPolicy(method="fixed", fixed=0.7)) == 0.7


@settings(max_examples=30)
@given(rows=ROWS)
def test_no_threshold_has_a_better_f1(rows):
    y, probability = split(rows)
    chosen = choose_threshold(y, probability, ThresholdPolicy(method="best_f1"))
    best = max(f1_score(y, probability >= each) for each in probability)
    assert f1_score(y, probability >= chosen) == pytest.approx(best)


@given(rows=ROWS, wrong=st.sampled_from([0.1, 1.0, 30.0]), missed=st.sampled_from([0.1, 1.0, 30.0]))
def test_no_threshold_costs_less(rows, wrong, missed):
    y, probability = split(rows)
    probability = probability * 0.9

    def cost(threshold: float) -> float:
        acts = probability >= threshold
        return wrong * (acts & (y == 0)).sum() + missed * (~acts & (y == 1)).sum()

    policy = ThresholdPolicy(method="cost", cost_false_positive=wrong, cost_false_negative=missed)
    chosen = choose_threshold(y, probability, policy)
    assert cost(chosen) == pytest.approx(min(cost(each) for each in [*probability, 1.0]))


def test_of_equal_costs_the_calibrated_threshold_is_the_ratio_of_costs():
    rng = np.random.default_rng(0)
    probability = rng.random(50_000)
    y = (rng.random(50_000) < probability).astype(int)
    policy = ThresholdPolicy(method="cost", cost_false_positive=1, cost_false_negative=4)
    assert choose_threshold(y, probability, policy) == pytest.approx(1 / 5, abs=0.03)
