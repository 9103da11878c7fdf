"""How looks, power and predictions of an experiment are drawn: small SVG pictures that fetch nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import escape

from evergreen.experiments.describe import VariantFigures
from evergreen.experiments.looks import PlannedLook

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 460, 190, 44, 14, 26, 30
_FIRST, _SECOND, _THIRD, _INK, _SOFT, _LINE = "#9aa1ab", "#0072b2", "#b3561e", "#1f2328", "#57606a", "#d8dee4"
_ALARM = "#b3261e"
Curve = tuple[str, str, Callable[[np.ndarray], np.ndarray]]


def looks_drawing(looks: Sequence[PlannedLook]) -> str:
    """The statistic of each look between its bounds."""
    bounds = [min(look.bound, 6.0) for look in looks]
    statistics = [float(np.clip(look.statistic, -8, 8)) for look in looks]
    reach = max([4.0, *bounds, *map(abs, statistics)]) * 1.08
    x = _LEFT + np.array([look.information for look in looks]) * (_WIDTH - _LEFT - _RIGHT)
    floor = _HEIGHT - _BOTTOM

    def y(values: Sequence[float]) -> np.ndarray:
        return _TOP + (reach - np.asarray(values)) / (2 * reach) * (floor - _TOP)

    parts = [f'<path d="M{_LEFT} {y([0])[0]:.1f}H{_WIDTH - _RIGHT}" stroke="{_LINE}"/>']
    parts += [_path(x, y([sign * bound for bound in bounds]), _ALARM, "5 4") for sign in (1, -1)]
    parts.append(_path(x, y(statistics), _SECOND))
    parts += [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.4" fill="{_SECOND}"/>' for a, b in zip(x, y(statistics), strict=True)
    ]
    parts += [_text(a, floor + 18, f"look {look.number}", "middle") for a, look in zip(x, looks, strict=True)]
    parts += [_text(_LEFT, 14, "difference in standard errors, and the bounds of each look", "start", _INK)]
    parts += [_text(_LEFT - 6, y([v])[0] + 4, f"{v:+.0f}" if v else "0", "end") for v in (-2, 0, 2)]
    return _picture("statistic of each look between its bounds", *parts)


def power_drawing(curves: Sequence[Curve], most_rows: int, planned_rows: int) -> str:
    """Power against rows, a curve a mode; a line where the experiment is planned to end.

    Args:
        curves: Name, colour, and rows → power.
        most_rows: Where the axis ends.
        planned_rows: Rows at which the experiment ends.
    """
    rows = np.linspace(1, most_rows, 120)
    width, floor = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BOTTOM
    x = _LEFT + rows / most_rows * width
    parts = [f'<path d="M{_LEFT} {floor}H{_WIDTH - _RIGHT}" stroke="{_LINE}"/>']
    for share in (0.2, 0.5, 0.8):
        at = floor - share * (floor - _TOP)
        parts += [
            f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}" stroke="{_LINE}"/>',
            _text(_LEFT - 6, at + 4, f"{share:.0%}", "end"),
        ]
    for number, (name, colour, power) in enumerate(curves):
        parts.append(_path(x, floor - power(rows) * (floor - _TOP), colour))
        parts.append(_text(_LEFT + 4 + 120 * number, 14, f"— {name}", "start", colour))
    if planned_rows <= most_rows:
        at = _LEFT + planned_rows / most_rows * width
        parts.append(f'<path d="M{at:.1f} {_TOP}V{floor}" stroke="{_SOFT}" stroke-dasharray="2 3"/>')
    parts += [
        _text(_LEFT + share * width, floor + 18, f"{share * most_rows:,.0f}", "middle") for share in (0.25, 0.5, 0.75)
    ]
    parts.append(_text(_WIDTH - _RIGHT, floor + 18, "rows", "end"))
    return _picture("power against rows", *parts)


def predictions_drawing(variants: Sequence[VariantFigures]) -> str:
    """Shares of predicted probabilities, both variants side by side in ten bins."""
    bins = len(variants[0].histogram)
    slot, floor = (_WIDTH - _LEFT - _RIGHT) / bins, _HEIGHT - _BOTTOM
    highest = max(max(variant.histogram) for variant in variants) or 1.0
    parts = [f'<path d="M{_LEFT} {floor}H{_WIDTH - _RIGHT}" stroke="{_LINE}"/>']
    for side, (variant, colour) in enumerate(zip(variants, (_FIRST, _SECOND), strict=True)):
        for k, share in enumerate(variant.histogram):
            height = share / highest * (floor - _TOP)
            left, wide = _LEFT + slot * (k + 0.08 + 0.42 * side), 0.42 * slot
            parts.append(
                f'<rect x="{left:.1f}" y="{floor - height:.1f}" width="{wide:.1f}" height="{height:.1f}" '
                f'fill="{colour}"/>'
            )
        parts.append(_text(_LEFT + 150 * side, 14, f"■ {variant.name}", "start", colour))
    parts += [_text(_LEFT + slot * k, floor + 18, f"{k / bins:g}", "middle") for k in range(0, bins + 1, 2)]
    return _picture("predicted probability by variant", *parts)


def colours() -> tuple[str, str, str]:
    """Of the three modes' curves."""
    return _FIRST, _SECOND, _THIRD


def _path(x: np.ndarray, y: np.ndarray, colour: str, dashes: str = "") -> str:
    steps = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{steps}" fill="none" stroke="{colour}" stroke-width="1.6"{dashed}/>'


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = _SOFT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _picture(label: str, *parts: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="12">{"".join(parts)}</svg>'
    )
