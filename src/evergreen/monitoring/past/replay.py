"""By how much dependence over time inflates a window's tests, measured by replaying them over all history.

A window is held against as many windows as the reference has, which end g windows before it, for every past window and
several g; the squared statistics' mean over its textbook value is the design effect, the largest over g counts. A
champion that learnt from four weeks inherits what is known of two years.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evergreen.monitoring.past.counts import PastColumn
from evergreen.monitoring.profiles.profile import Column, DesignEffect, Profile, TimeColumn, larger_design
from evergreen.monitoring.profiles.two_sample import (
    KOLMOGOROV_SECOND_MOMENT,
    chi_square,
    ks_distance,
    normal_score_z,
    pool_rare_levels,
    pooled,
    size_factor,
    squared_normal_score_z,
)

Floats = NDArray[np.float64]
GAPS = (1, 6, 15, 22)
MIN_REPLAYS = 8
YEAR_DAYS = 371
MEDIAN_CHI_SQUARE = 0.4549
_TWO_YEARS = 729
_CAPPED = 0.02
_KOLMOGOROV_CAP = 6.0
_MIN_VALUES = 20
_FEWEST_EFFECTIVE = 3.0
_HIGHEST_CORRELATION = 0.98


def with_replayed_designs(
    reference: Profile, past: Mapping[str, PastColumn], length: dt.timedelta, rows: int | None = None
) -> Profile:
    """The reference with design effects from replayed history, where there is enough of it.

    That is history up to the reference's end: a drift that began since would be taken for dependence and excuse
    itself. Windows since then are replayed, too, only where those before are too few.

    Args:
        reference: The champion's reference profile, with what its own rows say.
        past: Counts of past windows.
        length: Length of a window.
        rows: Rows of the window that is looked at; None: as many as past windows had.
    """
    windows = _length_in_windows(reference, length)
    columns: dict[str, Column] = {}
    for name, column in reference.columns.items():
        if isinstance(column, TimeColumn) or name not in past:
            columns[name] = column
            continue
        found = _design(past[name], reference.window_end, windows, rows)
        columns[name] = column if found is None else column.model_copy(update={"design": found, "pair_design": None})
    return reference.model_copy(update={"columns": columns})


def _design(past: PastColumn, end: dt.date | None, windows: int, rows: int | None) -> DesignEffect | None:
    """A column's design effect by history up to a day, or by all where that is too little; None: both are."""
    for history in (_until(past, end), past):
        found = replayed_design(history, windows)
        if found is not None:
            return found if rows is None else _at_size(found, history, windows, rows)
    return None


