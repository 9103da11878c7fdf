"""Claims about what looks at judging rows may spend."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from evergreen.evaluation.spending import (
    alpha_of_all_days,
    alpha_of_challenger,
    alpha_of_newest,
    spend_alpha,
)


def test_all_parts_together_spend_at_most_alpha():
    assert sum(spend_alpha(0.025, look) for look in range(1, 5000)) <= 0.025
    assert sum(alpha_of_challenger(0.025, number) for number in range(1, 5000)) <= 0.025
    assert sum(alpha_of_newest(0.025, look) for look in range(1, 5000)) <= 0.0125


def test_looks_at_growing_rows_err_with_half_of_alpha_together():
    rng = np.random.default_rng(0)
    information = np.array([3.0, 4, 7, 12, 20])
    elapsed = [0.1, 0.2, 0.4, 0.7, 1.0]
    levels = [alpha_of_all_days(0.2, elapsed[:k], information[:k]) for k in range(1, 6)]
    steps = rng.normal(size=(40_000, 5)) * np.sqrt(np.diff(information, prepend=0))
    z = steps.cumsum(axis=1) / np.sqrt(information)
    assert (z > norm.isf(levels)).any(axis=1).mean() == pytest.approx(0.1, abs=0.006)
    assert levels[0] == pytest.approx(0.01)


def test_time_that_has_not_passed_spends_nothing():
    assert alpha_of_all_days(0.025, [0.5, 0.5], [10.0, 11.0]) == 0.0
    assert alpha_of_all_days(0.025, [3.0], [10.0]) == pytest.approx(0.0125)
