"""How good are the scores, and how sure are we? Each metric comes with its interval."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import (
    Floats,
    as_block_codes,
    as_labels,
    as_scores,
    auc_covariance,
    auc_interval,
    rarer_class_units,
    share_interval,
    structural_components,
)
from evergreen.evaluation.redrawn_metrics import (
    CALIBRATION_BINS,
    MetricSpread,
    equal_width_bin,
    rank_rows,
    spread_of_blocks,
    spread_of_rows,
    weighted_metrics,
)
from evergreen.records import SNAKE_CASE, Frozen

MIN_UNITS_PER_CLASS = 10
METRIC_NAMES = (
    "roc_auc",
    "average_precision",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "f1_weighted",
    "log_loss",
    "brier",
    "expected_calibration_error",
)


class Metric(Frozen):
    """One number with its interval, or the reason why there is none.

    Attributes:
        value: The estimate; None where it is undefined.
        low: Lower end of the interval; None where it can't be stated.
        high: Upper end of the interval; None where it can't be stated.
        status: ``ok``, ``insufficient_data``, or ``not_applicable`` (the scores are not probabilities).
        reason: Why the status isn't ``ok``.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    status: Annotated[Literal["ok", "insufficient_data", "not_applicable"], SNAKE_CASE] = "ok"
    reason: str | None = None


def classification_metrics(
    y_true: ArrayLike,
    scores: ArrayLike,
    threshold: float = 0.5,
    ci: float = 0.95,
    blocks: ArrayLike | None = None,
    seed: int = 0,
) -> dict[str, Metric]:
    """Ten metrics of one score vector, each with an interval.

    ROC AUC: DeLong on the logit scale, by blocks leaving one out. The others: the standard error of independent
    rows comes from a Poisson bootstrap of 200 draws (each row weighs Poisson(1): Chamandy et al., Google 2012), which
    lets the class counts vary as real samples do; fixed counts would hide the uncertainty of the base rate, on
    which precision and Brier score depend. With blocks each is left out in turn (CR3), which holds where blocks
    are of unequal size. The interval is normal on the logit scale (log loss: log scale), with Student's quantile.
    Percentiles of 200 draws would rest on the fifth smallest alone and cover too rarely. The calibration error's
    interval: ``calibration_interval``.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores: Scores, shape (rows,); log loss, Brier and calibration need probabilities.
        threshold: Rows with a score of at least this are predicted positive.
        ci: Coverage of the intervals.
        blocks: Block of each row, shape (rows,); None means that rows are independent.
        seed: Seed of the bootstrap.

    Returns:
        A ``Metric`` for every name in ``METRIC_NAMES``, in that order. No value is ever NaN: what is
        undefined is None with a reason; with under 10 rows (blocks) of a class values have no interval.

    Raises:
        EvergreenError: If labels are not 0/1, scores not finite, or lengths differ.
    """
    y = as_labels(y_true)
    s = as_scores(scores, len(y))
    codes = as_block_codes(blocks, len(y))
    if len(y) == 0:
        return {name: Metric(value=None, status="insufficient_data", reason="no rows") for name in METRIC_NAMES}
    units = rarer_class_units(y, codes)
    shortage = None
    if units < MIN_UNITS_PER_CLASS:
        shortage = f"the rarer class stands in {units} independent rows or blocks, {MIN_UNITS_PER_CLASS} needed"
    rows = rank_rows(y, s, threshold)
    values = {name: found[0] for name, found in weighted_metrics(rows, np.ones((1, len(y)))).items()}
    alone = len(np.unique(codes)) == len(y)
    spread = None if shortage else spread_of_rows(rows, seed) if alone else spread_of_blocks(rows, codes, seed)
    quantile = float(stats.t.ppf((1 + ci) / 2, max(units - 1, 1)))

    def interval(name: str, spread: MetricSpread) -> tuple[float, float]:
        if name == "expected_calibration_error" and spread.bin_gaps is not None:
            return calibration_interval(values["bin_gaps"], spread.bin_gaps, quantile)
        error = spread.errors[name]
        if name == "log_loss":
            return _log_interval(float(values[name]), error, quantile)
        return share_interval(float(values[name]), error, units, quantile)

    metrics = {"roc_auc": _roc_auc(y, s, blocks, ci, shortage)}
    for name in METRIC_NAMES[1:]:
        if name not in values:
            reason = "scores lie outside [0, 1]: they are not probabilities"
            metrics[name] = Metric(value=None, status="not_applicable", reason=reason)
        elif np.isnan(values[name]):
            reason = "no row reaches the threshold" if name == "precision" else "no positive rows"
            metrics[name] = Metric(value=None, status="insufficient_data", reason=reason)
        elif spread is None:
            metrics[name] = Metric(value=values[name], status="insufficient_data", reason=shortage)
        else:
            low, high = interval(name, spread)
            metrics[name] = Metric(value=values[name], low=low, high=high)
    return metrics


