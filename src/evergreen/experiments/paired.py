"""Two versions on the same requests: ROC AUC, accuracy, log loss, Brier score."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import Floats, as_block_codes, as_labels, as_scores
from evergreen.evaluation.comparison import delong_test, mcnemar_test
from evergreen.experiments.result import Comparison

Metric = Literal["roc_auc", "accuracy", "log_loss", "brier"]
LEAST_PROBABILITY = 1e-15


def compare_paired(
    y_true: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    metric: Metric = "roc_auc",
    alpha: float = 0.05,
    blocks: ArrayLike | None = None,
    thresholds: tuple[float, float] = (0.5, 0.5),
) -> Comparison:
    """Two versions that scored the same requests; both tests are two-sided.

    ``roc_auc``: DeLong (1988), by blocks leaving one out. ``accuracy``: McNemar with continuity correction, exact
    below 25 discordant requests; by blocks, and for its interval always, the paired mean difference. ``log_loss`` and
    ``brier``: Student's t of the differences, summed within blocks (a loss: negative differences are better).

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores_a: Probabilities of version a, shape (rows,).
        scores_b: Probabilities of version b.
        metric: What is compared.
        alpha: The interval covers 1 − alpha.
        blocks: Block of each row; None means that rows are independent.
        thresholds: Decision thresholds of a and b, for the accuracy.

    Raises:
        EvergreenError: Where labels or scores are invalid, or a class is missing for the AUC.
    """
    y = as_labels(y_true)
    a, b = as_scores(scores_a, len(y)), as_scores(scores_b, len(y))
    if metric == "roc_auc":
        found = delong_test(y, a, b, alpha, blocks)
        return _result(
            "DeLong's paired test", metric, len(y), (found.auc_a, found.auc_b), found.z, found.p_value, found.ci, alpha
        )
    if len(y) < 2:
        raise EvergreenError(f"a paired comparison needs at least 2 rows, found {len(y)}")
    values = [row_values(y, scores, metric, threshold) for scores, threshold in zip((a, b), thresholds, strict=True)]
    codes = as_block_codes(blocks, len(y))
    means = float(values[0].mean()), float(values[1].mean())
    t, p_value, interval = _mean_difference(values[1] - values[0], codes, alpha)
    spread = float(values[0].std(ddof=1)), float(values[1].std(ddof=1))
    if metric == "accuracy" and blocks is None:
        test = mcnemar_test(_correctness(values[0] > 0, values[1] > 0))
        name = "McNemar's test, exact" if test.exact else "McNemar's test, corrected"
        return _result(name, metric, len(y), means, test.statistic, test.p_value, interval, alpha, spread)
    return _result("paired t test", metric, len(y), means, t, p_value, interval, alpha, spread)


def row_values(y: NDArray[np.bool_], scores: Floats, metric: Metric, threshold: float) -> Floats:
    """What each request adds to accuracy, Brier score or log loss, shape (rows,)."""
    if metric == "accuracy":
        return ((scores >= threshold) == y).astype(float)
    if metric == "brier":
        return (scores - y) ** 2
    if metric == "log_loss":
        sure = np.clip(scores, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return -np.where(y, np.log(sure), np.log1p(-sure))
    raise EvergreenError(f"metric is {metric!r}: roc_auc, accuracy, log_loss and brier are known")


def _mean_difference(
    differences: Floats, codes: NDArray[np.intp], alpha: float
) -> tuple[float | None, float, tuple[float, float]]:
    """Mean of paired differences: t, p and interval, with deviations summed within blocks."""
    mean, n = float(differences.mean()), len(differences)
    sums = np.bincount(codes, weights=differences - mean)
    blocks = len(sums)
    if blocks < 2:
        raise EvergreenError(f"a paired comparison needs at least 2 blocks, found {blocks}")
    error = sqrt(blocks / (blocks - 1) * float((sums**2).sum())) / n
    if not error:
        return None, 1.0 if mean == 0 else 0.0, (mean, mean)
    t = mean / error
    reach = float(stats.t.ppf(1 - alpha / 2, blocks - 1)) * error
    return t, float(2 * stats.t.sf(abs(t), blocks - 1)), (mean - reach, mean + reach)


def _correctness(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> list[list[int]]:
    return [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]


def _result(
    test: str,
    metric: str,
    n: int,
    means: tuple[float, float],
    statistic: float | None,
    p_value: float,
    interval: tuple[float, float],
    alpha: float,
    spread: tuple[float | None, float | None] = (None, None),
) -> Comparison:
    difference = means[1] - means[0]
    return Comparison(
        test=test, metric=metric, n_a=n, n_b=n, mean_a=means[0], mean_b=means[1], std_a=spread[0], std_b=spread[1],
        statistic=statistic, p_value=p_value, difference=difference, low=interval[0], high=interval[1],
        relative=difference / abs(means[0]) if means[0] else None, alpha=alpha, significant=p_value < alpha,
    )  # fmt: skip
