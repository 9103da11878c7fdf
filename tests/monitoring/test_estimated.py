"""Claims about performance that is estimated before labels arrive."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from evergreen.errors import EvergreenError
from evergreen.monitoring.estimated import METRICS, estimate_performance


def world(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated scores and their labels."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(2, 5, rows)
    return scores, (rng.random(rows) < scores).astype(int)


def test_of_calibrated_scores_the_estimate_is_what_labels_say_in_the_long_run() -> None:
    scores, labels = world(200_000, 1)
    found = estimate_performance(*world(20_000, 2), scores, threshold=0.4).metrics
    predicted = scores >= 0.4
    assert found["roc_auc"].value == pytest.approx(roc_auc_score(labels, scores), abs=0.005)
    assert found["accuracy"].value == pytest.approx(accuracy_score(labels, predicted), abs=0.005)
    assert found["f1"].value == pytest.approx(f1_score(labels, predicted), abs=0.01)


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_the_window() -> None:
    reference, (scores, _) = world(5_000, 3), world(1_000, 4)
    first = estimate_performance(*reference, scores)
    assert estimate_performance(*reference, scores[::-1]) == first
    assert all(first.metrics[name].low <= first.metrics[name].value <= first.metrics[name].high for name in METRICS)


def test_a_reference_of_one_class_says_that_it_cannot_tell() -> None:
    found = estimate_performance(np.full(100, 0.2), np.zeros(100), np.full(50, 0.2))
    assert found.status == "insufficient_data"
    assert [found.metrics[name].value for name in METRICS] == [None] * 5


@pytest.mark.parametrize("bad", [[0.2, 1.3], [0.1, np.nan]])
def test_scores_that_are_no_probabilities_are_refused(bad: list[float]) -> None:
    with pytest.raises(EvergreenError, match="pass probabilities"):
        estimate_performance(*world(1_000, 5), bad)
