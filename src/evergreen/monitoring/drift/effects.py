"""How large a difference is: one common scale to decide on, and the usual distances to look at.

The common scale is the mean shift, in standard deviations, between two equal Gaussians that would give the
same divergence. What sampling noise alone contributes is taken out first, so that small samples do not look
like large drift.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special
from scipy.spatial.distance import jensenshannon

from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn, ValueColumn
from evergreen.monitoring.profiles.two_sample import KOLMOGOROV_MEAN, Array
from evergreen.records import Frozen

_SMALLEST_SHARE = 1e-4
_CELL_QUANTILES = np.array([0.005, *np.arange(1, 10) / 10, 0.995])


class Distances(Frozen):
    """The distances that people know, shown and not decided on.

    Attributes:
        psi: Population stability index on ten bins of the reference, or on its levels.
        jensen_shannon: Jensen–Shannon distance, base 2, between 0 and 1.
        ks: Kolmogorov–Smirnov distance; None for categories.
        wasserstein: Earth mover's distance over the reference's standard deviation; None for categories.
        mean_z: Difference of means over both standard errors; None for categories.
    """

    psi: float
    jensen_shannon: float
    ks: float | None = None
    wasserstein: float | None = None
    mean_z: float | None = None


def shift_from_ks(distance: float, h: float) -> float:
    """Equivalent Gaussian shift of a Kolmogorov–Smirnov distance.

    ``D' = sqrt(max(D² − .8687² h, 0))``, ``effect = 2 Φ⁻¹((1 + D') / 2)``, from
    sup |Φ(x) − Φ(x − δ)| = 2 Φ(δ / 2) − 1.
    """
    clean = np.sqrt(max(distance**2 - KOLMOGOROV_MEAN**2 * h, 0.0))
    return float(2 * special.ndtri((1 + min(clean, 1 - 1e-12)) / 2))


def shift_from_cells(reference: Array, window: Array, h: float) -> float:
    """Equivalent Gaussian shift of two histograms on the same bins, read in twelve cells of their common quantiles.

    The outermost half percent on either side has a cell of its own: what changes spread or tails hardly moves the
    distribution function, by which :func:`shift_from_ks` measures, and is large here.
    """
    both = reference + window
    middle = (np.cumsum(both) - both / 2) / both.sum()
    cell = np.searchsorted(_CELL_QUANTILES, middle)
    cells = len(_CELL_QUANTILES) + 1
    p, q = (np.bincount(cell, counts, cells).astype(float) for counts in (reference, window))
    used = p + q > 0
    return shift_from_shares(p[used], q[used], h)


def shift_from_shares(reference: Array, window: Array, h: float) -> float:
    """Equivalent Gaussian shift of two sets of counts over k cells.

    ``sqrt(max(Σ (p − q)² / ((p + q) / 2) − (k − 1) h, 0))``; for two close Gaussians the sum is δ². Unlike
    chi-square over n it does not depend on how many rows either side has.
    """
    p, q = reference / reference.sum(), window / window.sum()
    middle = (p + q) / 2
    divergence = ((p - q) ** 2 / np.where(middle > 0, middle, 1.0)).sum()
    return float(np.sqrt(max(divergence - (len(p) - 1) * h, 0.0)))


def detectable_shift(alpha: float, h: float, power: float = 0.8) -> float:
    """Smallest Gaussian shift that the rank test finds with ``power`` at two-sided level ``alpha``."""
    return float((special.ndtri(power) - special.ndtri(alpha / 2)) * np.sqrt(h))


def detectable_spread(alpha: float, h: float, power: float = 0.8) -> float:
    """Smallest ratio of standard deviations, above 1, that Klotz' test finds with ``power`` at two-sided ``alpha``.

    E z² moves by 2 ln(ratio) and has a variance of 2 a row, so ln(ratio) = (z_power + z_α/2) √(h / 2).
    """
    return float(np.exp(detectable_shift(alpha, h, power) / np.sqrt(2)))


def detectable_shares(alpha: float, h: float, df: int, windows: float | None = None, power: float = 0.8) -> float:
    """Smallest effect that chi-square on ``df`` degrees of freedom finds with ``power`` at ``alpha``.

    ``windows``: number of held-out windows that the variance was estimated from, None where it is known.
    """
    critical = special.chdtri(df, alpha) if windows is None else df * special.fdtri(df, windows * df, 1 - alpha)
    noncentrality = special.chndtrinc(critical, df, 1 - power)
    return float(np.sqrt(noncentrality * h))


def shown(reference: ValueColumn, window: ValueColumn) -> dict[str, Any]:
    """What a column's report shows beside its verdict, by field name; nothing here decides."""
    distances = None
    if isinstance(reference, NumericColumn) and isinstance(window, NumericColumn):
        distances = numeric_distances(reference, window)
    elif isinstance(reference, CategoricalColumn) and isinstance(window, CategoricalColumn):
        distances = categorical_distances(reference, window)
    return {
        "distances": distances,
        "reference_null_share": reference.nulls / reference.rows if reference.rows else None,
        "window_null_share": window.nulls / window.rows if window.rows else None,
        "unseen_levels": window.unseen if isinstance(window, CategoricalColumn) else {},
    }


def numeric_distances(reference: NumericColumn, window: NumericColumn) -> Distances | None:
    """Usual distances between two numeric columns; None where either has no values."""
    n, m = reference.count, window.count
    if not n or not m:
        return None
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    tenths = np.minimum((np.cumsum(ref) - ref / 2) * 10 // n, 9).astype(int)
    coarse_ref, coarse_win = (np.bincount(tenths, counts, 10).astype(float) for counts in (ref, win))
    gaps = np.abs(np.cumsum(ref)[:-1] / n - np.cumsum(win)[:-1] / m)
    edges = np.asarray(reference.edges)
    spread = reference.std or 0.0
    variance = spread**2 / n + (window.std or 0.0) ** 2 / m
    moved = float((gaps[:-1] * np.diff(edges / spread)).sum()) if spread else None
    return Distances(
        psi=population_stability_index(coarse_ref, coarse_win),
        jensen_shannon=jensen_shannon_distance(ref, win),
        ks=float(gaps.max()) if len(gaps) else 0.0,
        wasserstein=moved,
        mean_z=((window.mean or 0.0) - (reference.mean or 0.0)) / np.sqrt(variance) if variance else None,
    )


def categorical_distances(reference: CategoricalColumn, window: CategoricalColumn) -> Distances | None:
    """Usual distances between two categorical columns; None where either has no values."""
    if not reference.count or not window.count:
        return None
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    return Distances(psi=population_stability_index(ref, win), jensen_shannon=jensen_shannon_distance(ref, win))


def population_stability_index(reference: Array, window: Array) -> float:
    """PSI = Σ (q − p) ln(q / p), empty cells read as a share of 1e-4."""
    used = (reference + window) > 0
    p = np.maximum(reference[used] / reference.sum(), _SMALLEST_SHARE)
    q = np.maximum(window[used] / window.sum(), _SMALLEST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon_distance(reference: Array, window: Array) -> float:
    """Square root of the Jensen–Shannon divergence, base 2 (Lin 1991); rounding below 0 reads as 0."""
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(jensenshannon(reference, window, base=2)))
