"""How good the scores probably are, before any label is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evergreen.errors import EvergreenError
from evergreen.monitoring.density_ratio import DensityRatio
from evergreen.monitoring.expected_metrics import METRICS, ScoreGroups, expected_metrics, grouped
from evergreen.monitoring.label_shift import shifted_prior
from evergreen.monitoring.parameters import EstimateMethod
from evergreen.monitoring.recalibration import CalibrationKind, calibrated, refitted, simplest_calibration
from evergreen.records import Frozen

__all__ = ["METRICS", "Estimate", "EstimatedPerformance", "LabelShiftReading", "estimate_performance"]

Floats = NDArray[np.float64]
_REFITS = 60
_DRAWS = 300
_MIN_REFERENCE_PER_CLASS = 30
_CBPE_ASSUMES = "that a score still means the probability that it meant in the reference"
_CBPE_BLIND = (
    "any change of the outcome at a given score: of what it depends on (concept drift), of the rows behind a score "
    "(covariate shift), of how common it is (label shift)"
)
_PAPE_ASSUMES = (
    "that rows with the same features have the outcome as often as they had in the reference, and that the reference "
    "has rows like all of the window's"
)
_PAPE_BLIND = "concept drift, and a change of how common the outcome is that the features do not show"


class Estimate(Frozen):
    """An estimated metric; None where it is undefined. The interval covers the window's realised metric."""

    value: float | None
    low: float | None = None
    high: float | None = None


class LabelShiftReading(Frozen):
    """The estimate under another assumption: rows of either outcome look as before, only their shares moved.

    Attributes:
        reference_share: Share of positives in the reference.
        share: Share in the window that explains its scores best.
        low: Lower end of its interval.
        high: Upper end of its interval.
        metrics: Estimates under that share.
        assumes: What the numbers rest on.
    """

    reference_share: float
    share: float
    low: float
    high: float
    metrics: dict[str, Estimate]
    assumes: str = "that rows with the outcome, and rows without it, look as they did in the reference"


class EstimatedPerformance(Frozen):
    """Performance estimation of one window.

    Attributes:
        status: ``ok`` or ``insufficient_data``.
        rows: Scores in the window.
        metrics: Estimates of roc_auc, accuracy, precision, recall and f1.
        ci: Coverage that the intervals aim for.
        threshold: Scores of at least this are predicted positive.
        calibration: How the reference's scores were turned into probabilities.
        method: ``pape``: the reference's rows weigh as they are frequent in the window; ``cbpe``: they weigh alike.
        effective_rows: Unweighted reference rows that say as much as the weighted ones; None without weights.
        label_shift: The same under the assumption of label shift; None where it was not read.
        target: What the numbers estimate.
        assumes: What they rest on.
        blind_spot: What they cannot see.
    """

    status: Literal["ok", "insufficient_data"]
    rows: int
    metrics: dict[str, Estimate]
    ci: float
    threshold: float
    calibration: CalibrationKind
    method: EstimateMethod = "cbpe"
    effective_rows: float | None = None
    label_shift: LabelShiftReading | None = None
    target: str = "the metric that this window's own labels will give, sampling noise included"
    assumes: str = _CBPE_ASSUMES
    blind_spot: str = _CBPE_BLIND


