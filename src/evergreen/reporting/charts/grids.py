"""How are tables and stretches of time drawn? A heat map, and lanes with bars from a beginning to an end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evergreen.reporting.charts.picture import Colour, Numbers, Picture, bar, canvas, dot, label, mark, rule
from evergreen.reporting.charts.scales import Scale
from evergreen.wording import number_text, shortened

WIDTH, NAMES, ROW = 440, 150, 28


def heat_picture(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    better: Sequence[bool],
    text: Callable[[float], str] = number_text,
) -> Picture:
    """A cell a row and column, the fuller the better within its column.

    Args:
        title: What is shown.
        rows: Names of the rows.
        columns: Names of the columns.
        values: Cells, a sequence a row; None where nothing is known.
        better: Of each column, whether larger is better.
        text: How a value is written.
    """
    wide = (WIDTH - NAMES - 4) / max(len(columns), 1)
    parts = [
        label(NAMES + wide * (j + 0.5), 14, shortened(name, max(int(wide / 6.2), 4)), "middle")
        for j, name in enumerate(columns)
    ]
    table = []
    for i, name in enumerate(rows):
        top = 22 + i * ROW
        parts.append(label(NAMES - 8, top + 18, shortened(name, 22), "end", ink=True))
        for j, column in enumerate(columns):
            value = values[i][j]
            words = "–" if value is None else text(value)
            level = _level(value, [row[j] for row in values], better[j])
            x = NAMES + wide * j
            cell = f'<rect x="{x:.1f}" y="{top}" width="{wide - 2:.1f}" height="{ROW - 3}" class="heat h{level}"/>'
            cell += label(x + wide / 2 - 1, top + 17, words, "middle", ink=True)
            parts.append(mark(cell, f"{name}, {column}: {words}"))
        table.append([name, *("–" if value is None else text(value) for value in values[i])])
    height = 26 + len(rows) * ROW
    return Picture(title, canvas(title, WIDTH, height, parts), Numbers(["", *columns], table))


def _level(value: float | None, column: Sequence[float | None], larger: bool) -> int:
    """How good a value is within its column, 0 to 4."""
    known = [each for each in column if each is not None]
    if value is None or max(known) == min(known):
        return 0
    share = (value - min(known)) / (max(known) - min(known))
    return round(4 * (share if larger else 1 - share))


@dataclass(frozen=True)
class Stretch:
    """Something from a beginning to an end, on a lane of its own.

    Attributes:
        lane: Name of the lane.
        begin: When it began.
        end: When it ended.
        colour: Its colour.
        says: What it is.
    """

    lane: str
    begin: dt.datetime
    end: dt.datetime
    colour: Colour
    says: str


@dataclass(frozen=True)
class Moment:
    """Something that happened, on a lane."""

    lane: str
    when: dt.datetime
    colour: Colour
    says: str


def timeline_picture(
    title: str,
    lanes: Sequence[str],
    stretches: Sequence[Stretch],
    moments: Sequence[Moment],
    key: Sequence[tuple[Colour, str]] = (),
) -> Picture:
    """Lanes from the first moment to the last, a bar a stretch and a point a moment; points that meet stand apart."""
    times = [time for each in stretches for time in (each.begin, each.end)] + [each.when for each in moments]
    first, last = min(times), max(times)
    span = max((last - first).total_seconds(), 1.0)
    x = Scale(0, span, 104, WIDTH - 14)
    height = 26 + len(lanes) * ROW
    parts = []
    for row, lane in enumerate(lanes):
        top = 4 + row * ROW
        parts += [rule(104, top + 12, WIDTH - 8, top + 12), label(96, top + 16, shortened(lane, 15), "end", ink=True)]
        for each in stretches:
            if each.lane == lane:
                begin, end = (x((time - first).total_seconds()) for time in (each.begin, each.end))
                parts.append(mark(bar(begin, top + 6, max(end - begin, 3), 12, each.colour), each.says))
        taken: list[float] = []
        for event in moments:
            if event.lane == lane:
                at = x((event.when - first).total_seconds())
                beside = sum(abs(at - other) < 6 for other in taken)
                taken.append(at)
                parts.append(mark(dot(min(at + 5 * beside, WIDTH - 6), top + 12, event.colour, 4.5), event.says))
    pattern = "%Y-%m-%d" if span > 2 * 86_400 else "%m-%d %H:%M"
    parts += [label(104, height - 4, f"{first:{pattern}}"), label(WIDTH - 8, height - 4, f"{last:{pattern}}", "end")]
    rows = [[each.lane, f"{each.begin:%Y-%m-%d %H:%M}", each.says] for each in stretches]
    rows += [[each.lane, f"{each.when:%Y-%m-%d %H:%M}", each.says] for each in moments]
    return Picture(title, canvas(title, WIDTH, height, parts), Numbers(["", "When (UTC)", "What"], rows), key)