def _at_size(found: DesignEffect, past: PastColumn, windows: int, rows: int) -> DesignEffect:
    """A design effect where windows have grown: what rows of a window share does not shrink as they become more.

    The part above 1 is in proportion to the rows, as the variance of a mean is ``s² / n + t²`` = ``s² / n (1 + n c)``.
    Windows that have shrunk keep the larger effect.
    """
    usual = float(np.median(past.counts.sum(axis=1) + past.nulls))
    before = usual * min(windows, max(1, len(past.counts) // 2))
    grown = float(size_factor(usual, before) / size_factor(max(rows, 1), before)) if usual else 1.0
    more = max(1.0, grown)
    names = [name for name in ("values", "ranks", "scales", "nulls") if getattr(found, name) is not None]
    return found.model_copy(update={name: 1 + (getattr(found, name) - 1) * more for name in names})


def _until(past: PastColumn, end: dt.date | None) -> PastColumn:
    """The windows that end by a day."""
    if end is None:
        return past
    kept = past.ends <= np.datetime64(end, "D")
    return PastColumn(past.edges, past.counts[kept], past.nulls[kept], past.ends[kept], past.starts[kept])


def replayed_design(past: PastColumn, reference_windows: int) -> DesignEffect | None:
    """Design effect of one column; None with fewer than sixteen windows of history.

    From two years of history on, when seasons are looked for by themselves, squared statistics count up to the value
    that one of fifty exceeds, judged by their median: else a few weeks of a season would raise it for the whole year.

    Args:
        past: Its counts in past windows.
        reference_windows: Windows that the champion's reference covers; at most half of the history is replayed.
    """
    enough = past.counts.sum(axis=1) >= _MIN_VALUES
    counts, nulls = past.counts[enough], past.nulls[enough]
    shares = np.stack([counts.sum(axis=1), nulls], axis=1)
    length = max(1, min(reference_windows, len(counts) // 2))
    gaps = [gap for gap in GAPS if len(counts) - length - gap + 1 >= MIN_REPLAYS]
    if not gaps:
        return None
    numeric, capped = bool(len(past.edges)), _days(past) >= _TWO_YEARS
    rho = lag_correlation(counts, numeric=numeric, robust=capped)
    windows = max(len(counts) * (1 - rho) / (1 + rho), _FEWEST_EFFECTIVE)
    effects = [_inflation(counts, shares, length, gap, numeric=numeric, capped=capped) for gap in gaps]
    return reduce(larger_design, effects).model_copy(update={"windows": windows, "autocorrelation": rho})


def knows_a_year(past: PastColumn) -> bool:
    """Whether history covers a year and two weeks, from which on a season of a year ago can be seen."""
    return _days(past) >= YEAR_DAYS


def _days(past: PastColumn) -> int:
    return int((past.ends[-1] - past.starts[0]).astype(int)) if len(past.starts) else 0


def lag_correlation(counts: Floats, *, numeric: bool, robust: bool = False) -> float:
    """Correlation of neighbouring windows, corrected for its bias and raised by one standard error.

    Args:
        counts: Shape (windows, cells).
        numeric: Whether cells are ordered.
        robust: Whether windows far off count for no more than 1.5 times the median one.
    """
    share = counts / counts.sum(axis=1, keepdims=True)
    share = np.cumsum(share, axis=1) if numeric else share
    off = share - (np.median(share, axis=0) if robust else share.mean(axis=0))
    if robust:
        size = np.sqrt((off**2).sum(axis=1, keepdims=True))
        off = off * np.minimum(1.0, 1.5 * np.median(size) / np.maximum(size, 1e-12))
    power, n = (off**2).sum(), len(counts)
    found = float((off[1:] * off[:-1]).sum() / power) if power > 0 else 0.0
    return float(np.clip(found + (1 + 4 * found) / n + 1 / np.sqrt(n), 0.0, _HIGHEST_CORRELATION))


def for_pooled(reference: Profile, windows: int) -> Profile:
    """The reference that several windows in a row, taken as one, are held against.

    Columns whose rows depend on each other, by an unknown amount over so many windows, are left out.

    Args:
        reference: Profile with design effects of single windows.
        windows: Windows in a row.
    """
    columns: dict[str, Column] = {}
    for name, column in reference.columns.items():
        if isinstance(column, TimeColumn):
            continue
        design = column.design
        if design.autocorrelation is not None:
            columns[name] = column.model_copy(
                update={"design": design.times(pooled_inflation(design.autocorrelation, windows))}
            )
        elif windows == 2 and column.pair_design is not None:
            columns[name] = column.model_copy(update={"design": column.pair_design})
        elif design.windows is None:
            columns[name] = column
    return reference.model_copy(update={"columns": columns})


def pooled_inflation(rho: float, windows: int) -> float:
    """Design effect of the mean of ``windows`` windows in a row over that of one, under first-order dependence."""
    k = windows
    return (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**k) / (k * (1 - rho) ** 2)


def _length_in_windows(reference: Profile, length: dt.timedelta) -> int:
    if reference.window_start is None or reference.window_end is None:
        return 1
    return max(1, (reference.window_end - reference.window_start + dt.timedelta(days=1)) // length)


def _inflation(counts: Floats, shares: Floats, length: int, gap: int, *, numeric: bool, capped: bool) -> DesignEffect:
    window, before = replayed(counts, length, gap)
    nulls = _null_inflation(*replayed(shares, length, gap))
    if not numeric:
        groups = pool_rare_levels(before.mean(axis=0), window.mean(axis=0))
        if len(groups) < 2:
            return DesignEffect(nulls=nulls)
        statistic, df = chi_square(pooled(before, groups), pooled(window, groups))
        return DesignEffect(values=_chi_square_inflation(statistic, df, capped), nulls=nulls)
    h = size_factor(window.sum(axis=1), before.sum(axis=1))
    return DesignEffect(
        values=_kolmogorov_inflation(ks_distance(before, window) ** 2 / h, capped),
        ranks=_chi_square_inflation(normal_score_z(before, window) ** 2, 1, capped),
        scales=_chi_square_inflation(squared_normal_score_z(before, window) ** 2, 1, capped),
        nulls=nulls,
    )


def _chi_square_inflation(squared: Floats, df: int, capped: bool) -> float:
    """What chi-square statistics average over the textbook's value; at least 1."""
    if not capped:
        return max(1.0, float(squared.mean() / df))
    limit = float(special.chdtri(df, _CAPPED))
    expected = df * (1 - special.chdtrc(df + 2, limit)) + limit * _CAPPED
    most = limit / special.chdtri(df, 0.5) * np.median(squared)
    return max(1.0, float(np.minimum(squared, most).mean() / expected))


def _kolmogorov_inflation(squared: Floats, capped: bool) -> float:
    """The same of squared Kolmogorov–Smirnov distances over h; capped where hardly any lies."""
    used = np.minimum(squared, _KOLMOGOROV_CAP * np.median(squared)) if capped else squared
    return max(1.0, float(used.mean() / KOLMOGOROV_SECOND_MOMENT))


def replayed(counts: Floats, length: int, gap: int) -> tuple[Floats, Floats]:
    """Every past window that has them, and the ``length`` windows that end ``gap`` windows before it, added up."""
    sums = np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(counts, axis=0)])
    ends = np.arange(length + gap - 1, len(counts))
    return counts[ends], sums[ends - gap + 1] - sums[ends - gap + 1 - length]


def _null_inflation(window: Floats, before: Floats) -> float:
    if window[:, 1].sum() + before[:, 1].sum() == 0:
        return 1.0
    statistic, _ = chi_square(before, window)
    return max(1.0, float(statistic.mean()))
