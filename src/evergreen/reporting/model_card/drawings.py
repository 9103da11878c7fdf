"""How is a curve drawn in a page that fetches nothing? SVG over the unit square."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import escape

from evergreen.evaluation.auc import Floats

_LEFT, _TOP, _SIDE = 58, 34, 330
_BLUE, _GREY, _FAINT, _INK = "#0072B2", "#8A8F98", "#E6E8EB", "#1F2328"


def roc_drawing(curves: Mapping[str, pd.DataFrame], judged: str) -> str:
    """ROC of the judged algorithm over the others' thin lines.

    Args:
        curves: Frames of :func:`~evergreen.evaluation.curves.roc_curve` by algorithm.
        judged: The algorithm drawn thick.

    Returns:
        SVG.
    """
    lines = [_path([0, 1], [0, 1], _GREY, 1.2, "2 4")]
    for name in sorted(curves, key=lambda name: name == judged):
        x, y = (curves[name][column].to_numpy() for column in ("false_positive_rate", "true_positive_rate"))
        lines.append(_path(x, y, _BLUE, 3.2) if name == judged else _path(x, y, _GREY, 1))
    title = "ROC curve: this version over the others"
    return _square(title, "False positive rate", "True positive rate", "".join(lines))


def calibration_drawing(curve: pd.DataFrame) -> str:
    """Observed share over predicted probability with 95 % intervals.

    Args:
        curve: A frame of :func:`~evergreen.evaluation.curves.calibration_curve`.

    Returns:
        SVG.
    """
    x, y = curve["probability"].to_numpy(), curve["observed"].to_numpy()
    parts = [_path([0, 1], [0, 1], _GREY, 1.2, "2 4")]
    for at, low, high in curve[["probability", "low", "high"]].itertuples(index=False):
        parts.append(_path([at, at], [low, high], _BLUE, 1.6))
    parts.append(_path(x, y, _BLUE, 2.4))
    parts.extend(f'<circle cx="{_x(a):.1f}" cy="{_y(b):.1f}" r="4" fill="{_BLUE}"/>' for a, b in zip(x, y, strict=True))
    title = "Calibration: on the diagonal, .8 means eight in ten"
    return _square(title, "Predicted probability", "Observed share of 1", "".join(parts))


def _square(title: str, x_title: str, y_title: str, inside: str) -> str:
    grid = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        label = f"{tick:g}"
        grid.append(_path([0, 1], [tick, tick], _FAINT, 1) + _path([tick, tick], [0, 1], _FAINT, 1))
        grid.append(f'<text x="{_x(tick)}" y="{_TOP + _SIDE + 20}" text-anchor="middle">{label}</text>')
        grid.append(f'<text x="{_LEFT - 8}" y="{_y(tick) + 4}" text-anchor="end">{label}</text>')
    middle, bottom = _TOP + _SIDE / 2, _TOP + _SIDE + 44
    return (
        f'<svg viewBox="0 0 {_LEFT + _SIDE + 18} {bottom + 10}" role="img" aria-label="{escape(title)}" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="12.5" fill="{_INK}">'
        f'<text x="{_LEFT}" y="16" font-size="13.5" font-weight="bold">{escape(title)}</text>{"".join(grid)}'
        f'<text x="{_LEFT + _SIDE / 2}" y="{bottom}" text-anchor="middle">{escape(x_title)}</text>'
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>'
        f"{inside}</svg>"
    )


def _path(x: Floats | list[float], y: Floats | list[float], colour: str, width: float, dash: str = "") -> str:
    points = " ".join(f"{_x(a):.1f},{_y(b):.1f}" for a, b in zip(np.asarray(x), np.asarray(y), strict=True))
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def _x(value: float) -> float:
    return _LEFT + _SIDE * value


def _y(value: float) -> float:
    return _TOP + _SIDE * (1 - value)
