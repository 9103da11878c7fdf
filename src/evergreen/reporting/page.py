"""How does content become a page? Rendered as self-contained HTML and as markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evergreen.reporting.blocks import Block, Bullets, Table, Text, Tone, Verdict
from evergreen.reporting.template import render


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; ``names``: what its parts are called, where a reader may filter by name."""

    title: str
    blocks: Sequence[Block]
    names: str = ""

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
    """A page's whole content; ``verdict`` comes first of all."""

    title: str
    subtitle: str
    status: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    tone: Tone = "plain"
    verdict: Verdict | None = None


def as_markdown(page: Page) -> str:
    """The page as GitHub-flavoured markdown, which has paragraphs, lists and tables, and leaves out other blocks."""
    tiles = Table(("", "test", ""), [(tile.name, tile.value, tile.detail) for tile in page.tiles])
    title, subtitle, status = map(markdown_text, (page.title, page.subtitle, page.status))
    parts = [f"# {title}", f"{subtitle}. **{status}**", *_markdown_verdict(page.verdict), _markdown_block(tiles)]
    for section in page.sections:
        parts.append(f"## {markdown_text(section.title)}")
        parts.extend(_markdown_block(block) for block in section.blocks if isinstance(block, Text | Bullets | Table))
    return "\n\n".join(parts) + "\n"


def as_html(page: Page) -> str:
    """The page as one HTML file without fonts or anything else to fetch; without its one script it loses no content."""
    return str(render("page", page=page)) + "\n"


def _markdown_verdict(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return []
    answers = [f"{question}: {answer}" for question, answer in verdict.answers]
    return [f"**{markdown_text(verdict.headline)}**", *([_markdown_block(Bullets(answers))] if answers else [])]


def _markdown_block(block: Text | Bullets | Table) -> str:
    if isinstance(block, Text):
        return markdown_text(block.text)
    if isinstance(block, Bullets):
        return "\n".join(f"- {markdown_text(item)}" for item in block.items)
    rules = ["--:" if name in block.numbers else "---" for name in block.head]
    lines = [map(markdown_text, block.head), rules, *(map(markdown_text, map(str, row)) for row in block.rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# Inside a line: what would begin emphasis, code, a link, an element or a cell; an underscore only beside a word.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"\d+(?=[.)](\s|$))|(?=(#{1,6}|[+-])(\s|$)|[-=]+$)")  # at its start: a heading, list or rule


def markdown_text(text: str) -> str:
    """A text in one line of markdown that shows it as it is, whatever it holds."""
    line = _MARKUP.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    begin = _BLOCK.match(line)
    return line if begin is None else f"{begin[0]}\\{line[begin.end() :]}"
