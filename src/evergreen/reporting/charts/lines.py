"""How is something drawn that changes: over windows, over rows, over a curve? Lines with limits and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evergreen.reporting.charts.picture import Colour, Numbers, Picture, canvas, dot, label, mark, path, rule
from evergreen.reporting.charts.scales import Scale, spanning, spread, tick_text, ticks
from evergreen.wording import number_text, range_text

WIDTH, HEIGHT = 440, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 8, 26


@dataclass(frozen=True)
class DrawnLine:
    """One line: a value at each place, None where there is none.

    Attributes:
        name: What it is.
        numbers: Its values.
        colour: Its colour.
        intervals: Ends of an interval around each value.
        alarms: Places where it is in alarm.
        style: thin, thick or dashed.
        marked: Whether each value is a mark; otherwise the line as a whole is one.
    """

    name: str
    numbers: Sequence[float | None]
    colour: Colour = "now"
    intervals: Sequence[tuple[float, float] | None] = ()
    alarms: frozenset[int] = frozenset()
    style: str = ""
    marked: bool = True


@dataclass(frozen=True)
class Level:
    """A level that something is held against."""

    name: str
    value: float
    colour: Colour = "bad"


@dataclass(frozen=True)
class Axes:
    """How the values are read.

    Attributes:
        places: Name of each place, in order.
        at: Where the places stand, as numbers; evenly where empty.
        low: Where the upright axis begins at the latest.
        high: Where it ends at the earliest.
        text: How a value is written.
        tick: How a value is written beside the axis.
        across: What the places are.
        height: Height of the drawing.
        shown: Which places have their names written; spread evenly where empty.
    """

    places: Sequence[str]
    at: Sequence[float] = ()
    low: float | None = None
    high: float | None = None
    text: Callable[[float], str] = number_text
    tick: Callable[[float], str] = tick_text
    across: str = "Window"
    height: float = HEIGHT
    shown: Sequence[int] = field(default=())


def line_picture(title: str, lines: Sequence[DrawnLine], axes: Axes, limits: Sequence[Level] = ()) -> Picture:
    """Lines over the same places, with their limits."""
    inner = [end for line in lines for pair in line.intervals if pair for end in pair]
    values = [value for line in lines for value in line.numbers]
    low, high = spanning([*values, *inner, *(limit.value for limit in limits)], axes.low, axes.high)
    floor = axes.height - BOTTOM
    at = axes.at or list(range(len(axes.places)))
    x = Scale(min(at, default=0), max(at, default=1), LEFT + 6, WIDTH - RIGHT - 6)
    y = Scale(low, high, floor, TOP)
    parts = [*_grid(axes, x, y, at), *(_limit(limit, y, axes) for limit in limits)]
    for line in lines:
        parts += _line(line, axes, [x(place) for place in at], y)
    key = [(line.colour, line.name) for line in lines]
    key += [(limit.colour, f"{limit.name}: {axes.text(limit.value)}") for limit in limits]
    return Picture(title, canvas(title, WIDTH, axes.height, parts), numbers_of(lines, axes), key)


def _grid(axes: Axes, x: Scale, y: Scale, at: Sequence[float]) -> list[str]:
    parts = []
    for value in ticks(y.low, y.high, 4):
        parts += [rule(LEFT, y(value), WIDTH - RIGHT, y(value)), label(LEFT - 6, y(value) + 4, axes.tick(value), "end")]
    for place in axes.shown or spread(len(axes.places), 3 if max(map(len, axes.places), default=0) > 6 else 6):
        left, right = x(at[place]) < LEFT + 30, x(at[place]) > WIDTH - RIGHT - 36
        anchor = "middle" if left == right else "start" if left else "end"
        parts.append(label(x(at[place]), y.start + 18, axes.places[place], anchor))
    return parts


def _limit(limit: Level, y: Scale, axes: Axes) -> str:
    shape = rule(LEFT, y(limit.value), WIDTH - RIGHT, y(limit.value), f"line {limit.colour} dashed")
    return mark(shape, f"{limit.name}: {axes.text(limit.value)}")


def _line(line: DrawnLine, axes: Axes, x: Sequence[float], y: Scale) -> list[str]:
    points = [None if value is None else (x[i], y(value)) for i, value in enumerate(line.numbers)]
    drawn = path(points, line.colour, line.style)
    if not line.marked:
        return [mark(drawn, line.name)] if drawn else []
    intervals = line.intervals or [None] * len(points)
    parts = [drawn]
    for i, point in enumerate(points):
        if point is None:
            continue
        value, pair = line.numbers[i], intervals[i]
        assert value is not None
        says = f"{axes.places[i]}: {line.name} {axes.text(value)}"
        whisker = ""
        if pair is not None:
            whisker = rule(point[0], y(pair[0]), point[0], y(pair[1]), f"line {line.colour} thin")
            says += f" ({axes.text(pair[0])} to {axes.text(pair[1])})"
        colour: Colour = "bad" if i in line.alarms else line.colour
        says += ", in alarm" if i in line.alarms else ""
        parts.append(mark(whisker + dot(*point, colour, 4 if i in line.alarms else 3), says))
    return parts


def numbers_of(lines: Sequence[DrawnLine], axes: Axes) -> Numbers:
    """The lines as a table, a row a place, intervals beside their values."""
    shown = [line for line in lines if line.marked]
    head = [axes.across]
    for line in shown:
        head += [line.name, *(["Interval"] if line.intervals else [])]
    rows = []
    for i, place in enumerate(axes.places):
        row = [place]
        for line in shown:
            value = line.numbers[i]
            row.append("–" if value is None else axes.text(value))
            if line.intervals:
                pair = line.intervals[i]
                row.append("–" if pair is None else range_text(*pair))
        rows.append(row)
    return Numbers(head, rows)
