"""Claims about performance that is estimated before labels arrive."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from evergreen.errors import EvergreenError
from evergreen.monitoring.density_ratio import density_ratio
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


def shifted(rows: int, seed: int, shift: float) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Rows, scores that miss half of what the outcome depends on, and labels."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["a", "b"]).assign(a=lambda frame: frame["a"] + shift)
    logit = x["a"] - x["a"] ** 2 + x["b"]
    y = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    return x, 1 / (1 + np.exp(0.5 - x["a"].to_numpy() * 0.3 - x["b"].to_numpy())), y


def test_under_covariate_shift_rows_that_are_like_the_windows_say_what_its_labels_will() -> None:
    (known, ref, ref_y), (new, scores, y) = shifted(4_000, 1, 0.0), shifted(4_000, 2, 1.0)
    ratio = density_ratio(known, new, numeric=["a", "b"])
    alike = estimate_performance(ref, ref_y, scores).metrics["accuracy"].value
    found = estimate_performance(ref, ref_y, scores, ratio=ratio)
    true = accuracy_score(y, scores >= 0.5)
    assert (found.method, found.effective_rows < 4_000) == ("pape", True)
    assert abs(found.metrics["accuracy"].value - true) < abs(alike - true) / 2
    assert found.metrics["accuracy"].low < true < found.metrics["accuracy"].high


def test_rows_of_the_same_world_weigh_alike() -> None:
    ratio = density_ratio(shifted(1_000, 3, 0.0)[0], shifted(1_000, 4, 0.0)[0], numeric=["a", "b"])
    assert ratio.learner == "none"
    assert ratio.effective_rows == 1_000
    assert density_ratio(shifted(100, 3, 0.0)[0], shifted(1_000, 4, 0.0)[0], numeric=["a", "b"]) is None


def test_weights_are_capped_and_rows_of_one_block_are_weighed_by_models_that_saw_none_of_it() -> None:
    known, new = shifted(1_500, 5, 0.0)[0], shifted(1_500, 6, 2.0)[0]
    ratio = density_ratio(known, new, numeric=["a", "b"], blocks=np.arange(1_500) // 3)
    assert ratio.learner != "none"
    assert np.corrcoef(ratio.mean, known["a"])[0, 1] > 0.4
    assert [(weights == weights.max()).sum() >= 15 for weights in ratio.weights] == [True] * len(ratio.weights)
    np.testing.assert_allclose(ratio.weights.mean(axis=1), 1)


def test_where_only_the_share_of_positives_moved_the_other_reading_finds_it() -> None:
    scores, labels = world(20_000, 7)
    window, known = world(40_000, 8)
    kept = np.concatenate([window[known == 1][:3_000], window[known == 0][:2_000]])
    found = estimate_performance(scores, labels, kept).label_shift
    assert found.reference_share == pytest.approx(labels.mean())
    assert found.share == pytest.approx(0.6, abs=0.05)
    assert found.low < 0.6 < found.high
