"""The ROC AUC of one or many score vectors on the same rows, with its exact covariance.

The AUC is a mean over all pairs of a positive and a negative row. DeLong, DeLong & Clarke-Pearson
(Biometrics 44, 1988) take its covariance from each row's own share in that mean, the structural
components; Sun & Xu (IEEE Signal Processing Letters 21, 2014) get the components from midranks in
O(n log n). Rows of one block (a store's day, a customer) depend on each other: there the covariance comes from
the AUC without each block in turn (the cluster jackknife, CR3; MacKinnon, Nielsen & Webb, Journal of Applied
Econometrics 38, 2023). Sums within blocks (Obuchowski, Biometrics 53, 1997) are too small where a few blocks hold
most rows; leaving the block out is not. Where every row is its own block DeLong's number is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from evergreen.errors import EvergreenError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StructuralComponents:
    """Each row's share in the AUC of each of k score vectors.

    Attributes:
        aucs: ROC AUC, shape (k,).
        positives: For each positive row the share of negatives that it outranks, ties half, shape (k, m).
        negatives: For each negative row the share of positives that outrank it, ties half, shape (k, n).
    """

    aucs: Floats
    positives: Floats
    negatives: Floats


@dataclass(frozen=True)
class AucCovariance:
    """AUCs of k score vectors on the same rows, and how they vary together.

    Attributes:
        aucs: ROC AUC, shape (k,).
        covariance: Covariance of the AUCs, shape (k, k).
        degrees_of_freedom: Number of independent units (rows, or blocks) that hold the rarer class, less one.
    """

    aucs: Floats
    covariance: Floats
    degrees_of_freedom: int

    def contrast(self, weights: ArrayLike) -> tuple[float, float]:
        """Value and standard error of a weighted sum of the AUCs, such as (−1, 1) for a difference."""
        w = np.asarray(weights, dtype=float)
        return float(w @ self.aucs), float(np.sqrt(max(w @ self.covariance @ w, 0.0)))


def as_labels(y_true: ArrayLike) -> NDArray[np.bool_]:
    """Labels as booleans, shape (rows,).

    Raises:
        EvergreenError: If a label is neither 0 nor 1.
    """
    y = np.asarray(y_true)
    if y.dtype != bool and not np.isin(y, (0, 1)).all():
        found = next(value for value in y.tolist() if value not in (0, 1))
        raise EvergreenError(f"labels must be 0 or 1, found {found!r}; apply the label definition before evaluating")
    return y.astype(bool).ravel()


def as_scores(scores: ArrayLike, rows: int) -> Floats:
    """One score vector as finite floats, shape (rows,).

    Raises:
        EvergreenError: If the length differs from the labels' or a score is missing or infinite.
    """
    s = np.asarray(scores, dtype=float).ravel()
    if len(s) != rows:
        raise EvergreenError(f"scores have {len(s)} rows and labels {rows}: score exactly the labelled rows")
    if not np.isfinite(s).all():
        bad = int((~np.isfinite(s)).sum())
        raise EvergreenError(f"{bad} of {rows} scores are missing or infinite; every judged row needs a finite score")
    return s


def as_block_codes(blocks: ArrayLike | None, rows: int) -> NDArray[np.intp]:
    """Block of each row as 0 … blocks − 1, shape (rows,); without blocks every row is its own.

    Raises:
        EvergreenError: If the length differs from the labels'.
    """
    if blocks is None:
        return np.arange(rows)
    names = np.asarray(blocks)
    if names.shape != (rows,):
        raise EvergreenError(f"blocks have shape {names.shape} and labels {rows} rows: give one block name per row")
    return np.unique(names, return_inverse=True)[1]


def rarer_class_units(y: NDArray[np.bool_], codes: NDArray[np.intp]) -> int:
    """Number of independent units (rows, or blocks) that hold the rarer class; 0 where a class is missing."""
    return min(_units(codes[y]), _units(codes[~y]))


def structural_components(y_true: ArrayLike, scores: ArrayLike) -> StructuralComponents:
    """Structural components of one or many score vectors, from midranks.

    Args:
        y_true: Labels 0/1, shape (rows,), both classes present.
        scores: Scores, higher means more likely positive, shape (rows,) or (k, rows).

    Returns:
        AUCs and components, in the order of the rows within each class.

    Raises:
        EvergreenError: If only one class is present, or labels or scores are invalid.
    """
    y = as_labels(y_true)
    matrix = np.stack([as_scores(vector, len(y)) for vector in np.atleast_2d(np.asarray(scores, dtype=float))])
    m, n = int(y.sum()), int((~y).sum())
    if m == 0 or n == 0:
        raise EvergreenError(f"the AUC needs both classes, found {m} positives and {n} negatives")
    overall = stats.rankdata(matrix, axis=1)
    above = (overall[:, y] - stats.rankdata(matrix[:, y], axis=1)) / n
    below = 1 - (overall[:, ~y] - stats.rankdata(matrix[:, ~y], axis=1)) / m
    return StructuralComponents(above.mean(axis=1), above, below)


def auc_covariance(y_true: ArrayLike, scores: ArrayLike, blocks: ArrayLike | None = None) -> AucCovariance:
    """AUCs of one or many score vectors with their covariance.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores: Scores, shape (rows,) or (k, rows).
        blocks: Block of each row, shape (rows,); None means that rows are independent.

    Returns:
        AUCs, covariance and degrees of freedom.

    Raises:
        EvergreenError: If a class is found in fewer than two rows (two blocks), or input is invalid.
    """
    y = as_labels(y_true)
    codes = as_block_codes(blocks, len(y))
    parts = structural_components(y, scores)
    rarer = rarer_class_units(y, codes)
    if rarer < 2:
        raise EvergreenError(
            f"the AUC's variance needs each class in at least 2 independent units, found {rarer}: add rows"
        )
    if _units(codes) == len(y):
        return AucCovariance(parts.aucs, _delong_covariance(parts), rarer - 1)
    moved = aucs_without_each_block(y, scores, codes) - parts.aucs[:, None]
    return AucCovariance(parts.aucs, leave_one_out_covariance(moved), rarer - 1)


def aucs_without_each_block(y: NDArray[np.bool_], scores: ArrayLike, codes: NDArray[np.intp]) -> Floats:
    """AUC of each score vector with one block left out after the other, in O(n log n).

    Args:
        y: Labels, shape (rows,), both classes in at least two blocks.
        scores: Scores, shape (rows,) or (k, rows).
        codes: Block of each row, 0 … blocks − 1, shape (rows,).

    Returns:
        Shape (k, blocks).
    """
    matrix = np.atleast_2d(np.asarray(scores, dtype=float))
    parts = structural_components(y, matrix)
    codes = np.unique(codes, return_inverse=True)[1]
    total = int(codes.max()) + 1
    m, n = np.bincount(codes[y], minlength=total), np.bincount(codes[~y], minlength=total)
    pairs_of_block = _block_sums(parts.positives, codes[y], total) * n.sum()
    pairs_of_block += _block_sums(parts.negatives, codes[~y], total) * m.sum()
    pairs_of_block -= np.stack([_wins_within_blocks(y, vector, codes, total) for vector in matrix])
    left = parts.aucs[:, None] * m.sum() * n.sum() - pairs_of_block
    return left / ((m.sum() - m) * (n.sum() - n))


def leave_one_out_covariance(moved: Floats) -> Floats:
    """Covariance of estimates from how far each block's absence moves them: (G − 1) / G · Σ d dᵀ.

    Args:
        moved: Estimate without a block less the estimate, shape (k, blocks).

    Returns:
        Shape (k, k).
    """
    blocks = moved.shape[1]
    return (blocks - 1) / blocks * (moved @ moved.T)


def logit_interval(value: float, standard_error: float, quantile: float) -> tuple[float, float]:
    """Interval for a share strictly between 0 and 1, built on the logit scale.

    The scale keeps both ends inside (0, 1) and makes the interval lean towards one half, as the
    estimate's distribution does; for an AUC near 1 the plain interval covers too rarely (Pepe 2003, 5.2).

    Args:
        value: The estimate, in (0, 1).
        standard_error: Its standard error on its own scale.
        quantile: Half-width in standard errors, such as 1.96.

    Returns:
        Low and high end.
    """
    centre = np.log(value / (1 - value))
    half = quantile * standard_error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-half, half]))))
    return float(low), float(high)


def edge_interval(value: float, units: int, quantile: float) -> tuple[float, float]:
    """Wilson's interval for a share that was found to be exactly 0 or 1 in ``units`` independent units.

    There the standard error is 0 although the truth is not known exactly (Wilson, JASA 22, 1927).
    """
    reach = quantile**2 / (units + quantile**2)
    return (0.0, float(reach)) if value <= 0.5 else (float(1 - reach), 1.0)


def share_interval(value: float, standard_error: float, units: int, quantile: float) -> tuple[float, float]:
    """The logit interval inside (0, 1), Wilson's at its edges."""
    if value <= 0 or value >= 1:
        return edge_interval(value, units, quantile)
    return logit_interval(value, standard_error, quantile)


