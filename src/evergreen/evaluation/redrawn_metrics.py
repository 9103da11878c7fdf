"""How far would metrics move had other rows been drawn? By a bootstrap of rows, or leaving out block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evergreen.evaluation.auc import Floats

BOOTSTRAP_DRAWS = 200
CALIBRATION_BINS = 10
_CELLS_AT_ONCE = 200_000
_POISSON = stats.poisson.ppf((np.arange(2**16) + 0.5) / 2**16, 1)


@dataclass(frozen=True)
class RankedRows:
    """Rows sorted by falling score, with all that a weighted metric needs.

    Attributes:
        order: Position of each sorted row in the caller's order.
        labels: Sorted labels, shape (rows,).
        positives: Sorted positions of the positive rows, shape (m,).
        tie_ends: For each positive row the last row with its score, shape (m,).
        tied_hits: For each positive row the last positive with its score, as an index into ``positives``.
        predicted: Rows at or above the threshold; they come first.
        gaps: Label less probability; None where scores are not probabilities.
        losses: Log loss and squared gap of each row, shape (2, rows).
        bins: Calibration bin of each row.
    """

    order: NDArray[np.intp]
    labels: NDArray[np.bool_]
    positives: NDArray[np.intp]
    tie_ends: NDArray[np.intp]
    tied_hits: NDArray[np.intp]
    predicted: int
    gaps: Floats | None
    losses: Floats
    bins: NDArray[np.intp]

    @property
    def bin_starts(self) -> NDArray[np.intp]:
        """First row of every calibration bin that holds rows."""
        return np.flatnonzero(np.append(True, self.bins[1:] != self.bins[:-1]))


@dataclass(frozen=True)
class MetricSpread:
    """How the metrics would vary.

    Attributes:
        errors: Standard error of each metric.
        bin_gaps: Gaps of the calibration bins in draws, shape (draws, bins); None where scores are not probabilities.
    """

    errors: dict[str, float]
    bin_gaps: Floats | None


def equal_width_bin(probabilities: Floats, bins: int) -> NDArray[np.intp]:
    """Bin of each probability among equal-width bins of [0, 1], closed on the left; shape (rows,)."""
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], probabilities, side="right")


def rank_rows(y: NDArray[np.bool_], scores: Floats, threshold: float) -> RankedRows:
    """Sort rows by falling score; labels and scores of shape (rows,)."""
    order = np.argsort(-scores, kind="stable")
    s, labels = scores[order], y[order]
    p = np.clip(s, np.finfo(float).eps, 1 - np.finfo(float).eps)
    positives = np.flatnonzero(labels)
    tie_ends = np.searchsorted(-s, -s[positives], side="right") - 1
    return RankedRows(
        order=order,
        labels=labels,
        positives=positives,
        tie_ends=tie_ends,
        tied_hits=np.searchsorted(positives, tie_ends, side="right") - 1,
        predicted=int((s >= threshold).sum()),
        gaps=labels - s if s[-1] >= 0 and s[0] <= 1 else None,
        losses=np.stack([-np.log(np.where(labels, p, 1 - p)), (labels - s) ** 2]),
        bins=equal_width_bin(s, CALIBRATION_BINS),
    )


def weighted_metrics(rows: RankedRows, weights: Floats) -> dict[str, Floats]:
    """Metrics under row weights of shape (draws, rows), rows as sorted; NaN where undefined."""
    gains = weights[:, rows.positives]
    hits, drawn = np.cumsum(gains, axis=1), np.cumsum(weights, axis=1)
    positives, total = gains.sum(axis=1), drawn[:, -1]
    caught = int(np.searchsorted(rows.positives, rows.predicted))
    tp, taken = gains[:, :caught].sum(axis=1), weights[:, : rows.predicted].sum(axis=1)
    recovered = (gains * hits[:, rows.tied_hits] / np.maximum(drawn[:, rows.tie_ends], 1)).sum(axis=1)
    metrics = {"average_precision": _ratio(recovered, positives)} | _at_threshold(tp, taken, positives, total)
    if rows.gaps is None:
        return metrics
    bin_gaps = np.add.reduceat(weights * rows.gaps, rows.bin_starts, axis=1)
    return metrics | _of_probabilities(rows.losses @ weights.T, bin_gaps, total)


def spread_of_rows(rows: RankedRows, seed: int) -> MetricSpread:
    """By a Poisson bootstrap of 200 draws over independent rows, in chunks that bound memory."""
    rng = np.random.default_rng(seed)
    size = len(rows.order)
    chunk = max(1, min(BOOTSTRAP_DRAWS, _CELLS_AT_ONCE // size))
    found = []
    for start in range(0, BOOTSTRAP_DRAWS, chunk):
        shape = (min(chunk, BOOTSTRAP_DRAWS - start), size)
        picks = np.frombuffer(rng.bytes(2 * shape[0] * size), dtype=np.uint16).reshape(shape)
        found.append(weighted_metrics(rows, _POISSON[picks]))
    draws = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    gaps = draws.pop("bin_gaps", None)
    return MetricSpread({name: _deviation(values) for name, values in draws.items()}, gaps)


def spread_of_blocks(rows: RankedRows, codes: NDArray[np.intp], seed: int) -> MetricSpread:
    """By leaving out one block after the other (CR3); ``codes`` in the caller's order, 0 … blocks − 1.

    Draws of the calibration bins flip the sign of each block's move at random (Rademacher).
    """
    found = weighted_metrics(rows, np.ones((1, len(rows.order))))
    without = _without_each_block(rows, codes[rows.order])
    blocks = int(codes.max()) + 1
    scale = np.sqrt((blocks - 1) / blocks)
    moved = {name: values - found[name][:1] for name, values in without.items()}
    gaps = moved.pop("bin_gaps", None)
    errors = {name: scale * float(np.sqrt(np.nansum(values**2))) for name, values in moved.items()}
    if gaps is None:
        return MetricSpread(errors, None)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (BOOTSTRAP_DRAWS, blocks))
    return MetricSpread(errors, found["bin_gaps"] + scale * (signs @ gaps))


def _without_each_block(rows: RankedRows, codes: NDArray[np.intp]) -> dict[str, Floats]:
    """Metrics without one block after the other, shape (blocks,); codes of the sorted rows."""
    total = int(codes.max()) + 1

    def left(values: Floats) -> Floats:
        return values.sum() - np.bincount(codes, weights=values, minlength=total)

    taken = np.arange(len(codes)) < rows.predicted
    positives, size = left(rows.labels.astype(float)), left(np.ones(len(codes)))
    metrics = _at_threshold(left((rows.labels & taken).astype(float)), left(taken.astype(float)), positives, size)
    metrics["average_precision"] = _average_precision_without(rows, codes, positives)
    if rows.gaps is None:
        return metrics
    bins = np.unique(rows.bins, return_inverse=True)[1]
    held = np.bincount(codes * (bins.max() + 1) + bins, weights=rows.gaps, minlength=total * (bins.max() + 1))
    by_block = held.reshape(total, -1)[:, ::-1]  # the ranked rows begin with the highest bin
    return metrics | _of_probabilities(
        np.stack([left(loss) for loss in rows.losses]), by_block.sum(axis=0) - by_block, size
    )


def _average_precision_without(rows: RankedRows, codes: NDArray[np.intp], positives_left: Floats) -> Floats:
    """By the derivative in the rows' weights, scaled by the share of positives that is left, as recall would be."""
    positives = len(rows.positives)
    precision = (rows.tied_hits + 1) / (rows.tie_ends + 1)
    found = float(precision.mean())
    size = len(rows.order)
    below = np.bincount(rows.tie_ends, weights=1 / (rows.tie_ends + 1), minlength=size)[::-1].cumsum()[::-1]
    lost = np.bincount(rows.tie_ends, weights=precision / (rows.tie_ends + 1), minlength=size)[::-1].cumsum()[::-1]
    influence = -lost
    influence[rows.positives] += precision - found + below[rows.positives]
    by_block = np.bincount(codes, weights=influence, minlength=len(positives_left))
    return found - by_block / positives_left.clip(min=1) if positives else np.full(len(positives_left), np.nan)


def _at_threshold(tp: Floats, taken: Floats, positives: Floats, total: Floats) -> dict[str, Floats]:
    fp, fn = taken - tp, positives - tp
    tn = total - tp - fp - fn
    f1, f1_negative = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    return {
        "accuracy": (tp + tn) / total,
        "precision": _ratio(tp, taken),
        "recall": _ratio(tp, positives),
        "f1": np.where(positives > 0, f1, np.nan),
        "f1_weighted": np.nansum([positives * f1, (total - positives) * f1_negative], axis=0) / total,
    }


def _of_probabilities(losses: Floats, bin_gaps: Floats, total: Floats) -> dict[str, Floats]:
    log_loss, brier = losses / total
    gaps = bin_gaps / total[:, None]
    error = np.abs(gaps).sum(axis=1)
    return {"log_loss": log_loss, "brier": brier, "expected_calibration_error": error, "bin_gaps": gaps}


def _deviation(draws: Floats) -> float:
    return float(np.nanstd(draws, ddof=1)) if np.isfinite(draws).sum() > 1 else float("nan")


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
