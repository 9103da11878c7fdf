"""How good the scores probably are, before any label is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from sklearn.isotonic import IsotonicRegression

from evergreen.errors import EvergreenError
from evergreen.modelling.calibration import newton_sigmoid
from evergreen.records import Frozen

Floats = NDArray[np.float64]
CalibrationKind = Literal["none", "logistic", "isotonic"]
METRICS = ("roc_auc", "accuracy", "precision", "recall", "f1")
_GROUPS = 2_000
_REFERENCE_GROUPS = 300
_REFITS = 60
_DRAWS = 300
_FOLDS = 5
_MIN_REFERENCE_PER_CLASS = 30


class Estimate(Frozen):
    """An estimated metric; None where it is undefined. The interval covers the window's realised metric."""

    value: float | None
    low: float | None = None
    high: float | None = None


class EstimatedPerformance(Frozen):
    """Confidence-based performance estimation (CBPE) of one window.

    Attributes:
        status: ``ok`` or ``insufficient_data``.
        rows: Scores in the window.
        metrics: Estimates of roc_auc, accuracy, precision, recall and f1.
        ci: Coverage that the intervals aim for.
        threshold: Scores of at least this are predicted positive.
        calibration: How the reference's scores were turned into probabilities.
        target: What the numbers estimate.
        blind_spot: What the numbers cannot see.
    """

    status: Literal["ok", "insufficient_data"]
    rows: int
    metrics: dict[str, Estimate]
    ci: float
    threshold: float
    calibration: CalibrationKind
    target: str = "the metric that this window's own labels will give, sampling noise included"
    blind_spot: str = (
        "concept drift: the estimate assumes that a score still means the probability that it meant in the reference"
    )


@dataclass(frozen=True)
class _Groups:
    """Scores in rising order, cut into groups on one side of the threshold each."""

    sizes: Floats
    scores: Floats
    predicted: NDArray[np.bool_]


