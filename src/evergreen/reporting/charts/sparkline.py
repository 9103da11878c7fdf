"""How does a column's trend fit into a line? A small line over dates, with its limit, alarms and an open alert."""

from __future__ import annotations

from collections.abc import Sequence

from evergreen.reporting.charts.picture import Colour, Numbers, Picture, canvas, dot, label, mark, path, ring, rule
from evergreen.reporting.charts.scales import Scale
from evergreen.wording import number_text

WIDTH, _HEIGHT, _LEFT, _END, _TOP, _FLOOR = 440, 66, 12, 300, 8, 46


def sparkline(
    name: str,
    places: Sequence[str],
    values: Sequence[float | None],
    hits: Sequence[bool],
    limit: float | None = None,
    is_open: bool = False,
    least: float = 0.25,
) -> Picture:
    """A value a window, oldest first; full red points for windows in alarm, a ring where an alert is open.

    Args:
        name: The column.
        places: Day on which each window ended.
        values: Value of each window; None where it could not be judged.
        hits: Whether the column alarmed in each window.
        limit: Value from which it may alarm.
        is_open: Whether its alert is open in the newest window.
        least: A value that the drawing spans at the least.
    """
    known = [value for value in values if value is not None]
    x = Scale(0, max(len(values) - 1, 1), _LEFT, _END)
    y = Scale(0, max([least, *known]), _FLOOR, _TOP)
    points = [None if value is None else (x(i), y(value)) for i, value in enumerate(values)]
    parts = [rule(_LEFT - 6, _FLOOR, _END + 6, _FLOOR, "axis")]
    if limit is not None:
        shape = rule(_LEFT - 6, y(limit), _END + 6, y(limit), "line bad thin dashed")
        parts.append(mark(shape, f"alarms from an effect of {number_text(limit, 2)} on"))
    parts.append(path(points, "soft"))
    for i, hit in enumerate(hits):
        if hit or points[i] is not None:
            at = points[i] or (x(i), float(_FLOOR))
            colour: Colour = "bad" if hit else "soft"
            parts.append(mark(dot(*at, colour, 4 if hit else 2.4), f"{places[i]}: {_words(values[i], hit)}"))
    if is_open:
        parts.append(ring(*(points[-1] or (x(len(values) - 1), float(_FLOOR))), "bad"))
    parts += [label(_LEFT - 6, 62, places[0]), label(_END + 6, 62, places[-1], "end")]
    last = "not judged" if values[-1] is None else f"effect {number_text(values[-1], 2)}"
    parts += [label(_END + 18, 24, last, ink=True), label(_END + 18, 42, f"{sum(hits)} of {len(values)} in alarm")]
    title = f"{name}: effect over {len(values)} windows"
    rows = [[place, _words(value, hit)] for place, value, hit in zip(places, values, hits, strict=True)]
    return Picture(title, canvas(title, WIDTH, _HEIGHT, parts), Numbers(["Window up to", "Effect"], rows))


def _words(value: float | None, hit: bool) -> str:
    words = "not judged" if value is None else f"effect {number_text(value, 2)}"
    return f"{words}, in alarm" if hit else words
