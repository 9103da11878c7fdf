"""How are looks, power, predictions and the difference of an experiment drawn?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evergreen.experiments.describe import VariantFigures
from evergreen.experiments.looks import PlannedLook
from evergreen.experiments.record import PrimaryResult
from evergreen.reporting.charts.bars import Amounts, Bins, PointInterval, column_picture, interval_picture
from evergreen.reporting.charts.lines import Axes, DrawnLine, Level, line_picture
from evergreen.reporting.charts.picture import SIDES, Picture
from evergreen.wording import percent_text, share_text

_FARTHEST_BOUND, _FARTHEST = 6.0, 8.0
_POINTS = 13
PowerCurve = tuple[str, Callable[[np.ndarray], np.ndarray]]


def looks_picture(looks: Sequence[PlannedLook]) -> Picture:
    """The statistic of each look between its bounds."""
    bounds = [min(look.bound, _FARTHEST_BOUND) for look in looks]
    found = [float(np.clip(look.statistic, -_FARTHEST, _FARTHEST)) for look in looks]
    lines = [
        DrawnLine("difference in standard errors", found),
        DrawnLine("upper bound", bounds, "bad", style="dashed"),
        DrawnLine("lower bound", [-bound for bound in bounds], "bad", style="dashed"),
    ]
    axes = Axes(
        [f"look {look.number}" for look in looks], [look.information for look in looks], -4.0, 4.0,
        text=lambda value: f"{value:+.2f}", tick=lambda value: f"{value:+.0f}" if value else "0", across="Look",
    )  # fmt: skip
    return line_picture("The statistic of each look between its bounds", lines, axes)


def power_picture(curves: Sequence[PowerCurve], most_rows: int, planned_rows: int) -> Picture:
    """Power against rows, a curve a mode.

    Args:
        curves: Name, and rows → power.
        most_rows: Where the axis ends.
        planned_rows: Rows at which the experiment ends.
    """
    rows = np.linspace(0, most_rows, _POINTS)
    rows[0] = 1
    lines = [
        DrawnLine(name, [float(share) for share in power(rows)], colour)
        for (name, power), colour in zip(curves, SIDES, strict=False)
    ]
    places = [f"{row:,.0f} rows" for row in rows]
    axes = Axes(
        places, rows.tolist(), 0.0, 1.0, text=share_text, tick=percent_text,
        across="Rows", shown=(3, 6, 9, 12),
    )  # fmt: skip
    title = f"Power against rows; the plan ends at {planned_rows:,}"
    return line_picture(title, lines, axes, [Level("usually asked for", 0.8, "soft")])


def predictions_picture(variants: Sequence[VariantFigures]) -> Picture:
    """Shares of predicted probabilities, both variants side by side in ten bins."""
    bins = len(variants[0].histogram)
    names = [f"{k / bins:g} to {(k + 1) / bins:g}" for k in range(bins)]
    ticks = [(float(k), f"{k / bins:g}".replace("0.", ".")) for k in range(0, bins + 1, 2)]
    present, new = variants
    sides = [Amounts(present.name, present.histogram, "before"), Amounts(new.name, new.histogram)]
    return column_picture("Predicted probability by variant", Bins(names, ticks), sides, share_text)


def difference_picture(primary: PrimaryResult) -> Picture:
    """The difference with the interval of one look, and with the one that holds whenever one looks."""
    found = primary.comparison
    return interval_picture(
        f"Difference in {found.metric}",
        [
            PointInterval("one look", found.difference, found.low, found.high),
            PointInterval("whenever one looks", found.difference, primary.low, primary.high, "third"),
        ],
        decimals=4,
    )