def estimate_performance(
    reference_scores: ArrayLike,
    reference_labels: ArrayLike,
    scores: ArrayLike,
    *,
    threshold: float = 0.5,
    ci: float = 0.95,
    ratio: DensityRatio | None = None,
    blocks: NDArray[np.intp] | None = None,
    seed: int = 0,
) -> EstimatedPerformance:
    """Estimate the metrics of ``scores`` without their labels, from what scores meant in the reference.

    Each score becomes a probability through the simplest calibration that the reference supports (none,
    logistic on the log-odds, isotonic: a more complex one must win by cross-validated Brier score). A
    confusion matrix and a ROC curve of expected counts follow. Intervals are the quantiles of metrics under
    drawn labels, each draw with a calibration refitted on a bootstrap of the reference, whose weights come from
    repeated cross-fittings by turns. Without weights the idea is NannyML's CBPE, with them PAPE (Białek, Nowak,
    Kanagal, arXiv 2401.08348). Time and memory don't depend on the window beyond sorting it.

    Args:
        reference_scores: Scores in [0, 1] of rows that the model has not learnt from, shape (n,).
        reference_labels: Their labels 0/1, shape (n,).
        scores: Scores of the window, shape (m,).
        threshold: Scores of at least this are predicted positive.
        ci: Coverage of the intervals.
        ratio: Weights of the reference's rows, see :func:`density_ratio`; None: they weigh alike.
        blocks: Block of each reference row where rows are dependent, shape (n,).
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
        unknown = {name: Estimate(value=None) for name in METRICS}
        return EstimatedPerformance(
            status="insufficient_data", rows=len(new), metrics=unknown, ci=ci, threshold=threshold, calibration="none"
        )
    rng = np.random.default_rng(seed)
    groups = grouped(new, threshold)
    weights = np.ones((1, len(ref))) if ratio is None else ratio.weights
    kind, point, several = _read(ref, labels, weights, groups, blocks, rng)
    plain = (kind, point, several) if ratio is None else _read(ref, labels, np.ones((1, len(ref))), groups, blocks, rng)
    said = {} if ratio is None else {"method": "pape", "assumes": _PAPE_ASSUMES, "blind_spot": _PAPE_BLIND}
    return EstimatedPerformance(
        status="ok",
        rows=len(new),
        metrics=_estimates(groups, point, several, ci, rng),
        ci=ci,
        threshold=threshold,
        calibration=kind,
        effective_rows=None if ratio is None else ratio.effective_rows,
        label_shift=_label_shift(groups, plain[1], plain[2], float(labels.mean()), ci, rng),
        **said,
    )


def _read(
    ref: Floats,
    labels: Floats,
    weights: Floats,
    groups: ScoreGroups,
    blocks: NDArray[np.intp] | None,
    rng: np.random.Generator,
) -> tuple[CalibrationKind, Floats, Floats]:
    """The calibration, the probability of each group's score by it, and by its refits, shape (refits, groups)."""
    mean = weights.mean(axis=0)
    kind = simplest_calibration(ref, labels, mean, rng)
    point = calibrated(kind, ref, labels, mean, groups.scores)
    return kind, point, refitted(kind, ref, labels, weights, groups.scores, _REFITS, rng, blocks)


def _estimates(
    groups: ScoreGroups, point: Floats, several: Floats, ci: float, rng: np.random.Generator
) -> dict[str, Estimate]:
    values = expected_metrics(groups, (groups.sizes * point)[None, :])
    repeated = np.repeat(several, _DRAWS // len(several), axis=0)
    drawn = rng.binomial(groups.sizes.astype(np.int64), np.clip(repeated, 0, 1)).astype(float)
    draws: Mapping[str, Floats] = expected_metrics(groups, drawn)
    tails = [(1 - ci) / 2, (1 + ci) / 2]
    estimates = {}
    for name in METRICS:
        if np.isnan(values[name][0]) or np.isnan(draws[name]).all():
            estimates[name] = Estimate(value=None)
            continue
        low, high = np.nanquantile(draws[name], tails)
        value = float(values[name][0])
        estimates[name] = Estimate(value=value, low=min(float(low), value), high=max(float(high), value))
    return estimates


def _label_shift(
    groups: ScoreGroups, point: Floats, several: Floats, prior: float, ci: float, rng: np.random.Generator
) -> LabelShiftReading:
    share, corrected = shifted_prior(point[None, :], groups.sizes, prior)
    sizes = rng.poisson(groups.sizes, several.shape).astype(float)
    shares, moved = shifted_prior(several, sizes, prior)
    low, high = np.quantile(shares, [(1 - ci) / 2, (1 + ci) / 2])
    value = float(share[0])
    return LabelShiftReading(
        reference_share=prior,
        share=value,
        low=min(float(low), value),
        high=max(float(high), value),
        metrics=_estimates(groups, corrected[0], moved, ci, rng),
    )


def _probabilities(scores: ArrayLike, where: str) -> Floats:
    values = np.asarray(scores, float).ravel()
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        raise EvergreenError(
            f"Performance estimation: {where} scores range from {values.min():.3g} to {values.max():.3g}, "
            "allowed is 0 to 1 without missing values; pass probabilities."
        )
    return values
