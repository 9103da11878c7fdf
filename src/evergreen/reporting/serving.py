"""Which version serves, and what happened since? The record, and the banner that every page carries."""

from __future__ import annotations

import datetime as dt
import re

from evergreen.records import Frozen, Record
from evergreen.reporting.template import render
from evergreen.wording import counted

_BANNER = re.compile(r'<aside id="serving"[^>]*>.*?</aside>', re.DOTALL)
_LINE = re.compile(r"\n> Version .*\n")
_GAUGE = "evergreen_serving_version"
_PAGES = (
    ("index.html", "overview"),
    ("dashboard.html", "dashboard"),
    ("model_card.html", "model card"),
    ("monitoring.html", "monitoring"),
)
_STYLE = "margin:0 0 18px;padding:8px 14px;border-left:4px solid var(--blue,#0072b2);background:var(--pale,#eef4f9)"


class Event(Frozen):
    """One line of the audit: when, who, what, about which version, and why."""

    when: dt.datetime
    who: str
    action: str
    from_version: str | None
    version: str
    reason: str

    @property
    def moves(self) -> bool:
        """Whether another version serves since."""
        return self.action in ("promote", "refresh", "rollback")


class ServingRecord(Record):
    """``serving.json``; ``status`` is ``serving``.

    Attributes:
        version: The version that serves.
        algorithm: Its algorithm.
        began: The change that made it champion; None where something else moved the alias.
        since: What happened after it began: challengers that were judged and did not win, rejections.
        evaluation_stored: Whether its evaluation, card and pictures are stored with it.
    """

    version: str
    algorithm: str
    began: Event | None
    since: tuple[Event, ...]
    evaluation_stored: bool


def serving_text(serving: ServingRecord, speaks_of: str) -> str:
    """In a few sentences: which version a page speaks of, which one serves, and what happened since."""
    parts = [_head(serving, speaks_of)]
    looks = [event for event in serving.since if event.action == "look"]
    if looks:
        last = looks[-1]
        parts.append(
            f"{counted(len(looks), 'look')} at challengers since, none promoted, the last at version {last.version} on "
            f"{last.when:%Y-%m-%d %H:%M} UTC."
        )
    parts += [f"Version {event.version} was rejected: {event.reason}" for event in serving.since if _rejects(event)]
    return " ".join(parts)


def with_banner(page: str, serving: ServingRecord, speaks_of: str) -> str:
    """An HTML page with the banner and the links to the other pages on top, once however often it is renewed."""
    banner = render("banner", style=_STYLE, text=serving_text(serving, speaks_of), pages=_PAGES)
    if _BANNER.search(page):
        return _BANNER.sub(lambda _: str(banner), page, count=1)
    return page.replace("<body>", f"<body>{banner}", 1)


def with_line(markdown: str, serving: ServingRecord, speaks_of: str) -> str:
    """A markdown page with the same words below its title."""
    title, _, rest = _LINE.sub("\n", markdown, count=1).partition("\n")
    return f"{title}\n> {serving_text(serving, speaks_of)}\n{rest}"


def with_gauge(metrics: str, serving: ServingRecord) -> str:
    """Prometheus' text with the version that serves, whichever version the window was held against."""
    kept = [line for line in metrics.splitlines() if _GAUGE not in line]
    labels = f'use_case="{serving.use_case}",version="{serving.version}"'
    head = [f"# HELP {_GAUGE} 1 for the version that serves now.", f"# TYPE {_GAUGE} gauge"]
    return "\n".join([*kept, *head, f"{_GAUGE}{{{labels}}} 1.0"]) + "\n"


def _head(serving: ServingRecord, speaks_of: str) -> str:
    began = serving.began
    moved = f" since {began.when:%Y-%m-%d %H:%M} UTC ({began.action} by {began.who})" if began else ""
    if speaks_of == serving.version:
        return f"Version {serving.version} ({serving.algorithm}) serves{moved}; this page speaks of it."
    return f"Version {serving.version} ({serving.algorithm}) serves{moved}; this page speaks of version {speaks_of}."


def _rejects(event: Event) -> bool:
    return event.action == "reject"
