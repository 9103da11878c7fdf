"""Two versions on the same requests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from evergreen.errors import EvergreenError
from evergreen.evaluation.comparison import mcnemar_test
from evergreen.experiments import compare_paired

TABLE = [[794, 86], [150, 570]]


def world(rng: np.random.Generator, rows: int = 800, gain: float = 0.0):
    x = rng.normal(size=rows)
    y = rng.random(rows) < stats.norm.cdf(x - 0.8)
    a, b = x + 0.7 * rng.normal(size=(2, rows))
    return y, stats.norm.cdf(a - 0.8), stats.norm.cdf(b + gain * x - 0.8)


def test_mcnemars_published_statistics_are_found():
    assert mcnemar_test(TABLE, corrected=False).statistic == pytest.approx(17.356, abs=0.0005)
    assert mcnemar_test(TABLE).statistic == pytest.approx(16.818, abs=0.0005)


@pytest.mark.parametrize(
    ("metric", "theirs"), [("roc_auc", roc_auc_score), ("log_loss", log_loss), ("brier", brier_score_loss)]
)
def test_metrics_are_those_of_scikit_learn(metric, theirs):
    y, a, b = world(np.random.default_rng(1))
    found = compare_paired(y, a, b, metric)
    assert (found.mean_a, found.mean_b) == pytest.approx((theirs(y, a), theirs(y, b)), rel=1e-12)


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "log_loss", "brier"])
def test_equal_versions_are_found_different_as_often_as_alpha_says(metric):
    rng = np.random.default_rng(2)
    found = [compare_paired(*world(rng), metric) for _ in range(500)]
    assert 0.025 <= np.mean([one.significant for one in found]) <= 0.08
    assert 0.92 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.975


def test_versions_that_score_alike_are_no_difference():
    y, a, _ = world(np.random.default_rng(3))
    for metric in ("roc_auc", "accuracy", "log_loss", "brier"):
        assert compare_paired(y, a, a, metric).p_value == 1


def test_rows_of_one_block_count_once():
    y, a, b = world(np.random.default_rng(4), rows=300)
    once = compare_paired(y, a, b, "brier")
    thrice = compare_paired(*(np.repeat(v, 3) for v in (y, a, b)), "brier", blocks=np.repeat(np.arange(300), 3))
    assert thrice.p_value == pytest.approx(once.p_value, rel=1e-9)


def test_an_auc_without_both_classes_is_refused():
    with pytest.raises(EvergreenError, match="both classes"):
        compare_paired([1, 1, 1], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
