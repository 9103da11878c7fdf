from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.svm import SVC

from evergreen.modelling.calibration import (
    Platt,
    PlattScaled,
    cross_fitted,
    fit_platt,
    logit_scores,
    staged_logit_scores,
)


def scores_and_labels(slope: float, intercept: float, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, rows)
    return scores, (rng.random(rows) < expit(slope * scores + intercept)).astype(int)


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.4, -1), (3, 2)])
def test_platt_recovers_the_sigmoid_that_made_the_labels(slope, intercept):
    scores, y = scores_and_labels(slope, intercept)
    assert fit_platt(scores, y) == pytest.approx((slope, intercept), rel=0.05, abs=0.05)


def test_platt_agrees_with_a_second_implementation_of_the_unsmoothed_fit():
    scores, y = scores_and_labels(0.5, -0.5)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(scores[:, None], y)
    assert fit_platt(scores, y) == pytest.approx((reference.coef_[0, 0], reference.intercept_[0]), abs=2e-3)


def test_weights_count_like_repeated_rows():
    scores, y = scores_and_labels(0.7, 0.3, rows=200)
    times = np.random.default_rng(1).integers(1, 4, 200)
    assert fit_platt(scores, y, times.astype(float)) == pytest.approx(
        fit_platt(np.repeat(scores, times), np.repeat(y, times)), abs=1e-6
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_separable_scores_give_a_finite_sigmoid(scale):
    fitted = fit_platt(scale * np.array([-2.0, -1, 1, 2]), np.array([0, 0, 1, 1]))
    assert np.isfinite(fitted).all()
    assert fitted.slope > 0


def test_scores_that_rank_backwards_are_left_alone():
    scores, y = scores_and_labels(-1, 0)
    assert fit_platt(scores, y) == Platt()


def test_cross_fitting_helps_overconfident_scores_and_never_sees_a_folds_own_labels():
    scores, y = scores_and_labels(0.4, -1, rows=3000)
    fold = np.arange(3000) % 5
    probability = cross_fitted(scores, y, fold)
    assert brier_score_loss(y, probability) < brier_score_loss(y, expit(scores)) - 0.01
    flipped = np.where(fold == 2, 1 - y, y)
    np.testing.assert_array_equal(cross_fitted(scores, flipped, fold)[fold == 2], probability[fold == 2])


def test_a_plain_sigmoid_leaves_the_inner_probability_untouched():
    X = np.random.default_rng(0).normal(size=(100, 2))
    y = (X[:, 0] > 0).astype(int)
    model = PlattScaled(LogisticRegression()).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), LogisticRegression().fit(X, y).predict_proba(X))


def test_slope_and_intercept_act_on_the_logit_scale_and_keep_the_ranking():
    X = np.random.default_rng(0).normal(size=(100, 2))
    y = (X[:, 0] + X[:, 1] > 0.3).astype(int)
    plain = PlattScaled(LogisticRegression()).fit(X, y)
    before = plain.predict_proba(X)[:, 1]
    after = plain.set_params(slope=0.5, intercept=1.0).predict_proba(X)[:, 1]
    np.testing.assert_allclose(logit(after), 0.5 * logit(before) + 1)
    assert (np.argsort(after) == np.argsort(before)).all()


def test_a_decision_function_serves_where_there_is_no_probability():
    X = np.random.default_rng(0).normal(size=(100, 2))
    y = (X[:, 0] > 0).astype(int)
    model = PlattScaled(SVC(), slope=2.0, intercept=-1.0).fit(X, y)
    margin = SVC().fit(X, y).decision_function(X)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expit(2 * margin - 1))


def test_weights_reach_the_inner_estimator():
    X = np.random.default_rng(0).normal(size=(100, 1))
    y = (np.arange(100) % 2).astype(int)
    weight = np.where(y == 1, 9.0, 1.0)
    assert clone(PlattScaled(LogisticRegression())).fit(X, y, weight).predict_proba(X)[:, 1].mean() > 0.8


def test_scores_of_fewer_rounds_are_those_of_a_shorter_fit():
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = (X[:, 0] > 0).astype(int)
    staged = staged_logit_scores(HistGradientBoostingClassifier(max_iter=20).fit(X, y), X, [5, 20])
    short = HistGradientBoostingClassifier(max_iter=5).fit(X, y)
    np.testing.assert_allclose(staged[:, 0], logit_scores(short, X))
