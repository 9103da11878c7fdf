"""How does content become a page? Rendered as self-contained HTML and as markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, Protocol

Tone = Literal["plain", "good", "watch", "bad"]


class Block(Protocol):
    """What stands in a section."""

    def html(self) -> str:
        """The block as HTML."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str

    def html(self) -> str:
        """A paragraph element."""
        return f"<p>{escape(self.text)}</p>"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]

    def html(self) -> str:
        """A list element."""
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in self.items) + "</ul>"


@dataclass(frozen=True)
class Table:
    """A table of texts; columns named in ``numbers`` are set right, ``bars`` holds one share a row, drawn beside it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()
    bars: Sequence[float] | None = None

    def html(self) -> str:
        """A table element that scrolls where it is too wide."""
        side = [' class="number"' if name in self.numbers else "" for name in self.head]
        bars = [f'<td class="bar"><i style="width:{100 * share:.1f}%"></i></td>' for share in self.bars or ()]
        head = "".join(f"<th{c}>{escape(name)}</th>" for c, name in zip(side, self.head, strict=True))
        body = "".join(
            "<tr>"
            + "".join(f"<td{c}>{escape(cell)}</td>" for c, cell in zip(side, row, strict=True))
            + (bars[number] if bars else "")
            + "</tr>"
            for number, row in enumerate(self.rows)
        )
        corner = '<th class="bar"></th>' if bars else ""
        top = f"<thead><tr>{head}{corner}</tr></thead>" if any(self.head) else ""
        return f'<div class="scroll"><table>{top}<tbody>{body}</tbody></table></div>'


@dataclass(frozen=True)
class Drawings:
    """Pictures as SVG, side by side."""

    svgs: Sequence[str]

    def html(self) -> str:
        """A row of figures."""
        return '<div class="drawings">' + "".join(f"<figure>{svg}</figure>" for svg in self.svgs) + "</div>"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Tile:
    """One figure of the page's head."""

    name: str
    value: str
    detail: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Page:
    """A page's whole content; ``style`` holds the CSS of blocks that are not defined here."""

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
    tiles = "".join(
        f'<div class="tile {t.tone}"><b>{escape(t.name)}</b><strong>{escape(t.value)}</strong>'
        f"<span>{escape(t.detail)}</span></div>"
        for t in page.tiles
    )
    anchors = [_anchor(section.title) for section in page.sections]
    contents = "".join(f'<a href="#{a}">{escape(s.title)}</a>' for a, s in zip(anchors, page.sections, strict=True))
    sections = "".join(
        f'<section id="{a}"><h2>{escape(s.title)}</h2>{"".join(block.html() for block in s.blocks)}</section>'
        for a, s in zip(anchors, page.sections, strict=True)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}{page.style}</style></head>\n<body><header>"
        f'<p class="status {page.tone}">{escape(page.status)}</p><h1>{escape(page.title)}</h1><p class="subtitle">'
        f'{escape(page.subtitle)}</p><div class="tiles">{tiles}</div></header>\n'
        f"<nav>{contents}</nav>\n<main>{sections}</main></body></html>\n"
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


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


_STYLE = """
:root{--ink:#1f2328;--soft:#57606a;--line:#d8dee4;--blue:#0072b2;--pale:#f6f8fa;--good:#00704f;--watch:#8a5a00;
  --bad:#b3261e}
*{box-sizing:border-box}
body{font:15px/1.55 Helvetica,Arial,sans-serif;color:var(--ink);background:#fff;margin:0 auto;
  max-width:1080px;padding:32px 40px 64px}
h1{font-size:30px;line-height:1.2;margin:0}
h2{font-size:20px;margin:40px 0 10px;padding-top:14px;border-top:1px solid var(--line)}
p{margin:8px 0;max-width:80ch}
.subtitle{color:var(--soft);font-size:16px}
.status{float:right;margin:4px 0 0 16px;padding:4px 14px;border:1.5px solid var(--blue);
  border-radius:16px;color:var(--blue);font-weight:bold}
.status.good{border-color:var(--good);color:var(--good)}
.status.watch{border-color:var(--watch);color:var(--watch)}
.status.bad{border-color:var(--bad);color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin:20px 0}
.tile{background:var(--pale);border-radius:8px;padding:12px 16px;display:flex;flex-direction:column}
.tile b{font-weight:normal;color:var(--soft);font-size:13px}
.tile strong{font-size:25px;line-height:1.3}
.tile.good strong{color:var(--good)}
.tile.watch strong{color:var(--watch)}
.tile.bad strong{color:var(--bad)}
.tile span{color:var(--soft);font-size:13px}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:14px}
a{color:var(--blue);text-decoration:none}
a:hover{text-decoration:underline}
.scroll{overflow-x:auto;margin:12px 0}
table{border-collapse:collapse;font-size:14px;min-width:55%}
th,td{text-align:left;padding:5px 18px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;
  overflow-wrap:break-word}
th{color:var(--soft);font-weight:normal;font-size:13px}
td:first-child{min-width:130px}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{width:200px;padding-right:0}
.bar i{display:block;height:11px;margin-top:5px;background:var(--blue);border-radius:2px}
ul{padding-left:20px;margin:8px 0}
li{margin:4px 0;max-width:80ch}
.drawings{display:flex;flex-wrap:wrap;gap:28px}
figure{margin:12px 0;flex:1 1 380px;max-width:480px}
svg{width:100%;height:auto}
@media print{
body{padding:0;max-width:none;font-size:11pt}
nav{display:none}
section{break-inside:avoid-page}
h2{break-after:avoid}
.tile{border:1px solid var(--line)}
.bar i{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
