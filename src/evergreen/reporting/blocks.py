"""What stands in a page: texts, lists, tables, pictures, panels, and what opens on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from markupsafe import Markup

from evergreen.reporting.charts.picture import Picture
from evergreen.reporting.template import render

Tone = Literal["plain", "good", "watch", "bad"]
NO_DATA = "no data yet"


class Block(Protocol):
    """What stands in a section."""

    def html(self) -> Markup:
        """The block as HTML."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str

    def html(self) -> Markup:
        """A paragraph element."""
        return render("text", text=self.text)


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]

    def html(self) -> Markup:
        """A list element."""
        return render("bullets", items=self.items)


@dataclass(frozen=True)
class Lines:
    """Lines to copy, with their indentation: YAML, a command."""

    text: str

    def html(self) -> Markup:
        """Preformatted text."""
        return render("lines", text=self.text)


@dataclass(frozen=True)
class Link:
    """A text that leads to a file beside the page."""

    text: str
    address: str

    def __str__(self) -> str:
        """The text alone, where nothing can be opened."""
        return self.text

    def __html__(self) -> str:
        """An anchor."""
        return str(render("link", link=self))


@dataclass(frozen=True)
class Links:
    """Files to open: title → file."""

    files: Mapping[str, str]

    def html(self) -> Markup:
        """A list of links."""
        return render("links", files=self.files)


@dataclass(frozen=True)
class Table:
    """A table of texts; columns named in ``numbers`` are set right, ``bars`` holds one share a row, drawn beside it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str | Link]]
    numbers: frozenset[str] = frozenset()
    bars: Sequence[float] | None = None

    def html(self) -> Markup:
        """A table element that scrolls where it is too wide."""
        return render("table", head=self.head, rows=self.rows, numbers=self.numbers, bars=self.bars)


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side."""

    pictures: Sequence[Picture]

    def html(self) -> Markup:
        """A row of figures."""
        return render("pictures", pictures=self.pictures)


@dataclass(frozen=True)
class Folded:
    """Blocks that open on demand."""

    summary: str
    blocks: Sequence[Block]

    def html(self) -> Markup:
        """A details element."""
        return render("folded", summary=self.summary, blocks=self.blocks)


@dataclass(frozen=True)
class Verdict:
    """What a person reads who reads nothing else: is it healthy, since when, what to do.

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
    """A framed box about one thing.

    Attributes:
        name: What it is about: a column, a question.
        badge: Its verdict in a word or two; empty for none.
        tone: How good the verdict is.
        sentence: What it shows, in a sentence.
        pictures: Its pictures.
        facts: Names and values.
        note: A line in small print.
        links: Where its evidence lies: title → file.
        blocks: What else it holds.
    """

    name: str
    badge: str
    tone: Tone
    sentence: str
    pictures: Sequence[Picture] = ()
    facts: Sequence[tuple[str, str]] = ()
    note: str = ""
    links: Sequence[Link] = ()
    blocks: Sequence[Block] = ()

    @property
    def anchor(self) -> str:
        """Its place in the page, as a link names it."""
        return self.name.lower().replace(" ", "-").replace(",", "")

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
