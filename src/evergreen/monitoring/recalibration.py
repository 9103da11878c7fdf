"""What a score means as a probability, learnt from scores whose labels are known, weighted or not."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.isotonic import IsotonicRegression

from evergreen.modelling.calibration import newton_sigmoid

Floats = NDArray[np.float64]
CalibrationKind = Literal["none", "logistic", "isotonic"]
_REFERENCE_GROUPS = 300
_FOLDS = 5


def calibrated(kind: CalibrationKind, scores: Floats, labels: Floats, weights: Floats | None, new: Floats) -> Floats:
    """Probabilities of ``new`` scores by a calibration fitted on ``scores`` and ``labels``."""
    if kind == "none":
        return new
    if kind == "isotonic":
        model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        return np.asarray(model.fit(scores, labels, sample_weight=weights).predict(new))
    line = newton_sigmoid(_log_odds(scores), labels, np.ones(len(scores)) if weights is None else weights)
    return line.probability(_log_odds(new))


def refitted(
    kind: CalibrationKind,
    scores: Floats,
    labels: Floats,
    several_weights: Floats,
    new: Floats,
    refits: int,
    rng: np.random.Generator,
    blocks: NDArray[np.intp] | None = None,
) -> Floats:
    """Probabilities under calibrations refitted on Poisson bootstraps of the reference, shape (refits, n).

    Scores that need no calibration are refitted by a logistic one: that none is needed is itself only known from the
    same rows.

    Args:
        kind: The calibration.
        scores: Scores of the reference, shape (m,).
        labels: Their labels 0/1.
        several_weights: Sets of weights, which the refits take by turns, shape (sets, m).
        new: Scores to read, shape (n,).
        refits: Number of bootstraps.
        rng: Source of the bootstraps.
        blocks: Block of each reference row where rows are dependent: blocks are drawn, not rows.
    """
    order = np.argsort(scores)
    starts = np.unique(np.linspace(0, len(scores), _REFERENCE_GROUPS + 1).astype(int)[:-1])
    means = np.tile(np.add.reduceat(scores[order], starts) / np.diff([*starts, len(scores)]), 2)
    sides = np.repeat([1.0, 0.0], len(starts))
    codes = np.arange(len(scores)) if blocks is None else blocks
    positive = labels[order] == 1
    fits = []
    for number in range(refits):
        drawn = rng.poisson(1.0, int(codes.max()) + 1)[codes][order]
        weight = several_weights[number % len(several_weights)][order] * drawn
        both = [np.add.reduceat(np.where(side, weight, 0.0), starts) for side in (positive, ~positive)]
        fits.append(calibrated("logistic" if kind == "none" else kind, means, sides, np.concatenate(both), new))
    return np.stack(fits)


def simplest_calibration(
    scores: Floats, labels: Floats, weights: Floats | None, rng: np.random.Generator
) -> CalibrationKind:
    """The first of none, logistic, isotonic whose weighted Brier score no later one beats beyond one standard error."""
    folds = rng.permutation(len(scores)) % _FOLDS
    weight = np.ones(len(scores)) if weights is None else weights
    kinds: tuple[CalibrationKind, ...] = ("none", "logistic", "isotonic")
    losses = {kind: np.empty(len(scores)) for kind in kinds}
    for fold in range(_FOLDS):
        inside = folds == fold
        fitted = partial(calibrated, scores=scores[~inside], labels=labels[~inside], weights=weight[~inside])
        for kind in kinds:
            losses[kind][inside] = (fitted(kind, new=scores[inside]) - labels[inside]) ** 2
    chosen = kinds[0]
    for kind in kinds[1:]:
        gain = weight * (losses[chosen] - losses[kind])
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            chosen = kind
    return chosen


def _log_odds(scores: Floats) -> Floats:
    return special.logit(np.clip(scores, 1e-6, 1 - 1e-6))
