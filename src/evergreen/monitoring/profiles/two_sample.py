"""Two-sample statistics on binned counts, and their p-values under dependent rows.

Counts have shape (..., bins): leading axes are several windows at once. ``n`` and ``m`` are the two samples'
sizes, ``h = 1/n + 1/m``. A design effect multiplies h: n dependent rows say as much as n / design effect
independent ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

KOLMOGOROV_MEAN = 0.8687
KOLMOGOROV_SECOND_MOMENT = np.pi**2 / 12
MIN_EXPECTED = 5.0
_BORDER_ERRORS = 4.0

Array = NDArray[np.float64]


def size_factor(n: ArrayLike, m: ArrayLike) -> Array:
    """``h = 1/n + 1/m``, the variance scale of every two-sample comparison."""
    return 1.0 / np.asarray(n, float) + 1.0 / np.asarray(m, float)


def ks_distance(reference: Array, window: Array) -> Array:
    """Kolmogorov–Smirnov distance sup |F_ref − F_win| read at the bin edges; shape (...)."""
    return np.abs(_cumulative_shares(reference) - _cumulative_shares(window)).max(axis=-1)


def ks_p_value(distance: float, h: float) -> float:
    """P(distance or more without drift), Kolmogorov's limit; conservative for ties and bins."""
    return float(special.kolmogorov(distance / np.sqrt(h)))


def normal_score_z(reference: Array, window: Array) -> Array:
    """Van der Waerden's z: the window's ranks, read as normal quantiles, against its share of them; shape (...).

    Ranks of one bin share their mean quantile. The test needs no distribution, and for shifts it is never less
    efficient than Student's t (Chernoff and Savage 1958); Mann–Whitney is, by 5 %, where values are Gaussian.

    References:
        van der Waerden, "Order tests for the two-sample problem and their power" (1952).
    """
    quantile = _upper_quantiles(reference + window)
    return _standardised(*_surplus(reference, window, _normal_density(quantile)))


def squared_normal_score_z(reference: Array, window: Array) -> Array:
    """Klotz' z: how far the window's ranks, read as normal quantiles and squared, spread about their mean; shape (...).

    It sees what changes spread or tails and leaves the middle where it is. Ranks of one bin share their mean square.
    For Gaussian values it is as efficient as the F test of two variances, which no other distribution may have.

    Each side's squares are taken about its own mean: about the common one a moved middle raises them, too, by its
    square, so that where middles wander from window to window they would have the tails of a squared normal.

    References:
        Klotz, "Nonparametric tests for scale", Annals of Mathematical Statistics 33 (1962).
    """
    quantile = _upper_quantiles(reference + window)
    density = _normal_density(quantile)
    moved, moved_variance = _surplus(reference, window, density)
    spread, variance = _surplus(reference, window, np.where(np.isfinite(quantile), quantile, 0.0) * density)
    n, m = reference.sum(axis=-1), window.sum(axis=-1)
    return _standardised(spread - (moved**2 - moved_variance) * (n - m) / np.maximum(n * m, 1), variance)


def _upper_quantiles(both: Array) -> Array:
    """Normal quantile of each bin's upper end; infinite at the last one."""
    upper = np.cumsum(both, axis=-1) / both.sum(axis=-1)[..., None]
    return special.ndtri(np.minimum(upper, 1.0))


def _normal_density(quantile: Array) -> Array:
    return np.exp(-(quantile**2) / 2) / np.sqrt(2 * np.pi)


def _surplus(reference: Array, window: Array, antiderivative: Array) -> tuple[Array, Array]:
    """The window's sum of scores, and its variance without drift.

    ``antiderivative`` holds, at each bin's upper end, the integral of the score times the normal density, its sign
    turned, so that a bin's mean score is a difference; scores sum to 0, and ties need no correction of their own.
    """
    both = reference + window
    n, m = reference.sum(axis=-1), window.sum(axis=-1)
    total = n + m
    before = np.concatenate([np.zeros((*antiderivative.shape[:-1], 1)), antiderivative[..., :-1]], axis=-1)
    score = (before - antiderivative) * total[..., None] / np.where(both > 0, both, 1.0)
    variance = n * m / (total * np.maximum(total - 1, 1)) * (both * score**2).sum(axis=-1)
    return (window * score).sum(axis=-1), variance


def _standardised(surplus: Array, variance: Array) -> Array:
    return np.where(variance > 0, surplus / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)


def chi_square(reference: Array, window: Array) -> tuple[Array, int]:
    """Pearson's chi-square of the 2 × k table and its degrees of freedom, both samples taken as random.

    Levels without any row must have been pooled away; see ``pool_rare_levels``.
    """
    both = reference + window
    n, m = reference.sum(axis=-1, keepdims=True), window.sum(axis=-1, keepdims=True)
    expected = both * (m / (n + m))
    difference = window - expected
    statistic = (difference**2 / np.where(expected > 0, expected, 1.0) * (1 + m / n)).sum(axis=-1)
    return np.asarray(statistic), int(reference.shape[-1]) - 1


