"""How are curves drawn whose both axes are shares? Over the unit square, with its diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evergreen.reporting.charts.picture import Colour, Numbers, Picture, canvas, dot, label, mark, path, rule
from evergreen.reporting.charts.scales import Scale, tick_text
from evergreen.wording import number_text, range_text

_LEFT, _TOP, _SIDE = 58, 8, 330
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """One curve over the unit square.

    Attributes:
        name: What it is.
        points: Its points, from left to right.
        colour: Its colour.
        marked: Points that say their numbers.
        intervals: Ends of an upright interval at each marked point.
        thick: Whether it is the one that matters.
    """

    name: str
    points: Points
    colour: Colour
    marked: Points = ()
    intervals: Points = ()
    thick: bool = False


def square_picture(title: str, across: str, upright: str, curves: Sequence[Curve]) -> Picture:
    """The curves with their diagonal; the numbers are those of the marked points."""
    x, y = Scale(0, 1, _LEFT, _LEFT + _SIDE), Scale(0, 1, _TOP + _SIDE, _TOP)
    parts, rows = [], []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts += [rule(x(0), y(tick), x(1), y(tick)), rule(x(tick), y(0), x(tick), y(1))]
        parts.append(label(x(tick), _TOP + _SIDE + 20, tick_text(tick), "middle"))
        parts.append(label(_LEFT - 8, y(tick) + 4, tick_text(tick), "end"))
    middle, bottom = _TOP + _SIDE / 2, _TOP + _SIDE + 44
    parts.append(label(_LEFT + _SIDE / 2, bottom, across, "middle", ink=True))
    turned = label(0, 0, upright, "middle", ink=True)
    parts.append(f'<g transform="translate(16 {middle:g}) rotate(-90)">{turned}</g>')
    parts.append(rule(x(0), y(0), x(1), y(1), "line soft thin dashed"))
    for curve in curves:
        drawn = path([(x(a), y(b)) for a, b in curve.points], curve.colour, "thick" if curve.thick else "thin")
        parts.append(mark(drawn, curve.name) if drawn and not curve.marked else drawn)
        for number, (a, b) in enumerate(curve.marked):
            words, whisker = f"{across} {number_text(a)}: {upright} {number_text(b)}", ""
            ends = curve.intervals[number] if curve.intervals else None
            if ends:
                whisker = rule(x(a), y(ends[0]), x(a), y(ends[1]), f"line {curve.colour} thin")
                words += f" ({range_text(*ends)})"
            parts.append(mark(whisker + dot(x(a), y(b), curve.colour, 4), words))
            rows.append([number_text(a), number_text(b), *([range_text(*ends)] if ends else [])])
    head = [across, upright, *(["Interval"] if any(curve.intervals for curve in curves) else [])]
    key: list[tuple[Colour, str]] = [(curve.colour, curve.name) for curve in reversed(curves) if curve.thick]
    key += [("before", "the others")] if any(not curve.thick for curve in curves) else []
    return Picture(title, canvas(title, _LEFT + _SIDE + 18, bottom + 10, parts), Numbers(head, rows), key)
