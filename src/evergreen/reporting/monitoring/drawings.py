"""How are two samples of a column drawn beside each other? From their profiles, on bins that both share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn
from evergreen.reporting.charts.bars import Amounts, Bins, bar_picture, column_picture
from evergreen.reporting.charts.picture import Picture
from evergreen.reporting.charts.scales import tick_text
from evergreen.wording import share_text, shortened

BINS = 20
LEVELS = 8
_TRIM = 0.005
_SKEWED = 0.15
_LEVEL_LENGTH = 40

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """Shares of two samples on the same bins.

    Attributes:
        limits: Rising limits of the bins, one more than bins; what lies outside counts in the outer bins.
        reference: Share of the reference's values per bin.
        window: Share of the window's values per bin.
        log: Whether bins are equally wide on a logarithmic scale.
        whole: Whether every bin holds one whole number, its upper limit.
    """

    limits: Floats
    reference: Floats
    window: Floats
    log: bool
    whole: bool


def rebin(reference: NumericColumn, window: NumericColumn, bins: int = BINS) -> Histogram | None:
    """Read two profiles' quantile bins as about ``bins`` bins of equal width, linear inside a quantile bin.

    The bins span the middle 99 % of both samples; whole numbers get bins that end on whole numbers, and
    positive values with a long tail a logarithmic scale. None where either side has no values.
    """
    sides = (reference, window)
    if not all(side.count for side in sides):
        return None
    low = min(side.quantile(_TRIM) or 0.0 for side in sides)
    high = max(side.quantile(1 - _TRIM) or 0.0 for side in sides)
    size = max(abs(low), abs(high))
    if (high - low) / bins <= 2 * np.spacing(size):
        low, high = low - max(1.0, 1e-6 * size), high + max(1.0, 1e-6 * size)
    edges = np.asarray(reference.edges)[1:]
    log = whole = False
    if len(edges) and (edges == np.round(edges)).all():
        step = max(np.ceil((high - low + 1) / bins), 1.0)
        limits = np.arange(np.ceil(low) - 1, high + step, step)
        whole = bool(step == 1)
    elif low > 0 and (reference.quantile(0.5) or 0.0) - low < _SKEWED * (high - low):
        limits, log = np.geomspace(low, high, bins + 1), True
    else:
        limits = np.linspace(low, high, bins + 1)
    return Histogram(limits, _shares(reference, limits), _shares(window, limits), log, whole)


def histogram_picture(histogram: Histogram, name: str) -> Picture:
    """Columns of both samples side by side per bin."""
    sides = [Amounts("reference", histogram.reference.tolist(), "before"), Amounts("window", histogram.window.tolist())]
    bins = Bins(_names(histogram), _ticks(histogram))
    scale = ", on a logarithmic scale" if histogram.log else ""
    return column_picture(f"{name}: reference and window{scale}", bins, sides, share_text)


def levels_picture(reference: CategoricalColumn, window: CategoricalColumn, name: str) -> Picture | None:
    """Bars of the levels that hold most rows on either side, one pair a level; None without values."""
    if not reference.count or not window.count:
        return None
    names = [*reference.levels, "all others"]
    before, now = (np.asarray(side.counts, float) / side.count for side in (reference, window))
    largest = np.argsort(-np.maximum(before, now), kind="stable")[:LEVELS]
    shown = [i for i in sorted(largest) if max(before[i], now[i]) > 0]
    sides = [Amounts("reference", before[shown].tolist(), "before"), Amounts("window", now[shown].tolist())]
    levels = [shortened(names[i], _LEVEL_LENGTH) for i in shown]
    return bar_picture(f"{name}: reference and window", levels, sides, share_text)


def _shares(column: NumericColumn, limits: Floats) -> Floats:
    known = [column.minimum, *column.edges, column.maximum]
    ends = np.clip(np.asarray(known, float), column.minimum, column.maximum)
    below = np.concatenate([[0], np.cumsum(column.counts)]) / column.count
    at = np.interp(limits, ends, below)
    at[0], at[-1] = 0.0, 1.0
    return np.diff(at)


def _names(histogram: Histogram) -> list[str]:
    limits = histogram.limits
    if histogram.whole:
        return [tick_text(limit) for limit in limits[1:]]
    return [f"{tick_text(low)} to {tick_text(high)}" for low, high in pairwise(limits)]


def _ticks(histogram: Histogram) -> list[tuple[float, str]]:
    """Labels of a few bins: at their limits, or under the column of a whole number."""
    bins = len(histogram.reference)
    return [
        (i + 0.5 * histogram.whole, tick_text(histogram.limits[i + histogram.whole]))
        for i in range(0, bins + 1 - histogram.whole, max(round(bins / 5), 1))
    ]