def expected_calibration_error(y_true: ArrayLike, probabilities: ArrayLike, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error over equal-width bins of the probability.

    Σ_b (n_b / n) · |share of positives in b − mean probability in b| (Guo et al., ICML 2017); bins are
    closed on the left, the last one on both sides. The estimate is biased upwards: even perfect
    probabilities show an error of the order of √(bins / n) / 3.

    Args:
        y_true: Labels 0/1, shape (rows,), at least one row.
        probabilities: Probabilities of class 1, shape (rows,).
        bins: Number of equal-width bins.

    Returns:
        A number between 0 and 1.

    Raises:
        EvergreenError: If labels are not 0/1, or probabilities are missing or outside [0, 1].
    """
    y = as_labels(y_true)
    p = as_scores(probabilities, len(y))
    if len(y) == 0 or p.min() < 0 or p.max() > 1:
        raise EvergreenError("the calibration error needs at least one row and probabilities between 0 and 1")
    gaps = np.bincount(equal_width_bin(p, bins), weights=y - p, minlength=bins)
    return float(np.abs(gaps).sum() / len(y))


def calibration_interval(bin_gaps: Floats, draws: Floats, quantile: float) -> tuple[float, float]:
    """Interval for the expected calibration error Σ|gap|, by inverting a test.

    A sum of absolute values is biased upwards, and a bootstrap of it is biased twice: its percentiles miss
    a perfect calibration nearly always. So the bin gaps found are scaled by t = 0 … 3, the bootstrap's noise
    is added, and every t stays in whose Σ|t·gap + noise| is compatible with the error found.

    Args:
        bin_gaps: Sum of (label − probability) in each bin, over the number of rows, shape (bins,).
        draws: The same in bootstrap draws, shape (draws, bins).
        quantile: Half-width in standard errors, such as 1.96.

    Returns:
        Low and high end; the low end is 0 where perfect calibration would show as much.
    """
    found = np.abs(bin_gaps).sum()
    factors = np.linspace(0, 3, 121)
    noise = draws - draws.mean(axis=0)
    plausible = np.abs(factors[:, None, None] * bin_gaps + noise).sum(axis=2)
    centre, half = plausible.mean(axis=1), quantile * plausible.std(axis=1, ddof=1)
    low = factors[np.argmax(centre + half >= found)]
    high = factors[centre - half <= found].max(initial=1.0)  # the interval holds its own estimate
    return float(min(low, 1.0) * found), float(min(high * found, 1.0)) if found else float(half[0])


def _roc_auc(y: NDArray[np.bool_], s: Floats, blocks: ArrayLike | None, ci: float, shortage: str | None) -> Metric:
    if shortage is None:
        found = auc_covariance(y, s, blocks)
        low, high = auc_interval(found, ci)[0]
        return Metric(value=float(found.aucs[0]), low=low, high=high)
    value = float(structural_components(y, s).aucs[0]) if 0 < y.sum() < len(y) else None
    return Metric(value=value, status="insufficient_data", reason=shortage)


def _log_interval(value: float, error: float, quantile: float) -> tuple[float, float]:
    factor = float(np.exp(quantile * error / value))
    return value / factor, value * factor
