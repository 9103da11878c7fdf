"""AUCs and their covariance against second implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import auc_covariance, auc_interval, share_interval


def tied_rows(seed: int, rows: int = 120, models: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(rows) < 0.3
    return y, np.round(rng.normal(size=(models, rows)) + 0.8 * y, 1)


def covariance_by_pairs(y: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """DeLong's definition, O(m·n): components are means over all pairs."""
    positives, negatives = scores[:, y], scores[:, ~y]
    wins = np.sign(positives[:, :, None] - negatives[:, None, :]) / 2 + 0.5
    return np.cov(wins.mean(axis=2)) / y.sum() + np.cov(wins.mean(axis=1)) / (~y).sum()


def covariance_without_blocks(y: np.ndarray, scores: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """The cluster jackknife with an explicit loop: scikit-learn's AUC without one block after the other."""
    full = np.array([roc_auc_score(y, s) for s in scores])
    kept = [blocks != block for block in np.unique(blocks)]
    moved = np.array([[roc_auc_score(y[k], s[k]) for s in scores] - full for k in kept])
    return (len(kept) - 1) / len(kept) * moved.T @ moved


@pytest.mark.parametrize("seed", range(5))
def test_covariance_equals_the_definition_over_all_pairs(seed):
    y, scores = tied_rows(seed)
    found = auc_covariance(y, scores)
    np.testing.assert_allclose(found.covariance, covariance_by_pairs(y, scores), rtol=1e-9)
    np.testing.assert_allclose(found.aucs, [roc_auc_score(y, s) for s in scores], rtol=1e-12)
    assert found.degrees_of_freedom == min(y.sum(), (~y).sum()) - 1


@pytest.mark.parametrize("seed", range(5))
def test_block_covariance_is_that_of_leaving_out_block_by_block(seed):
    y, scores = tied_rows(seed)
    blocks = np.random.default_rng(seed).integers(0, 25, len(y))
    found = auc_covariance(y, scores, blocks).covariance
    np.testing.assert_allclose(found, covariance_without_blocks(y, scores, blocks), rtol=1e-9)


def test_blocks_of_one_row_change_nothing():
    y, scores = tied_rows(7)
    names = np.random.default_rng(0).permutation([f"row {i}" for i in range(len(y))])
    np.testing.assert_allclose(
        auc_covariance(y, scores, names).covariance, auc_covariance(y, scores).covariance, rtol=1e-9
    )


def test_doubling_every_row_within_its_block_does_not_feign_certainty():
    y, scores = tied_rows(8)
    blocks = np.tile(np.arange(len(y)), 2)
    doubled = auc_covariance(np.tile(y, 2), np.tile(scores, 2), blocks).covariance
    np.testing.assert_allclose(doubled, covariance_without_blocks(y, scores, np.arange(len(y))), rtol=1e-9)


def test_auc_is_mann_whitneys_u():
    y, scores = tied_rows(9, models=1)
    u = mannwhitneyu(scores[0, y], scores[0, ~y]).statistic
    assert auc_covariance(y, scores).aucs[0] == pytest.approx(u / (y.sum() * (~y).sum()), rel=1e-12)


def test_standard_error_agrees_with_a_bootstrap_of_rows():
    rng = np.random.default_rng(3)
    y, scores = tied_rows(3, rows=400, models=2)
    draws = []
    for _ in range(400):
        rows = rng.integers(0, len(y), len(y))
        draws.append([roc_auc_score(y[rows], s[rows]) for s in scores])
    difference = np.diff(draws, axis=1).std()
    assert auc_covariance(y, scores).contrast([-1, 1])[1] == pytest.approx(difference, rel=0.15)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_monotone_transforms_and_row_order_do_not_matter(seed):
    y, scores = tied_rows(seed, rows=60)
    order = np.random.default_rng(seed).permutation(len(y))
    found = auc_covariance(y, scores)
    same = auc_covariance(y[order], np.exp(scores[:, order] / 3))
    np.testing.assert_allclose(same.aucs, found.aucs, rtol=1e-12)
    np.testing.assert_allclose(same.covariance, found.covariance, rtol=1e-7, atol=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_reversing_the_scores_reflects_the_auc(seed):
    y, scores = tied_rows(seed, rows=60, models=1)
    np.testing.assert_allclose(auc_covariance(y, -scores).aucs, 1 - auc_covariance(y, scores).aucs)


@pytest.mark.parametrize("auc", [0.7, 0.95])
def test_interval_covers_the_true_auc_at_its_nominal_rate(auc):
    from scipy.stats import norm

    rng = np.random.default_rng(int(auc * 100))
    covered = 0
    for _ in range(600):
        y = rng.random(300) < 0.3
        scores = rng.normal(size=300) + np.sqrt(2) * norm.ppf(auc) * y
        low, high = auc_interval(auc_covariance(y, scores))[0]
        covered += low <= auc <= high
    assert 0.925 <= covered / 600 <= 0.98  # 95 % less 2.8 standard errors of 600 draws


def test_interval_of_a_perfect_auc_is_not_a_point():
    y = np.repeat([False, True], 20)
    low, high = auc_interval(auc_covariance(y, y.astype(float)))[0]
    assert (low < 0.9, high) == (True, 1.0)
    assert share_interval(0.0, 0.0, 20, 1.96)[0] == 0.0


@pytest.mark.parametrize(
    ("y", "scores", "blocks", "words"),
    [
        ([0, 0, 0], [1, 2, 3], None, "both classes"),
        ([0, 1, 0], [1, 2, 3], None, "at least 2 independent units"),
        ([0, 1, 2], [1, 2, 3], None, "found 2"),
        ([0, 1, 1], [1, 2], None, "2 rows and labels 3"),
        ([0, 1, 1], [1, np.nan, 2], None, "1 of 3 scores"),
        ([0, 1, 1], [1, 2, 3], ["a"], "one block name per row"),
    ],
)
def test_bad_input_is_refused_in_words(y, scores, blocks, words):
    with pytest.raises(EvergreenError, match=words):
        auc_covariance(y, scores, blocks)
