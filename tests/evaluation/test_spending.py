"""Claims about alpha spent over looks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evergreen.evaluation.spending import spend_alpha


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
