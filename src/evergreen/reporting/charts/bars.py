"""How are amounts drawn beside each other? Bars that lie, columns that stand, intervals around a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from evergreen.reporting.charts.lines import HEIGHT, Level
from evergreen.reporting.charts.picture import Colour, Numbers, Picture, bar, canvas, dot, label, mark, rule
from evergreen.reporting.charts.scales import Scale, spanning, spread, tick_text, ticks
from evergreen.wording import number_text, range_text, shortened

WIDTH, NAMES, VALUES, ROW = 440, 140, 96, 26
LINE, HALF = 20, 23  # characters of a name on a line of its own, and on one of two


@dataclass(frozen=True)
class Amounts:
    """One set of amounts, an amount a name."""

    name: str
    values: Sequence[float]
    colour: Colour = "now"


def bar_picture(
    title: str,
    names: Sequence[str],
    sides: Sequence[Amounts],
    text: Callable[[float], str] = number_text,
    limits: Sequence[Level] = (),
    colours: Sequence[Colour] = (),
) -> Picture:
    """Lying bars, a pair a name where there are two sides.

    Args:
        title: What is shown.
        names: What each bar stands for.
        sides: Amounts, none below zero.
        text: How an amount is written.
        limits: Levels that they are held against.
        colours: Colour of each name's bar of the last side; the side's where empty.
    """
    largest = max([*(value for side in sides for value in side.values), *(limit.value for limit in limits), 1e-12])
    x = Scale(0, largest, NAMES, WIDTH - VALUES)
    thick = 18 / len(sides)
    parts, rows = [], []
    for row, name in enumerate(names):
        top = 6 + row * ROW
        values = [side.values[row] for side in sides]
        shapes = ""
        for number, side in enumerate(sides):
            last = number == len(sides) - 1
            colour = colours[row] if colours and last else side.colour
            shapes += bar(NAMES, top + number * thick, x(values[number]) - NAMES, thick - 1, colour)
        words = " → ".join(map(text, values))
        parts.append(mark(shapes, f"{name}: {words}"))
        parts += _name(name, top + 13)
        parts.append(label(x(max(values)) + 6, top + 13, words))
        rows.append([name, *map(text, values)])
    height = 10 + len(names) * ROW
    parts += [
        mark(rule(x(limit.value), 2, x(limit.value), height - 4, f"line {limit.colour} dashed"), _words(limit, text))
        for limit in limits
    ]
    key = [(side.colour, side.name) for side in sides] if len(sides) > 1 else []
    key += [(limit.colour, _words(limit, text)) for limit in limits]
    head = ["", *(side.name for side in sides)]
    return Picture(title, canvas(title, WIDTH, height, parts), Numbers(head, rows), key)


def _name(name: str, y: float) -> list[str]:
    """What a row stands for, left of it: on two lines where its words fit on them and not on one."""
    halves = wrap(name, min(HALF, len(name) - 1), break_long_words=False, break_on_hyphens=False) if name[LINE:] else []
    lines, widest, first = (halves, HALF, y - 6) if len(halves) == 2 else ([name], LINE, y)
    return [label(NAMES - 8, first + 12 * i, shortened(line, widest), "end", ink=True) for i, line in enumerate(lines)]


def _words(limit: Level, text: Callable[[float], str]) -> str:
    return f"{limit.name}: {text(limit.value)}"


@dataclass(frozen=True)
class Bins:
    """What columns stand on.

    Attributes:
        names: Each column in words.
        ticks: What is written below: place (0 is the first column's left end, 1 its right) and text.
    """

    names: Sequence[str]
    ticks: Sequence[tuple[float, str]]


def column_picture(
    title: str, bins: Bins, sides: Sequence[Amounts], text: Callable[[float], str], height: float = 150
) -> Picture:
    """Standing columns on the same bins, one of each side: a histogram."""
    left, right, floor, top = 6, 6, height - 22, 8
    slot = (WIDTH - left - right) / max(len(bins.names), 1)
    y = Scale(0, max([*(value for side in sides for value in side.values), 1e-12]), floor, top)
    wide = 0.84 / len(sides)
    parts, rows = [rule(left, floor, WIDTH - right, floor, "axis")], []
    for i, name in enumerate(bins.names):
        shapes = ""
        for number, side in enumerate(sides):
            if side.values[i] > 0:
                at = y(side.values[i])
                shapes += bar(left + slot * (i + 0.08 + wide * number), at, slot * wide, floor - at, side.colour)
        words = ", ".join(f"{side.name} {text(side.values[i])}" for side in sides)
        if shapes:
            parts.append(mark(shapes, f"{name}: {words}"))
        rows.append([name, *(text(side.values[i]) for side in sides)])
    for place, words in bins.ticks:
        anchor = "start" if place == 0 else "end" if place == len(bins.names) else "middle"
        parts.append(label(left + slot * place, height - 6, words, anchor))
    key = [(side.colour, side.name) for side in sides]
    return Picture(title, canvas(title, WIDTH, height, parts), Numbers(["", *(s.name for s in sides)], rows), key)


@dataclass(frozen=True)
class PointInterval:
    """A value with its interval, on a line of its own."""

    name: str
    value: float
    low: float
    high: float
    colour: Colour = "now"


def interval_picture(
    title: str, found: Sequence[PointInterval], zero: str = "no difference", decimals: int = 3
) -> Picture:
    """Points with intervals around them, and the line of zero, which is named."""
    low, high = spanning([0.0, *(end for one in found for end in (one.low, one.high, one.value))])
    x = Scale(low, high, NAMES, WIDTH - 14)
    height = 34 + len(found) * ROW
    parts = [rule(x(0), 4, x(0), height - 24, "axis"), label(x(0), height - 6, zero, "middle")]
    for value in ticks(low, high, 4):
        if abs(x(value) - x(0)) > 60:
            parts += [rule(x(value), 4, x(value), height - 24), label(x(value), height - 6, tick_text(value), "middle")]
    for row, one in enumerate(found):
        middle = 16 + row * ROW
        shape = rule(x(one.low), middle, x(one.high), middle, f"line {one.colour} thick")
        says = f"{one.name}: {number_text(one.value, decimals)} ({range_text(one.low, one.high, decimals)})"
        parts += [mark(shape + dot(x(one.value), middle, one.colour, 5), says)]
        parts += _name(one.name, middle + 4)
    rows = [[o.name, number_text(o.value, decimals), range_text(o.low, o.high, decimals)] for o in found]
    return Picture(title, canvas(title, WIDTH, height, parts), Numbers(["", "Value", "Interval"], rows))


def stacked_picture(title: str, places: Sequence[str], sides: Sequence[Amounts]) -> Picture:
    """Counts of several kinds on top of each other, a column a place."""
    left, right, floor, top = 40, 8, HEIGHT - 26, 8
    totals = [sum(side.values[i] for side in sides) for i in range(len(places))]
    slot = (WIDTH - left - right) / max(len(places), 1)
    y = Scale(0, max([*totals, 1]), floor, top)
    parts, rows = [], []
    for value in ticks(0, y.high, 4):
        if value == round(value):
            parts += [rule(left, y(value), WIDTH - right, y(value)), label(left - 6, y(value) + 4, f"{value:g}", "end")]
    for i, place in enumerate(places):
        below, shapes = 0.0, ""
        for side in sides:
            if side.values[i] > 0:
                at = y(below + side.values[i])
                shapes += bar(left + slot * (i + 0.1), at, min(0.8 * slot, 40), y(below) - at, side.colour)
                below += side.values[i]
        words = ", ".join(f"{side.values[i]:g} {side.name}" for side in sides if side.values[i] > 0)
        if shapes:
            parts.append(mark(shapes, f"{place}: {words}"))
        rows.append([place, *(f"{side.values[i]:g}" for side in sides)])
    for i in spread(len(places), 3):
        parts.append(label(left + slot * (i + 0.1), floor + 18, places[i], "end" if i > 0.8 * len(places) else "start"))
    key = [(side.colour, side.name) for side in sides]
    numbers = Numbers(["", *(side.name for side in sides)], rows)
    return Picture(title, canvas(title, WIDTH, HEIGHT, parts), numbers, key)
