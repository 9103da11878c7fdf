"""What is a picture? A drawing, what it is called, a key to its colours, and the numbers that it is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from evergreen.reporting.template import render

# Colours of the page's style sheet: what was before, what is now, further sides, what is judged.
Colour = Literal["before", "now", "third", "fourth", "fifth", "good", "watch", "bad", "soft"]
SIDES: tuple[Colour, ...] = ("now", "third", "fourth", "fifth", "good", "soft")


@dataclass(frozen=True)
class Numbers:
    """The table under a picture: a head, and rows of texts of the same length."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A drawing that a page holds.

    Attributes:
        title: What it shows.
        svg: The drawing.
        numbers: What it is drawn from.
        key: Colours and what they stand for.
    """

    title: str
    svg: Markup
    numbers: Numbers
    key: Sequence[tuple[Colour, str]] = ()

    def html(self) -> Markup:
        """A figure with its numbers folded under it."""
        return render("picture", picture=self)


def canvas(title: str, width: float, height: float, parts: Sequence[str]) -> Markup:
    """The drawing of ``parts``; its marks can be reached by keyboard and say what they are."""
    return Markup(
        f'<svg viewBox="0 0 {width:g} {height:g}" role="group" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def mark(shapes: str, says: str) -> str:
    """Shapes that stand for one number or one event, which they say when pointed at or reached by keyboard."""
    return f'<g class="mark" tabindex="0" role="img"><title>{escape(says)}</title>{shapes}</g>'


def bar(x: float, y: float, width: float, height: float, colour: Colour) -> str:
    """A rectangle; at least a hair wide, so that it can be pointed at."""
    wide, high = max(width, 0.5), max(height, 0.5)
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" class="{colour}"/>'


def dot(x: float, y: float, colour: Colour, radius: float = 3) -> str:
    """A point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{colour}"/>'


def ring(x: float, y: float, colour: Colour) -> str:
    """A circle around a point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" class="line {colour}"/>'


def path(points: Sequence[tuple[float, float] | None], colour: Colour, style: str = "") -> str:
    """A line through points, broken where one is missing; ``style`` adds classes: thin, thick, dashed."""
    steps, pen = [], "M"
    for point in points:
        if point is not None:
            steps.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L" if point is not None else "M"
    return f'<path d="{"".join(steps)}" class="line {colour}{f" {style}" if style else ""}"/>' if steps else ""


def rule(x1: float, y1: float, x2: float, y2: float, style: str = "grid") -> str:
    """A straight line of the grid or an axis."""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="{style}"/>'


def label(x: float, y: float, text: str, anchor: str = "start", ink: bool = False) -> str:
    """A word beside what it is about."""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    look = ' class="ink"' if ink else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{side}{look}>{escape(text)}</text>'