def pool_rare_levels(
    reference: Array, window: Array, min_expected: float = MIN_EXPECTED, border_share: float = 0.0
) -> list[NDArray[np.intp]]:
    """Groups of level numbers to add up so that every cell of the 2 × k table expects ``min_expected`` rows.

    Rare levels share one group; when even together they are too few, the rarest kept level joins them. Levels near
    the border of those that are counted by name join them, too, with all that are not: which of them were named was
    decided by chance in the very rows that count them, so their share there is too large and that of the others too
    small. Levels are dealt by both sides' rows together, which says nothing of how the sides differ.

    Args:
        reference: Counts per level, shape (k,); the last level holds all that have no name.
        window: Counts per level, shape (k,).
        min_expected: Expected count that the chi-square approximation wants in each cell.
        border_share: Share of rows below which a level stands near the border; 0 where all levels have names.
    """
    both = reference + window
    n, m = reference.sum(), window.sum()
    expected = both * (min(n, m) / max(n + m, 1.0))
    if border_share > 0:
        near = both < border_share * (n + m)
        near[-1] = True
        expected = np.where(near, -1.0, expected)
    order = np.argsort(-expected, kind="stable")
    order = order[both[order] > 0]
    kept = int((expected[order] >= min_expected).sum())
    rare = both[order[kept:]].sum() * (min(n, m) / max(n + m, 1.0))
    if kept < len(order) and rare < min_expected and kept > 0:
        kept -= 1
    groups = [order[i : i + 1] for i in range(kept)]
    return [*groups, order[kept:]] if kept < len(order) else groups


def border_share(last: float, rows: int) -> float:
    """Share of rows below which chance decided whether a level has a name: four errors above the last one that has."""
    return float((last + _BORDER_ERRORS * np.sqrt(last)) / rows)


def pooled(counts: Array, groups: list[NDArray[np.intp]]) -> Array:
    """Counts added up within groups, shape (..., len(groups))."""
    return np.stack([counts[..., group].sum(axis=-1) for group in groups], axis=-1)


def share_p_value(reference: Array, window: Array, design_effect: float = 1.0) -> float:
    """P-value that a share is the same on both sides, valid for few rows too.

    Chi-square with one degree of freedom; where the rarer outcome expects fewer than ``MIN_EXPECTED``
    independent rows in the smaller sample, the binomial test of the window's part, given the total (Przyborowski
    and Wilenski 1940), two-sided by doubling.

    Args:
        reference: Rows with and without the property, shape (2,).
        window: The same of the window.
        design_effect: Dependent rows that say as much as one independent row.
    """
    both = reference + window
    part = window.sum() / both.sum()
    rarer = int(np.argmin(both))
    total, found = both[rarer] / design_effect, window[rarer] / design_effect
    if total == 0:
        return 1.0
    if total * min(part, 1 - part) >= MIN_EXPECTED:
        statistic, df = chi_square(reference, window)
        return float(special.chdtrc(df, statistic / design_effect))
    as_many = special.betainc(found, total - found + 1, part) if found else 1.0
    as_few = special.betainc(total - found, found + 1, 1 - part) if found < total else 1.0
    return float(min(1.0, 2 * min(as_many, as_few)))


def loudest_level(reference: Array, window: Array) -> int:
    """The level whose share differs most, in standard errors; counts of shape (k,)."""
    both = reference + window
    share = both / both.sum()
    variance = share * (1 - share) * size_factor(reference.sum(), window.sum())
    difference = window / window.sum() - reference / reference.sum()
    return int(np.argmax(difference**2 / np.where(variance > 0, variance, 1.0)))


def fisher_p_value(reference: Array, window: Array, level: int) -> float:
    """Two-sided p-value that one level's share is the same, exact given all totals (Fisher 1935), by doubling."""
    found, total = int(window[level]), int(reference[level] + window[level])
    drawn = stats.hypergeom(int(reference.sum() + window.sum()), total, int(window.sum()))
    return float(min(1.0, 2 * min(drawn.cdf(found), drawn.sf(found - 1))))


def estimated_chi_square_p_value(statistic: float, df: int, windows: float | None) -> float:
    """P-value of a chi-square over a variance that was estimated from ``windows`` held-out windows of ``df`` each.

    The ratio follows F with df and windows · df degrees of freedom; None: nothing was estimated, so chi-square.
    """
    if windows is None:
        return float(special.chdtrc(df, statistic))
    return float(special.fdtrc(df, windows * df, statistic / df))


def two_sided(z: float) -> float:
    """Two-sided p-value of a standard normal statistic."""
    return float(2 * special.ndtr(-abs(z)))


def cauchy_combination(p_values: ArrayLike, weights: tuple[float, ...] | None = None) -> float:
    """One p-value from several dependent ones (Liu and Xie 2020); ``weights`` default to equal ones."""
    p = np.clip(np.asarray(p_values, float), 1e-300, 1 - 1e-15)
    tangents = np.where(p < 1e-15, 1 / (p * np.pi), np.tan((0.5 - p) * np.pi))
    return float(np.arctan2(1.0, np.average(tangents, weights=weights)) / np.pi)


def estimated_variance_p_value(p_value: float, windows: float | None) -> float:
    """Widen a p-value whose variance was estimated from ``windows`` held-out windows.

    The p-value is turned into a normal quantile and read from Student's t with that many degrees of freedom.
    None leaves the p-value as it is: nothing was estimated.
    """
    if windows is None or p_value >= 1:
        return p_value
    return float(2 * special.stdtr(windows, special.ndtri(max(p_value, 1e-300) / 2)))


def _cumulative_shares(counts: Array) -> Array:
    cumulative = np.cumsum(counts, axis=-1)
    return cumulative / cumulative[..., -1:]