def auc_interval(found: AucCovariance, ci: float = 0.95) -> list[tuple[float, float]]:
    """Interval of each AUC by itself, on the logit scale, with Student's quantile.

    Args:
        found: AUCs and their covariance.
        ci: Coverage, such as .95.

    Returns:
        One (low, high) per score vector.
    """
    quantile = float(stats.t.ppf((1 + ci) / 2, found.degrees_of_freedom))
    errors = np.sqrt(np.maximum(np.diag(found.covariance), 0))
    units = found.degrees_of_freedom + 1
    return [
        share_interval(float(auc), float(error), units, quantile) for auc, error in zip(found.aucs, errors, strict=True)
    ]


def _units(codes: NDArray[np.intp]) -> int:
    return int(np.count_nonzero(np.bincount(codes))) if len(codes) else 0


def _block_sums(components: Floats, codes: NDArray[np.intp], total: int) -> Floats:
    return np.stack([np.bincount(codes, weights=row, minlength=total) for row in components])


def _delong_covariance(parts: StructuralComponents) -> Floats:
    m, n = parts.positives.shape[1], parts.negatives.shape[1]
    return np.atleast_2d(np.cov(parts.positives)) / m + np.atleast_2d(np.cov(parts.negatives)) / n


def _wins_within_blocks(
    y: NDArray[np.bool_], scores: Floats, codes: NDArray[np.intp], total: int
) -> NDArray[np.float64]:
    """Pairs of one block whose positive outranks its negative, ties half: Mann and Whitney's U, shape (total,)."""
    order = np.lexsort((scores, codes))
    block, score = codes[order], scores[order]
    first = np.append(True, (block[1:] != block[:-1]) | (score[1:] != score[:-1]))
    starts = np.flatnonzero(first)
    midrank = ((starts + 1 + np.append(starts[1:], len(score))) / 2)[np.cumsum(first) - 1]
    midrank -= np.searchsorted(block, np.arange(total))[block]
    positive = y[order]
    m = np.bincount(block[positive], minlength=total)
    return np.bincount(block[positive], weights=midrank[positive], minlength=total) - m * (m + 1) / 2
