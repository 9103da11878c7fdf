"""How distributions and trends are drawn in a page that fetches nothing: small SVG pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn
from evergreen.wording import shortened

BINS = 20
LEVELS = 8
_TRIM = 0.005
_SKEWED = 0.15
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 460, 170, 6, 24, 22
_ROW, _NAME, _SHARES, _LEGEND = 26, 130, 104, 140
_REFERENCE, _WINDOW, _INK, _SOFT, _LINE = "#9aa1ab", "#0072b2", "#1f2328", "#57606a", "#d8dee4"
_ALARM = "#b3261e"

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
    if high <= low:
        low, high = low - 1, high + 1
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


def histogram_drawing(histogram: Histogram, name: str) -> str:
    """Bars of both samples side by side per bin."""
    shares = np.stack([histogram.reference, histogram.window])
    slot = (_WIDTH - 2 * _LEFT) / shares.shape[1]
    floor = _HEIGHT - _BOTTOM
    heights = shares / max(float(shares.max()), 1e-12) * (floor - _TOP)
    bars = []
    for side, colour in enumerate((_REFERENCE, _WINDOW)):
        lefts = _LEFT + slot * (np.arange(shares.shape[1]) + 0.08 + 0.42 * side)
        steps = "".join(
            f"M{x:.1f} {floor}v-{h:.1f}h{0.42 * slot:.1f}v{h:.1f}z"
            for x, h in zip(lefts, heights[side], strict=True)
            if h > 0
        )
        bars.append(f'<path d="{steps}" fill="{colour}"/>')
    scale = "logarithmic scale" if histogram.log else ""
    axis = f'<path d="M{_LEFT} {floor}H{_WIDTH - _LEFT}" stroke="{_LINE}"/>'
    return _picture(f"{name}: reference and window", _HEIGHT, _legend(scale), axis, *bars, _ticks(histogram))


def levels_drawing(reference: CategoricalColumn, window: CategoricalColumn, name: str) -> str | None:
    """Bars of the levels that hold most rows on either side, one pair a level; None without values."""
    if not reference.count or not window.count:
        return None
    names = [*reference.levels, "all others"]
    before, now = (np.asarray(side.counts, float) / side.count for side in (reference, window))
    largest = np.argsort(-np.maximum(before, now), kind="stable")[:LEVELS]
    shown = [i for i in sorted(largest) if max(before[i], now[i]) > 0]
    scale = (_WIDTH - _NAME - _SHARES) / max(float(max(before[shown].max(), now[shown].max())), 1e-12)
    rows = []
    for row, i in enumerate(shown):
        top = _TOP + 4 + row * _ROW
        rows.append(_text(_NAME - 8, top + 14, shortened(names[i], 19), "end", _INK))
        for share, offset, colour in ((before[i], 0, _REFERENCE), (now[i], 10, _WINDOW)):
            rows.append(
                f'<rect x="{_NAME}" y="{top + offset}" width="{share * scale:.1f}" height="9" fill="{colour}"/>'
            )
        rows.append(_text(_NAME + scale * max(before[i], now[i]) + 6, top + 14, f"{before[i]:.1%} → {now[i]:.1%}"))
    return _picture(f"{name}: reference and window", _TOP + 8 + len(shown) * _ROW, _legend(""), *rows)


def trend_drawing(effects: Sequence[float | None], hits: Sequence[bool], least: float, is_open: bool, name: str) -> str:
    """Effect per window, oldest first; full red points for windows in alarm, a ring where an alert is open.

    Args:
        effects: Effect of each window; None where it could not be judged.
        hits: Whether the column alarmed in each window.
        least: A scale that the drawing spans at the least.
        is_open: Whether the column's alert is open in the newest window.
        name: The column.
    """
    height, floor, top = 54, 46, 8
    values = np.asarray([np.nan if effect is None else effect for effect in effects], float)
    known = np.isfinite(values)
    highest = max(least, float(values[known].max()) if known.any() else 0.0)
    x = _LEFT + 6 + np.arange(len(values)) * ((_WIDTH - _LEGEND) / max(len(values) - 1, 1))
    y = floor - np.where(known, values, 0.0) / highest * (floor - top)
    line = "".join(f"{'L' if i and known[i - 1] else 'M'}{x[i]:.1f} {y[i]:.1f}" for i in np.flatnonzero(known))
    parts = [f'<path d="M{_LEFT} {floor}H{x[-1] + 6:.1f}" stroke="{_LINE}"/>']
    parts.append(f'<path d="{line}" fill="none" stroke="{_SOFT}" stroke-width="1.4"/>')
    for i in range(len(values)):
        if hits[i] or known[i]:
            look = f'r="4" fill="{_ALARM}"' if hits[i] else f'r="2.4" fill="{_SOFT}"'
            parts.append(f'<circle cx="{x[i]:.1f}" cy="{y[i]:.1f}" {look}/>')
    if is_open:
        parts.append(
            f'<circle cx="{x[-1]:.1f}" cy="{y[-1]:.1f}" r="7" fill="none" stroke="{_ALARM}" stroke-width="1.4"/>'
        )
    last = f"effect {values[-1]:.2f}" if known[-1] else "not judged"
    words = f"{sum(hits)} of {len(values)} in alarm"
    parts += [_text(x[-1] + 16, 24, last, "start", _INK), _text(x[-1] + 16, 40, words)]
    return _picture(f"{name}: effect over {len(values)} windows", height, *parts)


def _shares(column: NumericColumn, limits: Floats) -> Floats:
    known = [column.minimum, *column.edges, column.maximum]
    ends = np.clip(np.asarray(known, float), column.minimum, column.maximum)
    below = np.concatenate([[0], np.cumsum(column.counts)]) / column.count
    at = np.interp(limits, ends, below)
    at[0], at[-1] = 0.0, 1.0
    return np.diff(at)


def _ticks(histogram: Histogram) -> str:
    """Labels of a few bins: at their limits, or under the bar of a whole number."""
    bins = len(histogram.reference)
    slot = (_WIDTH - 2 * _LEFT) / bins
    marks = []
    for i in range(0, bins + 1 - histogram.whole, max(round(bins / 5), 1)):
        x = _LEFT + slot * (i + 0.5 * histogram.whole)
        anchor = "start" if i == 0 and not histogram.whole else "end" if i == bins else "middle"
        marks.append(_text(x, _HEIGHT - 6, _short(histogram.limits[i + histogram.whole]), anchor))
    return "".join(marks)


def _short(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value / 1_000:,.0f}k" if abs(value) < 10_000_000 else f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def _legend(scale: str) -> str:
    return (
        f'<rect x="{_LEFT}" y="3" width="10" height="10" fill="{_REFERENCE}"/>{_text(_LEFT + 15, 12, "reference")}'
        f'<rect x="{_LEFT + 88}" y="3" width="10" height="10" fill="{_WINDOW}"/>'
        f"{_text(_LEFT + 103, 12, 'window')}{_text(_WIDTH - _LEFT, 12, scale, 'end')}"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = _SOFT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _picture(label: str, height: float, *parts: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="12">{"".join(parts)}</svg>'
    )
