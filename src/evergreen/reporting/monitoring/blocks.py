"""The blocks that only the monitoring page has, and their looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evergreen.reporting.page import Block, Tone


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

    def html(self) -> str:
        """A framed box."""
        answers = "".join(f"<dt>{escape(asked)}</dt><dd>{escape(told)}</dd>" for asked, told in self.answers)
        return f'<div class="verdict {self.tone}"><strong>{escape(self.headline)}</strong><dl>{answers}</dl></div>'


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

    def html(self) -> str:
        """A framed box."""
        facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in self.facts)
        return (
            f'<article class="panel"><h3>{escape(self.name)}<span class="badge {self.tone}">{escape(self.badge)}</span>'
            f"</h3><p>{escape(self.sentence)}</p>{''.join(self.svgs)}<dl>{facts}</dl>"
            f"<small>{escape(self.note)}</small></article>"
        )


@dataclass(frozen=True)
class Panels:
    """Panels, two abreast where there is room."""

    panels: Sequence[Panel]

    def html(self) -> str:
        """A grid."""
        return '<div class="panels">' + "".join(panel.html() for panel in self.panels) + "</div>"


@dataclass(frozen=True)
class Folded:
    """Blocks that open on demand."""

    summary: str
    blocks: Sequence[Block]

    def html(self) -> str:
        """A details element."""
        inside = "".join(block.html() for block in self.blocks)
        return f"<details><summary>{escape(self.summary)}</summary>{inside}</details>"


STYLE = """
.tiles{grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}
.tile strong{font-size:22px}
.verdict{border-left:6px solid var(--blue);background:var(--pale);border-radius:0 8px 8px 0;
  padding:16px 24px;margin:18px 0}
.verdict.good{border-color:var(--good)}
.verdict.watch{border-color:#d99000}
.verdict.bad{border-color:var(--bad)}
.verdict strong{font-size:20px;line-height:1.35;display:block;max-width:70ch}
.verdict dl{display:grid;grid-template-columns:140px 1fr;gap:8px 16px;margin:14px 0 2px}
.verdict dt{color:var(--soft)}
.verdict dd{margin:0;max-width:78ch}
h3{font-size:16px;margin:0;display:flex;justify-content:space-between;align-items:center;gap:8px;overflow-wrap:anywhere}
.badge{font-size:12px;font-weight:bold;padding:2px 10px;border-radius:10px;background:#e8edf2;color:var(--soft);
  white-space:nowrap}
.badge.good{background:#dff1ea;color:var(--good)}
.badge.watch{background:#fdf0d5;color:var(--watch)}
.badge.bad{background:#fbe3e1;color:var(--bad)}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(400px,100%),1fr));gap:16px;margin:14px 0}
.panel{border:1px solid var(--line);border-radius:8px;padding:14px 16px;min-width:0}
.panel p{margin:4px 0 8px;font-size:14px}
.panel dl{display:grid;grid-template-columns:repeat(4,1fr);gap:8px 12px;margin:8px 0}
.panel dt{color:var(--soft);font-size:12px}
.panel dd{margin:0;font-size:14px;font-variant-numeric:tabular-nums}
small{color:var(--soft);font-size:12px;display:block}
details{margin:12px 0}
summary{cursor:pointer;color:var(--blue)}
@media (max-width:640px){
body{padding:20px 16px 48px}
.verdict dl{grid-template-columns:1fr}
.panel dl{grid-template-columns:repeat(2,1fr)}
}
@media print{
.panel,.verdict{break-inside:avoid}
}
"""
