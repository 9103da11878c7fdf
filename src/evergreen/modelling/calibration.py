"""Does a score of .8 mean eight in ten?"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

_CLIP = 1e-6
_NEWTON_STEPS = 100


class Platt(NamedTuple):
    """A sigmoid on the logit scale: calibrated probability = sigmoid(slope · score + intercept)."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n,) of logit scores (n,)."""
        return expit(self.slope * scores + self.intercept)


def fit_platt(scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Platt:
    """Fit Platt's sigmoid by Newton's method on his smoothed targets.

    Targets are (N₊ + 1) / (N₊ + 2) for positives and 1 / (N₋ + 2) for negatives, so that separable scores
    give a finite slope.

    Args:
        scores: (n,) logit scores of rows that the model was not fitted on.
        y: (n,) labels.
        sample_weight: (n,) weights, all one by default.

    Returns:
        Slope and intercept; the identity where the fitted slope would turn the ranking round.

    References:
        Platt, "Probabilistic outputs for support vector machines" (1999). Lin, Lin and Weng, "A note on
        Platt's probabilistic outputs for support vector machines" (2007) for the numerics.
    """
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    positives = float(weight[y == 1].sum())
    negatives = float(weight[y == 0].sum())
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    fitted = newton_sigmoid(scores, target, weight)
    return fitted if fitted.slope > 0 else Platt()


def newton_sigmoid(scores: np.ndarray, target: np.ndarray, weight: np.ndarray) -> Platt:
    """The sigmoid of least weighted log loss, by Newton's method; steps are halved until the loss falls.

    Args:
        scores: (n,) scores on the logit scale.
        target: (n,) labels or probabilities in [0, 1].
        weight: (n,) weights.

    Returns:
        Slope and intercept, as far as a hundred steps bring them where scores separate the labels.
    """
    design = np.column_stack([scores, np.ones(len(scores))])
    beta = np.array([1.0, 0.0])

    def loss(candidate: np.ndarray) -> float:
        margin = design @ candidate
        return float(weight @ (np.logaddexp(0, margin) - target * margin))

    current = loss(beta)
    for _ in range(_NEWTON_STEPS):
        probability = expit(design @ beta)
        gradient = design.T @ (weight * (probability - target))
        curvature = weight * probability * (1 - probability)
        step = np.linalg.solve((design * curvature[:, None]).T @ design + 1e-9 * np.eye(2), gradient)
        scale = 1.0
        while loss(beta - scale * step) > current and scale > 1e-10:
            scale /= 2
        beta = beta - scale * step
        former, current = current, loss(beta)
        if former - current <= 1e-10 * abs(former):
            break
    return Platt(float(beta[0]), float(beta[1]))


def cross_fitted(
    scores: np.ndarray, y: np.ndarray, fold: np.ndarray, sample_weight: np.ndarray | None = None
) -> np.ndarray:
    """Calibrate every fold by a sigmoid fitted on the others.

    Args:
        scores: (n,) out-of-fold logit scores.
        y: (n,) labels.
        fold: (n,) fold numbers.
        sample_weight: (n,) weights.

    Returns:
        (n,) probabilities, none of which saw its own label.
    """
    probability = np.empty(len(scores))
    for number, sigmoid in platt_of_others(scores, y, fold, sample_weight).items():
        inside = fold == number
        probability[inside] = sigmoid.probability(scores[inside])
    return probability


def platt_of_others(
    scores: np.ndarray, y: np.ndarray, fold: np.ndarray, sample_weight: np.ndarray | None = None
) -> dict[int, Platt]:
    """Each fold's sigmoid by its number, fitted on the others; arguments as for :func:`cross_fitted`."""
    found = {}
    for number in np.unique(fold):
        others = fold != number
        weight = None if sample_weight is None else sample_weight[others]
        found[int(number)] = fit_platt(scores[others], y[others], weight)
    return found


def logit_scores(estimator: Any, X: np.ndarray) -> np.ndarray:
    """An estimator's scores on the logit scale: of its probability, or its decision function where it has none.

    Args:
        estimator: A fitted binary classifier.
        X: (n, p) features.

    Returns:
        (n,) scores; probabilities are kept 1e-6 away from 0 and 1 so that scores are finite.
    """
    if hasattr(estimator, "predict_proba"):
        return logit(np.clip(estimator.predict_proba(X)[:, 1], _CLIP, 1 - _CLIP))
    return estimator.decision_function(X)


def staged_logit_scores(estimator: Any, X: np.ndarray, rounds: list[int]) -> np.ndarray:
    """Scores after several numbers of boosting rounds, from one fit: its first r stages are r rounds.

    Args:
        estimator: A fitted boosting classifier with at least ``max(rounds)`` stages.
        X: (n, p) features.
        rounds: Numbers of rounds, ascending.

    Returns:
        (n, len(rounds)) scores.
    """
    staged = enumerate(estimator.staged_predict_proba(X), start=1)
    probabilities = [probability[:, 1] for count, probability in staged if count in rounds]
    return logit(np.clip(np.column_stack(probabilities), _CLIP, 1 - _CLIP))


class PlattScaled(ClassifierMixin, BaseEstimator):
    """A classifier whose probability passes through Platt's sigmoid; the last step of every pipeline.

    With slope 1 and intercept 0 it is the inner classifier as it is (a decision function then goes through the
    plain sigmoid). Slope and intercept come from out-of-fold scores and are parameters, not fitted here.

    Args:
        estimator: The inner classifier.
        slope: Slope on the logit scale, positive.
        intercept: Intercept on the logit scale.
    """

    def __init__(self, estimator: Any, slope: float = 1.0, intercept: float = 0.0) -> None:
        self.estimator = estimator
        self.slope = slope
        self.intercept = intercept

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit a clone of the inner classifier."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimator_ = clone(self.estimator).fit(X, y, **weights)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n, 2)."""
        check_is_fitted(self)
        if (self.slope, self.intercept) == (1.0, 0.0) and hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(X)
        positive = Platt(self.slope, self.intercept).probability(logit_scores(self.estimator_, X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Classes (n,) at probability .5; the decision threshold stands with the version."""
        return self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]
