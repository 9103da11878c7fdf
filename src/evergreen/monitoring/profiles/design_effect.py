"""By how much dependent rows inflate each test, measured on held-out windows of the reference itself.

The reference is cut into K pieces as long as a monitoring window. Each piece is tested against the rest of
the reference without its neighbours, with the very statistics that drift uses. Without dependence the squared
statistics average their textbook value; what they average instead, over it, is the design effect (Kish 1965).
Slow movement (seasons, trailing averages) stands between windows, so it is inside the estimate. An estimate
from few, or from slowly changing, windows is itself uncertain: their effective number is kept, and tests read
their p-values from Student's t with it.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from evergreen.monitoring.profiles.profile import DesignEffect, larger_design
from evergreen.monitoring.profiles.two_sample import (
    KOLMOGOROV_SECOND_MOMENT,
    Array,
    chi_square,
    ks_distance,
    normal_score_z,
    pool_rare_levels,
    pooled,
    size_factor,
    squared_normal_score_z,
)

MIN_WINDOWS = 4
_MIN_WINDOW_VALUES = 20
_MIN_GROUP_VALUES = 5
_GAP_SHARES = (0.1, 0.25, 0.4)
_FEWEST_EFFECTIVE = 3.0


def design_effect(values: NDArray[np.int64], nulls: NDArray[np.int64], *, ordered: bool, numeric: bool) -> DesignEffect:
    """Design effect of one column from its counts per piece of the reference.

    Pieces in time are compared at growing distances, and the largest inflation counts: a monitoring window
    stands further from the reference's middle than most of the reference does.

    Args:
        values: Counts of values, shape (K + 1, bins); the last row holds rows outside any piece.
        nulls: Counts of nulls, shape (K + 1,).
        ordered: Whether the pieces follow each other in time, so that neighbours are left out.
        numeric: Whether bins are ordered (numeric) or levels.
    """
    shares = np.stack([values.sum(axis=-1), nulls], axis=-1).astype(float)
    counts = values.astype(float)
    k = len(values) - 1
    gaps = sorted({max(1, round(share * k)) for share in _GAP_SHARES}) if ordered else [0]
    effects = [_at_gap(counts, shares, gap, numeric=numeric, ordered=ordered) for gap in gaps]
    return reduce(larger_design, effects)


def pair_design_effect(
    single: DesignEffect, values: NDArray[np.int64], nulls: NDArray[np.int64], *, numeric: bool
) -> DesignEffect | None:
    """Design effect of two windows in a row taken as one, never below a single window's.

    Dependence that outlasts a window inflates a pair more, so that pairs are measured as windows are.

    Args:
        single: Design effect of a single window.
        values: As for :func:`design_effect`, pieces in order of time.
        nulls: Likewise.
        numeric: Likewise.

    Returns:
        The design effect; None where the reference holds fewer than ``MIN_WINDOWS`` pairs.
    """
    if len(values) - 1 < 2 * MIN_WINDOWS:
        return None
    pairs = design_effect(_in_pairs(values), _in_pairs(nulls), ordered=True, numeric=numeric)
    return larger_design(single, pairs)


def _in_pairs(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    odd = (len(counts) - 1) % 2
    pieces, outside = counts[odd:-1], counts[-1:] + counts[:odd].sum(axis=0)
    return np.concatenate([pieces[::2] + pieces[1::2], outside])


def group_design_effects(values: NDArray[np.int64], *, ordered: bool, numeric: bool) -> tuple[DesignEffect | None, ...]:
    """Design effect of one column within each group of rows, from its counts per piece of the reference.

    A group with too few values in most pieces takes what those that could be measured average.

    Args:
        values: Shape (groups, K + 1, cells); the last row of a group holds its rows outside any piece.
        ordered: As for :func:`design_effect`.
        numeric: Likewise.

    Returns:
        One a group; None for all where none could be measured.
    """
    k = values.shape[-2] - 1
    gap = max(1, round(_GAP_SHARES[1] * k)) if ordered else 0
    inside, outside = _held_out(values.astype(float), gap)
    enough = _enough(inside, outside, _MIN_GROUP_VALUES)
    known = enough.sum(axis=-1) >= MIN_WINDOWS
    measured = {}
    for group in np.flatnonzero(known):
        used = enough[group]
        measured[int(group)] = _measured(inside[group][used], outside[group][used], numeric=numeric, ordered=ordered)
    usual = _average(list(measured.values()))
    return tuple(measured.get(group, usual) for group in range(len(values)))


def _average(effects: list[DesignEffect]) -> DesignEffect | None:
    if not effects:
        return None
    mean = {name: float(np.mean([getattr(each, name) for each in effects])) for name in ("values", "ranks")}
    windows = min(each.windows for each in effects if each.windows is not None)
    return DesignEffect(**mean, scales=float(np.mean([each.of_scales for each in effects])), windows=windows)


def _at_gap(values: Array, shares: Array, gap: int, *, numeric: bool, ordered: bool) -> DesignEffect:
    inside, outside = _held_out(values, gap)
    enough = _enough(inside, outside)
    null_effect = _null_effect(*_held_out(shares, gap))
    if enough.sum() < MIN_WINDOWS:
        return DesignEffect(nulls=null_effect)
    found = _measured(inside[enough], outside[enough], numeric=numeric, ordered=ordered)
    return found.model_copy(update={"nulls": null_effect})


def _enough(inside: Array, outside: Array, least: int = _MIN_WINDOW_VALUES) -> NDArray[np.bool_]:
    return (inside.sum(axis=-1) >= least) & (outside.sum(axis=-1) >= least)


def _measured(inside: Array, outside: Array, *, numeric: bool, ordered: bool) -> DesignEffect:
    """By how much pieces differ from the rest, both of shape (pieces, bins), over what independent rows would."""
    h = size_factor(inside.sum(axis=-1), outside.sum(axis=-1))
    windows = _effective_number(_differences(inside, outside, numeric=numeric), ordered=ordered)
    if not numeric:
        groups = pool_rare_levels(outside.mean(axis=0), inside.mean(axis=0))
        statistic, df = chi_square(pooled(outside, groups), pooled(inside, groups))
        inflation = float(statistic.mean() / df) if df else 1.0
        return DesignEffect(values=max(1.0, inflation), windows=windows)
    distances = ks_distance(outside, inside)
    return DesignEffect(
        values=max(1.0, float((distances**2 / h).mean() / KOLMOGOROV_SECOND_MOMENT)),
        ranks=max(1.0, float((normal_score_z(outside, inside) ** 2).mean())),
        scales=max(1.0, float((squared_normal_score_z(outside, inside) ** 2).mean())),
        windows=windows,
    )


def _held_out(counts: Array, gap: int) -> tuple[Array, Array]:
    """Counts of each piece, and of all but it and ``gap`` neighbours on each side; shape (..., K, bins)."""
    pieces = counts[..., :-1, :]
    k = pieces.shape[-2]
    before = np.concatenate([np.zeros((*pieces.shape[:-2], 1, counts.shape[-1])), np.cumsum(pieces, axis=-2)], axis=-2)
    first, last = np.maximum(np.arange(k) - gap, 0), np.minimum(np.arange(k) + gap + 1, k)
    return pieces, counts.sum(axis=-2, keepdims=True) - (before[..., last, :] - before[..., first, :])


def _null_effect(inside: Array, outside: Array) -> float:
    used = (inside.sum(axis=-1) > 0) & (outside.sum(axis=-1) > 0)
    nulls = inside[used, 1].sum() + outside[used, 1].sum()
    if used.sum() < MIN_WINDOWS or nulls == 0:
        return 1.0
    statistic, _ = chi_square(outside[used], inside[used])
    return max(1.0, float(statistic.mean()))


def _differences(inside: Array, outside: Array, *, numeric: bool) -> Array:
    p, q = (counts / counts.sum(axis=-1, keepdims=True) for counts in (inside, outside))
    return np.cumsum(p - q, axis=-1) if numeric else p - q


def _effective_number(differences: Array, *, ordered: bool) -> float:
    """Number of independent windows that say as much: K / (1 + 2 Σ ρ), summed until ρ falls below noise."""
    k = len(differences)
    power = (differences**2).sum()
    if not ordered or power == 0:
        return float(k)
    rho = np.array([(differences[lag:] * differences[:-lag]).sum() / power for lag in range(1, k // 2)])
    below = np.flatnonzero(rho < 1 / np.sqrt(k))
    kept = rho[: below[0]] if len(below) else rho
    return float(max(k / (1 + 2 * kept.sum()), _FEWEST_EFFECTIVE))
