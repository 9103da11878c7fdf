"""Metrics against scikit-learn, their intervals against simulation, and degenerate input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from evergreen.errors import EvergreenError
from evergreen.evaluation.metrics import (
    METRIC_NAMES,
    calibration_interval,
    classification_metrics,
    expected_calibration_error,
)
from evergreen.evaluation.redrawn_metrics import rank_rows, spread_of_blocks, weighted_metrics


def calibrated_rows(seed: int, rows: int, decimals: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = np.round(1 / (1 + np.exp(1 - 1.2 * rng.normal(size=rows))), decimals)
    return (rng.random(rows) < p).astype(int), p


@pytest.mark.parametrize(("decimals", "threshold"), [(12, 0.5), (1, 0.3)])
def test_values_equal_scikit_learns(decimals, threshold):
    y, p = calibrated_rows(1, 700, decimals)
    found = {name: metric.value for name, metric in classification_metrics(y, p, threshold).items()}
    predicted = p >= threshold
    expected = {
        "roc_auc": sk.roc_auc_score(y, p),
        "average_precision": sk.average_precision_score(y, p),
        "accuracy": sk.accuracy_score(y, predicted),
        "precision": sk.precision_score(y, predicted),
        "recall": sk.recall_score(y, predicted),
        "f1": sk.f1_score(y, predicted),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted"),
        "log_loss": sk.log_loss(y, p),
        "brier": sk.brier_score_loss(y, p),
        "expected_calibration_error": expected_calibration_error(y, p),
    }
    assert found == pytest.approx(expected, rel=1e-9)
    assert tuple(found) == METRIC_NAMES


def test_calibration_error_by_hand():
    y = [0, 1, 1, 1]
    p = [0.1, 0.1, 0.9, 0.7]
    assert expected_calibration_error(y, p) == pytest.approx((0.8 + 0.1 + 0.3) / 4)
    assert expected_calibration_error(y, p, bins=1) == pytest.approx(0.75 - 0.45)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 20))
def test_calibration_error_equals_a_loop_over_bins(seed, rows, bins):
    rng = np.random.default_rng(seed)
    p, y = rng.random(rows), rng.integers(0, 2, rows)
    error = 0.0
    for b in range(bins):
        inside = (p >= b / bins) & ((p < (b + 1) / bins) | (b == bins - 1))
        error += abs(y[inside].sum() - p[inside].sum()) / rows
    assert expected_calibration_error(y, p, bins) == pytest.approx(error, abs=1e-12)


def population_values() -> dict[str, float]:
    y, p = calibrated_rows(99, 1_000_000)
    predicted = p >= 0.4
    return {
        "average_precision": sk.average_precision_score(y, p),
        "accuracy": (y == predicted).mean(),
        "precision": y[predicted].mean(),
        "recall": predicted[y == 1].mean(),
        "f1": sk.f1_score(y, predicted),
        "log_loss": sk.log_loss(y, p),
        "brier": sk.brier_score_loss(y, p),
        "expected_calibration_error": 0.0,
    }


def test_intervals_cover_the_truth_at_their_nominal_rate():
    truth = population_values()
    covered = dict.fromkeys(truth, 0)
    draws = 300
    for seed in range(draws):
        found = classification_metrics(*calibrated_rows(seed, 400), threshold=0.4)
        for name, value in truth.items():
            covered[name] += found[name].low <= value <= found[name].high
    rates = {name: count / draws for name, count in covered.items()}
    # 95 % less three standard errors of 300 draws
    assert min(rates.values()) >= 0.95 - 3 * 0.0126, rates
    # 95 % plus three, but for the calibration error, whose truth stands at the edge
    assert max(rate for name, rate in rates.items() if rate < 1) <= 0.99, rates


def test_errors_by_blocks_are_those_of_leaving_out_block_by_block():
    rng = np.random.default_rng(5)
    blocks = np.unique(rng.integers(0, 25, 600), return_inverse=True)[1]
    p = rng.random(600).round(2)
    y = rng.random(600) < 0.6 * p
    rows = rank_rows(y, p, 0.4)
    kept = np.stack([blocks[rows.order] != block for block in range(25)]).astype(float)
    moved = {
        name: values - weighted_metrics(rows, np.ones((1, 600)))[name]
        for name, values in weighted_metrics(rows, kept).items()
    }
    errors = spread_of_blocks(rows, blocks, seed=0).errors
    precision = errors.pop("average_precision")
    assert errors == pytest.approx({name: np.sqrt(24 / 25 * (moved[name] ** 2).sum()) for name in errors})
    assert precision == pytest.approx(np.sqrt(24 / 25 * (moved["average_precision"] ** 2).sum()), rel=0.02)


def test_blocks_of_unequal_size_keep_the_level_of_an_interval():
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        blocks = np.repeat(np.arange(40), np.ceil(5 * rng.lognormal(0, 1.5, 40)).astype(int))
        rate = rng.beta(3, 7, 40)
        y = rng.random(len(blocks)) < rate[blocks]
        found = classification_metrics(y, np.full(len(y), 0.3), blocks=blocks, seed=1)["brier"]
        truth = 0.3 * 0.7**2 + 0.7 * 0.3**2
        covered += found.low is not None and found.low <= truth <= found.high
    assert covered / 400 >= 0.91  # 95 % less 3.7 standard errors of 400 draws; sums within blocks cover 89 %


def test_intervals_by_blocks_are_wider_where_blocks_carry_the_outcome():
    rng = np.random.default_rng(4)
    blocks = np.repeat(np.arange(50), 20)
    p = np.clip(rng.beta(1, 3, 50)[blocks] + rng.normal(0, 0.02, 1000), 0, 1)
    y = rng.random(50)[blocks] < p
    rows, grouped = classification_metrics(y, p), classification_metrics(y, p, blocks=blocks)
    assert rows["brier"].value == grouped["brier"].value
    width = {name: (m["brier"].high - m["brier"].low) for name, m in {"rows": rows, "blocks": grouped}.items()}
    assert width["blocks"] > 2.5 * width["rows"]
    assert grouped["roc_auc"].high - grouped["roc_auc"].low > 2 * (rows["roc_auc"].high - rows["roc_auc"].low)


def test_bootstrap_standard_error_agrees_with_the_binomial():
    y, p = calibrated_rows(5, 4_000)
    accuracy = classification_metrics(y, p)["accuracy"]
    error = math.sqrt(accuracy.value * (1 - accuracy.value) / 4_000)
    assert (accuracy.high - accuracy.low) / (2 * 1.96) == pytest.approx(error, rel=0.2)


def test_same_seed_same_intervals_and_row_order_does_not_move_values():
    y, p = calibrated_rows(6, 300)
    order = np.random.default_rng(0).permutation(300)
    first, again = classification_metrics(y, p), classification_metrics(y, p)
    shuffled = classification_metrics(y[order], p[order])
    assert first == again
    for name in METRIC_NAMES:
        assert shuffled[name].value == pytest.approx(first[name].value, rel=1e-9)


def test_calibration_interval_reaches_zero_only_where_perfect_calibration_would_show_as_much():
    noise = np.random.default_rng(0).normal(0, 0.005, size=(200, 10))
    assert calibration_interval(noise[0], noise, 1.96)[0] == 0.0
    low, high = calibration_interval(np.full(10, 0.02), noise + 0.02, 1.96)
    assert 0.15 < low < 0.2 < high < 0.25


@pytest.mark.parametrize("rows", [0, 1, 2, 10, 30])
@pytest.mark.parametrize("label", ["zeros", "ones", "mixed"])
@pytest.mark.parametrize("score", ["constant", "perfect", "inverted", "spread"])
def test_degenerate_input_never_gives_nan(rows, label, score):
    y = {"zeros": np.zeros(rows), "ones": np.ones(rows), "mixed": np.arange(rows) % 2}[label]
    s = {"constant": np.full(rows, 0.5), "perfect": y, "inverted": 1 - y, "spread": np.linspace(0, 1, rows)}
    for name, metric in classification_metrics(y, s[score]).items():
        numbers = [n for n in (metric.value, metric.low, metric.high) if n is not None]
        assert all(map(math.isfinite, numbers)), (name, metric)
        assert (metric.status == "ok") == (metric.reason is None) == (metric.low is not None), (name, metric)
        if metric.low is not None:
            assert metric.low <= metric.value + 1e-9, (name, metric)
            assert metric.value <= metric.high + 1e-9, (name, metric)
    if rows <= 10 or label != "mixed":
        assert classification_metrics(y, s[score])["roc_auc"].status == "insufficient_data"


def test_scores_that_are_no_probabilities_have_no_log_loss():
    y, p = calibrated_rows(7, 200)
    found = classification_metrics(y, p * 10)
    assert found["roc_auc"].status == "ok"
    assert [found[n].status for n in ("log_loss", "brier", "expected_calibration_error")] == ["not_applicable"] * 3


def test_bad_probabilities_are_refused_in_words():
    with pytest.raises(EvergreenError, match="between 0 and 1"):
        expected_calibration_error([0, 1], [0.5, 1.5])
    with pytest.raises(EvergreenError, match="at least one row"):
        expected_calibration_error([], [])
