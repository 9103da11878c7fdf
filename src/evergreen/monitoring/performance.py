"""How good the model really was on rows whose labels have matured, against what it promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from evergreen.evaluation.metrics import Metric, classification_metrics
from evergreen.monitoring.parameters import PerformancePolicy
from evergreen.records import Frozen

WATCHED = ("accuracy", "precision", "recall", "f1", "roc_auc")


class MetricDrop(Frozen):
    """One metric now and then.

    Attributes:
        reference: The version's metric on its test window.
        window: The metric on the window's mature labels.
        drop: Reference less window; None where either is unknown.
        low: Lower end of the drop's interval, noise of both sides included; all metrics' hold at once.
        high: Upper end of the drop's interval.
        limit: Largest allowed drop, the smaller of both limits.
        alert: Whether the drop passes the limit and its interval lies above zero.
        status: ``ok``, ``alert`` or ``insufficient_data``.
    """

    reference: float | None
    window: Metric
    drop: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    alert: bool = False
    status: Literal["ok", "alert", "insufficient_data"]


class PerformanceReport(Frozen):
    """Realised performance of one window.

    Attributes:
        status: ``alert`` when any metric alerts, ``insufficient_data`` when none could be compared.
        rows: Rows with mature labels.
        metrics: Comparison by metric.
    """

    status: Literal["ok", "alert", "insufficient_data"]
    rows: int
    metrics: dict[str, MetricDrop]


def measure_performance(
    labels: ArrayLike,
    scores: ArrayLike,
    reference: Mapping[str, Metric],
    *,
    threshold: float = 0.5,
    policy: PerformancePolicy | None = None,
    blocks: ArrayLike | None = None,
) -> PerformanceReport:
    """Compare the metrics of mature labels with the version's reference metrics.

    A metric alerts when its drop exceeds a limit and the interval of the drop, with the noise of both sides
    (MOVER: Zou and Donner 2008) and widened for the number of metrics (Bonferroni), lies above zero.

    Args:
        labels: Mature labels 0/1, shape (n,).
        scores: Their scores, shape (n,).
        reference: The version's metrics on its test window, by name, with intervals where known.
        threshold: Scores of at least this are predicted positive.
        policy: When a drop is an alert; default ``PerformancePolicy()``.
        blocks: Block of each row where rows are dependent, shape (n,).
    """
    policy = policy or PerformancePolicy()
    y = np.asarray(labels)
    found = classification_metrics(y, scores, threshold=threshold, ci=policy.ci, blocks=blocks)
    metrics = {name: _drop(reference.get(name), found[name], policy) for name in WATCHED}
    statuses = {metric.status for metric in metrics.values()}
    status: Literal["ok", "alert", "insufficient_data"] = "insufficient_data"
    if "alert" in statuses:
        status = "alert"
    elif "ok" in statuses:
        status = "ok"
    return PerformanceReport(status=status, rows=len(y), metrics=metrics)


class PositiveRateShift(Frozen):
    """How the share of positive predictions moved.

    Attributes:
        reference: Share of positive predictions in the reference.
        window: Share in the window.
        relative_change: Window over reference, less one; None where the reference has no positives.
        low: Lower end of the relative change's interval.
        high: Upper end of the relative change's interval.
        ci: Coverage of the interval.
        alert: Whether the change passes the limit and its interval excludes zero.
    """

    reference: float | None
    window: float | None
    relative_change: float | None = None
    low: float | None = None
    high: float | None = None
    ci: float = 0.95
    alert: bool = False


def positive_rate_shift(
    reference_predictions: ArrayLike,
    predictions: ArrayLike,
    *,
    limit: float = 0.2,
    ci: float = 0.95,
    design_effect: float = 1.0,
    windows: float | None = None,
) -> PositiveRateShift:
    """Compare the shares of positive predictions.

    The interval of the relative change comes from the log of the ratio of two proportions (Katz 1978), its
    variance multiplied by ``design_effect`` where rows are dependent.

    Args:
        reference_predictions: Predictions 0/1 in the reference, shape (n,).
        predictions: Predictions 0/1 in the window, shape (m,).
        limit: Largest allowed relative change, either way.
        ci: Coverage of the interval.
        design_effect: Variance inflation by dependent rows, from the profile of the scores.
        windows: Number of held-out windows that it was estimated from, whose Student's quantile the interval takes;
            None where rows are independent.
    """
    ref, new = np.asarray(reference_predictions, float), np.asarray(predictions, float)
    if not len(ref) or not len(new):
        return PositiveRateShift(reference=None, window=float(new.mean()) if len(new) else None)
    p, q = float(ref.mean()), float(new.mean())
    if p == 0:
        return PositiveRateShift(reference=p, window=q)
    hits = max(new.sum(), 0.5), ref.sum()
    variance = 1 / hits[0] - 1 / max(len(new), 1) + 1 / hits[1] - 1 / len(ref)
    quantile = stats.norm.ppf((1 + ci) / 2) if windows is None else stats.t.ppf((1 + ci) / 2, windows)
    half = quantile * np.sqrt(max(variance, 0.0) * design_effect)
    ratio = hits[0] / len(new) / p
    low, high = ratio * np.exp(-half) - 1, ratio * np.exp(half) - 1
    change = q / p - 1
    alert = abs(change) > limit and not low <= 0 <= high
    return PositiveRateShift(
        reference=p, window=q, relative_change=change, low=float(low), high=float(high), ci=ci, alert=bool(alert)
    )


def _jointly(ci: float) -> float:
    """How much wider an interval is that holds together with those of the other watched metrics."""
    alone = (1 - ci) / 2
    return float(stats.norm.isf(alone / len(WATCHED)) / stats.norm.isf(alone))


def _drop(reference: Metric | None, window: Metric, policy: PerformancePolicy) -> MetricDrop:
    before = None if reference is None else reference.value
    if before is None or window.value is None or window.low is None or window.high is None:
        return MetricDrop(reference=before, window=window, status="insufficient_data")
    if reference is None or reference.low is None or reference.high is None:  # nobody knows how exact it is
        return MetricDrop(reference=before, window=window, status="insufficient_data")
    drop = before - window.value
    wider = _jointly(policy.ci)
    low = drop - wider * float(np.hypot(before - reference.low, window.high - window.value))
    high = drop + wider * float(np.hypot(reference.high - before, window.value - window.low))
    limit = min(policy.absolute_drop, policy.relative_drop * before)
    alert = drop > limit and low > 0
    return MetricDrop(
        reference=before,
        window=window,
        drop=drop,
        low=low,
        high=high,
        limit=limit,
        alert=alert,
        status="alert" if alert else "ok",
    )