def estimate_performance(
    reference_scores: ArrayLike,
    reference_labels: ArrayLike,
    scores: ArrayLike,
    *,
    threshold: float = 0.5,
    ci: float = 0.95,
    seed: int = 0,
) -> EstimatedPerformance:
    """Estimate the metrics of ``scores`` without their labels, from what scores meant in the reference.

    Each score becomes a probability through the simplest calibration that the reference supports (none,
    logistic on the log-odds, isotonic: a more complex one must win by cross-validated Brier score). A
    confusion matrix and a ROC curve of expected counts follow. Intervals are the quantiles of metrics under
    drawn labels, each draw with a calibration refitted on a bootstrap of the reference. The idea is NannyML's
    CBPE. Time and memory don't depend on the window beyond sorting it.

    Args:
        reference_scores: Out-of-fold scores in [0, 1], shape (n,).
        reference_labels: Their labels 0/1, shape (n,).
        scores: Scores of the window, shape (m,).
        threshold: Scores of at least this are predicted positive.
        ci: Coverage of the intervals.
        seed: Seed of the draws.

    Raises:
        EvergreenError: Scores lie outside [0, 1], labels aren't 0/1, or lengths differ.
    """
    ref, new = _probabilities(reference_scores, "reference"), _probabilities(scores, "window")
    labels = np.asarray(reference_labels, float)
    if labels.shape != ref.shape or not np.isin(labels, (0.0, 1.0)).all():
        raise EvergreenError(
            f"Reference labels: expected {len(ref)} labels of 0 or 1, one a score, found {labels.size} with "
            f"values {np.unique(labels)[:5].tolist()}; pass the labels that belong to the scores."
        )
    positives = int(labels.sum())
    if len(new) == 0 or min(positives, len(ref) - positives) < _MIN_REFERENCE_PER_CLASS:
        return EstimatedPerformance(
            status="insufficient_data",
            rows=len(new),
            metrics={name: Estimate(value=None) for name in METRICS},
            ci=ci,
            threshold=threshold,
            calibration="none",
        )
    rng = np.random.default_rng(seed)
    kind = _simplest_calibration(ref, labels, rng)
    groups = _grouped(new, threshold)
    point = calibrated(kind, ref, labels, None, groups.scores)
    values = _metrics(groups, (groups.sizes * point)[None, :])
    probabilities = point[None, :] if kind == "none" else _refitted(kind, ref, labels, groups.scores, rng)
    repeated = np.repeat(probabilities, _DRAWS // len(probabilities), axis=0)
    drawn = rng.binomial(groups.sizes.astype(np.int64), repeated).astype(float)
    draws = _metrics(groups, drawn)
    tails = [(1 - ci) / 2, (1 + ci) / 2]
    estimates = {}
    for name in METRICS:
        if np.isnan(values[name][0]) or np.isnan(draws[name]).all():
            estimates[name] = Estimate(value=None)
            continue
        low, high = np.nanquantile(draws[name], tails)
        value = float(values[name][0])
        estimates[name] = Estimate(value=value, low=min(float(low), value), high=max(float(high), value))
    return EstimatedPerformance(
        status="ok", rows=len(new), metrics=estimates, ci=ci, threshold=threshold, calibration=kind
    )


def calibrated(kind: CalibrationKind, scores: Floats, labels: Floats, weights: Floats | None, new: Floats) -> Floats:
    """Probabilities of ``new`` scores by a calibration fitted on ``scores`` and ``labels``."""
    if kind == "none":
        return new
    if kind == "isotonic":
        model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        return np.asarray(model.fit(scores, labels, sample_weight=weights).predict(new))
    line = newton_sigmoid(_log_odds(scores), labels, np.ones(len(scores)) if weights is None else weights)
    return line.probability(_log_odds(new))


def _refitted(kind: CalibrationKind, scores: Floats, labels: Floats, new: Floats, rng: np.random.Generator) -> Floats:
    """Probabilities under calibrations refitted on Poisson bootstraps of the reference, shape (refits, n)."""
    order = np.argsort(scores)
    starts = np.unique(np.linspace(0, len(scores), _REFERENCE_GROUPS + 1).astype(int)[:-1])
    sizes = np.diff([*starts, len(scores)])
    positives = np.add.reduceat(labels[order], starts)
    means = np.tile(np.add.reduceat(scores[order], starts) / sizes, 2)
    sides = np.repeat([1.0, 0.0], len(starts))
    rates = np.concatenate([positives, sizes - positives])
    return np.stack([calibrated(kind, means, sides, rng.poisson(rates).astype(float), new) for _ in range(_REFITS)])


def _probabilities(scores: ArrayLike, where: str) -> Floats:
    values = np.asarray(scores, float).ravel()
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        raise EvergreenError(
            f"Performance estimation: {where} scores range from {values.min():.3g} to {values.max():.3g}, "
            "allowed is 0 to 1 without missing values; pass probabilities."
        )
    return values


def _log_odds(scores: Floats) -> Floats:
    return special.logit(np.clip(scores, 1e-6, 1 - 1e-6))


def _simplest_calibration(scores: Floats, labels: Floats, rng: np.random.Generator) -> CalibrationKind:
    """The first of none, logistic, isotonic whose Brier score no later one beats beyond one standard error."""
    folds = rng.permutation(len(scores)) % _FOLDS
    kinds: tuple[CalibrationKind, ...] = ("none", "logistic", "isotonic")
    losses = {kind: np.empty(len(scores)) for kind in kinds}
    for fold in range(_FOLDS):
        inside = folds == fold
        fitted = partial(calibrated, scores=scores[~inside], labels=labels[~inside], weights=None)
        for kind in kinds:
            losses[kind][inside] = (fitted(kind, new=scores[inside]) - labels[inside]) ** 2
    chosen = kinds[0]
    for kind in kinds[1:]:
        gain = losses[chosen] - losses[kind]
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            chosen = kind
    return chosen


def _grouped(scores: Floats, threshold: float) -> _Groups:
    ordered = np.sort(scores)
    ranks = np.linspace(0, len(ordered), min(_GROUPS, len(ordered)) + 1).astype(int)
    starts = np.unique([*ranks[:-1], min(np.searchsorted(ordered, threshold), len(ordered) - 1)])
    sizes = np.diff([*starts, len(ordered)]).astype(float)
    means = np.add.reduceat(ordered, starts) / sizes
    return _Groups(sizes, means, ordered[starts] >= threshold)


def _metrics(groups: _Groups, positives: Floats) -> dict[str, Floats]:
    """Metrics from positives per group, shape (draws, groups); each of shape (draws,)."""
    negatives = groups.sizes - positives
    total, total_negative = positives.sum(axis=1), negatives.sum(axis=1)
    hits, false_alarms = positives[:, groups.predicted].sum(axis=1), negatives[:, groups.predicted].sum(axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "roc_auc": (positives * below).sum(axis=1) / (total * total_negative),
            "accuracy": (hits + total_negative - false_alarms) / groups.sizes.sum(),
            "precision": hits / (hits + false_alarms),
            "recall": hits / total,
            "f1": 2 * hits / (hits + false_alarms + total),
        }
