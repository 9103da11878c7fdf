"""How does content become a page? Rendered as self-contained HTML and as markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from markupsafe import Markup

from evergreen.reporting.template import render

Tone = Literal["plain", "good", "watch", "bad"]


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
class Table:
    """A table of texts; columns named in ``numbers`` are set right, ``bars`` holds one share a row, drawn beside it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()
    bars: Sequence[float] | None = None

    def html(self) -> Markup:
        """A table element that scrolls where it is too wide."""
        return render("table", head=self.head, rows=self.rows, numbers=self.numbers, bars=self.bars)


@dataclass(frozen=True)
class Drawings:
    """Pictures as SVG, side by side."""

    svgs: Sequence[str]

    def html(self) -> Markup:
        """A row of figures."""
        return render("drawings", svgs=self.svgs)


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """Its place in the page, as a link names it."""
        return self.title.lower().replace(" ", "-")


@dataclass(frozen=True)
class Tile:
    """One figure of the page's head."""

    name: str
    value: str
    detail: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Page:
    """A page's whole content; ``style`` is the template of the CSS of blocks that are not defined here."""

    title: str
    subtitle: str
    status: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    tone: Tone = "plain"
    style: str = ""


def as_markdown(page: Page) -> str:
    """The page as GitHub-flavoured markdown, which has paragraphs, lists and tables, and leaves out other blocks."""
    tiles = Table(("", "test", ""), [(tile.name, tile.value, tile.detail) for tile in page.tiles])
    title, subtitle, status = map(markdown_text, (page.title, page.subtitle, page.status))
    parts = [f"# {title}", f"{subtitle}. **{status}**", _markdown_block(tiles)]
    for section in page.sections:
        parts.append(f"## {markdown_text(section.title)}")
        parts.extend(_markdown_block(block) for block in section.blocks if isinstance(block, Text | Bullets | Table))
    return "\n\n".join(parts) + "\n"


def as_html(page: Page) -> str:
    """The page as one HTML file without scripts, fonts or anything else to fetch."""
    return str(render("page", page=page)) + "\n"


def _markdown_block(block: Text | Bullets | Table) -> str:
    if isinstance(block, Text):
        return markdown_text(block.text)
    if isinstance(block, Bullets):
        return "\n".join(f"- {markdown_text(item)}" for item in block.items)
    rules = ["--:" if name in block.numbers else "---" for name in block.head]
    lines = [map(markdown_text, block.head), rules, *(map(markdown_text, row) for row in block.rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# Inside a line: what would begin emphasis, code, a link, an element or a cell; an underscore only beside a word.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"\d+(?=[.)](\s|$))|(?=(#{1,6}|[+-])(\s|$)|[-=]+$)")  # at its start: a heading, list or rule


def markdown_text(text: str) -> str:
    """A text in one line of markdown that shows it as it is, whatever it holds."""
    line = _MARKUP.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    begin = _BLOCK.match(line)
    return line if begin is None else f"{begin[0]}\\{line[begin.end() :]}"
