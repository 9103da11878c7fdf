"""Metrics of scores whose labels are known only as probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
METRICS = ("roc_auc", "accuracy", "precision", "recall", "f1")
_GROUPS = 2_000


@dataclass(frozen=True)
class ScoreGroups:
    """Scores in rising order, cut into groups on one side of the threshold each."""

    sizes: Floats
    scores: Floats
    predicted: NDArray[np.bool_]


def grouped(scores: Floats, threshold: float) -> ScoreGroups:
    """At most some 2,000 groups of scores, shape (n,): neither time nor memory depends on n beyond sorting."""
    ordered = np.sort(scores)
    ranks = np.linspace(0, len(ordered), min(_GROUPS, len(ordered)) + 1).astype(int)
    starts = np.unique([*ranks[:-1], min(np.searchsorted(ordered, threshold), len(ordered) - 1)])
    sizes = np.diff([*starts, len(ordered)]).astype(float)
    means = np.add.reduceat(ordered, starts) / sizes
    return ScoreGroups(sizes, means, ordered[starts] >= threshold)


def expected_metrics(groups: ScoreGroups, positives: Floats) -> dict[str, Floats]:
    """Metrics from positives per group, shape (draws, groups); each of shape (draws,), NaN where undefined."""
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
