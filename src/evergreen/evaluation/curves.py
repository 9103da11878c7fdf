"""The points behind the pictures of an evaluation, few enough to draw and close enough to see no difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from evergreen.evaluation.auc import Floats, as_labels, as_scores
from evergreen.evaluation.redrawn_metrics import CALIBRATION_BINS, equal_width_bin

MAX_POINTS = 500


def roc_curve(y_true: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """ROC: ``false_positive_rate``, ``true_positive_rate``, ``threshold``; empty unless both classes exist.

    The first point, (0, 0), has an infinite threshold in theory: here it is missing.
    """
    counts = _counts_from_top(y_true, scores)
    if counts.empty or not 0 < counts["tp"].iloc[-1] < counts["taken"].iloc[-1]:
        return pd.DataFrame(columns=["false_positive_rate", "true_positive_rate", "threshold"], dtype=float)
    fp = counts["taken"] - counts["tp"]
    points = pd.DataFrame(
        {
            "false_positive_rate": fp / fp.iloc[-1],
            "true_positive_rate": counts["tp"] / counts["tp"].iloc[-1],
            "threshold": counts["threshold"],
        }
    )
    return _thin(points, "false_positive_rate", "true_positive_rate")


def precision_recall_curve(y_true: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """Precision and recall: ``recall``, ``precision``, ``threshold``; empty without positives."""
    counts = _counts_from_top(y_true, scores).iloc[1:]
    if counts.empty or counts["tp"].iloc[-1] == 0:
        return pd.DataFrame(columns=["recall", "precision", "threshold"], dtype=float)
    points = pd.DataFrame(
        {
            "recall": counts["tp"] / counts["tp"].iloc[-1],
            "precision": counts["tp"] / counts["taken"],
            "threshold": counts["threshold"],
        }
    )
    return _thin(points, "recall", "precision")


def gain_curve(y_true: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """Gain and lift: ``targeted`` (share of rows, best scores first), ``gain`` (share of positives), ``lift``.

    Empty without positives. Lift is gain / targeted.
    """
    counts = _counts_from_top(y_true, scores).iloc[1:]
    if counts.empty or counts["tp"].iloc[-1] == 0:
        return pd.DataFrame(columns=["targeted", "gain", "lift"], dtype=float)
    points = pd.DataFrame(
        {
            "targeted": counts["taken"] / counts["taken"].iloc[-1],
            "gain": counts["tp"] / counts["tp"].iloc[-1],
        }
    )
    points["lift"] = points["gain"] / points["targeted"]
    return _thin(points, "targeted", "gain")


def calibration_curve(
    y_true: ArrayLike, probabilities: ArrayLike, bins: int = CALIBRATION_BINS, ci: float = 0.95
) -> pd.DataFrame:
    """Reliability by equal-width bin: ``probability`` (mean), ``observed`` share, ``low``, ``high``, ``rows``.

    Intervals are Wilson's (JASA 22, 1927), for independent rows; bins without rows are left out.
    """
    y = as_labels(y_true)
    p = as_scores(probabilities, len(y))
    code = equal_width_bin(p, bins)
    rows = np.bincount(code, minlength=bins)
    kept = rows > 0
    n = rows[kept]
    hits = np.bincount(code, weights=y, minlength=bins)[kept]
    low, high = wilson_interval(hits, n, ci)
    return pd.DataFrame(
        {
            "probability": np.bincount(code, weights=p, minlength=bins)[kept] / n,
            "observed": hits / n,
            "low": low,
            "high": high,
            "rows": n,
        }
    )


def score_histogram(y_true: ArrayLike, scores: ArrayLike, bins: int = 40) -> pd.DataFrame:
    """Scores by class: ``class``, ``left``, ``right``, ``rows``, ``share`` of the class in each bin."""
    y = as_labels(y_true)
    s = as_scores(scores, len(y))
    inside = len(s) == 0 or (s.min() >= 0 and s.max() <= 1)
    edges = np.linspace(0, 1, bins + 1) if inside else np.histogram_bin_edges(s, bins)
    parts = []
    for label in (0, 1):
        rows = np.histogram(s[y == label], edges)[0]
        parts.append(
            pd.DataFrame(
                {
                    "class": label,
                    "left": edges[:-1],
                    "right": edges[1:],
                    "rows": rows,
                    "share": rows / max(rows.sum(), 1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def wilson_interval(hits: ArrayLike, rows: ArrayLike, ci: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a proportion (JASA 22, 1927).

    Args:
        hits: Successes, shape (k,).
        rows: Trials, at least 1 each, shape (k,).
        ci: Coverage.

    Returns:
        Low and high ends, shape (k,) each.
    """
    z2 = float(stats.norm.ppf((1 + ci) / 2)) ** 2
    n = np.asarray(rows, dtype=float)
    share = np.asarray(hits) / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _counts_from_top(y_true: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """Rows ``taken`` and positives ``tp`` among them at every distinct score, from none to all."""
    y = as_labels(y_true)
    s = as_scores(scores, len(y))
    order = np.argsort(-s, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(s[order]) != 0, True)) if len(s) else np.empty(0, int)
    return pd.DataFrame(
        {
            "threshold": np.append(np.nan, s[order][ends]),
            "taken": np.append(0, ends + 1),
            "tp": np.append(0, np.cumsum(y[order])[ends]),
        }
    )


def _thin(points: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """At most ``MAX_POINTS`` of a path's points, evenly spaced along it, both ends kept.

    No dropped point is farther from a kept one, along the path, than its length / (``MAX_POINTS`` − 1).
    """
    if len(points) <= MAX_POINTS:
        return points.reset_index(drop=True)
    steps = points[x].diff().abs() + points[y].diff().abs()
    length = steps.fillna(0).cumsum().to_numpy()
    kept = np.searchsorted(length, np.linspace(0, length[-1], MAX_POINTS))
    kept[-1] = len(points) - 1
    return points.iloc[np.unique(kept)].reset_index(drop=True)
