"""The blocks that only the monitoring page has, and their looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evergreen.reporting.page import Block, Tone
from evergreen.reporting.template import render


@dataclass(frozen=True)
class Verdict:
    """What a manager reads, and perhaps nothing else.

    Attributes:
        headline: The verdict in one sentence.
        answers: Questions and their answers.
        tone: How good the news is.
    """

    headline: str
    answers: Sequence[tuple[str, str]]
    tone: Tone

    def html(self) -> Markup:
        """A framed box."""
        return render("verdict", verdict=self)


@dataclass(frozen=True)
class Panel:
    """One column of the data.

    Attributes:
        name: The column.
        badge: Its verdict in a word or two.
        tone: How good the verdict is.
        sentence: Its verdict in a sentence.
        svgs: Its pictures.
        facts: Names and values.
        note: A line in small print.
    """

    name: str
    badge: str
    tone: Tone
    sentence: str
    svgs: Sequence[str]
    facts: Sequence[tuple[str, str]]
    note: str

    def html(self) -> Markup:
        """A framed box."""
        return render("panel", panel=self)


@dataclass(frozen=True)
class Panels:
    """Panels, two abreast where there is room."""

    panels: Sequence[Panel]

    def html(self) -> Markup:
        """A grid."""
        return render("panels", panels=self.panels)


@dataclass(frozen=True)
class Folded:
    """Blocks that open on demand."""

    summary: str
    blocks: Sequence[Block]

    def html(self) -> Markup:
        """A details element."""
        return render("folded", summary=self.summary, blocks=self.blocks)


STYLE = "monitoring.css"
