"""Curves keep their shape when thinned, and agree with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk
from statsmodels.stats.proportion import proportion_confint

from evergreen.evaluation import curves


def scored(seed: int = 0, rows: int = 50_000, decimals: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = np.round(1 / (1 + np.exp(1 - 1.5 * rng.normal(size=rows))), decimals)
    return rng.random(rows) < p, p


@pytest.mark.parametrize("decimals", [12, 2])
def test_thinned_roc_has_the_same_area_and_shape(decimals):
    y, p = scored(decimals=decimals)
    points = curves.roc_curve(y, p)
    assert len(points) <= curves.MAX_POINTS
    x, height = points["false_positive_rate"], points["true_positive_rate"]
    assert sk.auc(x, height) == pytest.approx(sk.roc_auc_score(y, p), abs=1e-3)
    full_x, full_height, _ = sk.roc_curve(y, p, drop_intermediate=False)
    assert np.abs(np.interp(full_x, x, height) - full_height).max() < 0.006
    assert tuple(points.iloc[0, :2]) == (0, 0)
    assert tuple(points.iloc[-1, :2]) == (1, 1)


def test_thinned_precision_recall_stays_on_the_curve():
    y, p = scored()
    points = curves.precision_recall_curve(y, p)
    assert len(points) <= curves.MAX_POINTS
    precision, recall, thresholds = sk.precision_recall_curve(y, p)
    at = np.searchsorted(thresholds, points["threshold"])
    np.testing.assert_allclose(points["precision"], precision[at])
    np.testing.assert_allclose(points["recall"], recall[at])
    assert points["recall"].diff().max() < 0.03
    wide = recall[:-1] > 0.05
    gap = np.interp(recall[:-1][wide], points["recall"], points["precision"]) - precision[:-1][wide]
    assert np.abs(gap).max() < 0.01


def test_short_curves_are_not_thinned():
    y, p = scored(rows=60)
    assert len(curves.precision_recall_curve(y, p)) == 60
    assert len(curves.roc_curve(y, p)) == 61


def test_gain_and_lift():
    points = curves.gain_curve([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    np.testing.assert_allclose(points["targeted"], [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(points["gain"], [0.5, 0.5, 1, 1])
    np.testing.assert_allclose(points["lift"], [2, 1, 4 / 3, 1])
    assert len(curves.gain_curve(*scored())) <= curves.MAX_POINTS


def test_calibration_bins_carry_every_row_and_wilsons_interval():
    y, p = scored()
    table = curves.calibration_curve(y, p)
    assert table["rows"].sum() == len(y)
    low, high = proportion_confint(table["observed"] * table["rows"], table["rows"], method="wilson")
    np.testing.assert_allclose(table["low"], low)
    np.testing.assert_allclose(table["high"], high)
    inside = table["probability"].between(table["low"], table["high"])
    assert inside.mean() >= 0.8
    assert len(curves.calibration_curve([0, 1], [0.05, 0.95])) == 2


def test_score_histogram_counts_each_class_apart():
    y, p = scored()
    table = curves.score_histogram(y, p)
    totals = table.groupby("class")[["rows", "share"]].sum()
    assert totals["rows"].to_list() == [(~y).sum(), y.sum()]
    np.testing.assert_allclose(totals["share"], 1)
    wide = curves.score_histogram(y, p * 10 - 5)
    assert wide["rows"].sum() == len(y)


@pytest.mark.parametrize("y", [[], [0, 0, 0], [1, 1, 1]])
def test_one_class_gives_empty_or_plain_curves(y):
    s = np.full(len(y), 0.5)
    assert curves.roc_curve(y, s).empty
    for curve in (curves.precision_recall_curve, curves.gain_curve):
        assert not curve(y, s).isna().any(axis=None)
    assert curves.calibration_curve(y, s)["rows"].sum() == len(y)
    assert curves.score_histogram(y, s)["rows"].sum() == len(y)
