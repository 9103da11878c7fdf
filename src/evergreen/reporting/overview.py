"""What is there in a data folder? One page leads to every use case, with its version, its dates and its health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.blocks import Block, Link, Links, Table, Text, Verdict
from evergreen.reporting.monitoring.wording import STATUS_NAMES
from evergreen.reporting.page import Page, Section, as_html
from evergreen.reporting.serving import ServingRecord
from evergreen.rows.spans import moment_text

# File → title, in the order in which they are read.
PAGES = {
    "dashboard.html": "Dashboard",
    "monitoring.html": "Monitoring",
    "model_card.html": "Model card",
    "experiment.html": "Experiment",
    "policy_backtest.html": "Backtest of policies",
    "index.html": "Everything else",
}


@dataclass(frozen=True)
class UseCasePages:
    """What there is of a use case: its pages' files, what serves, what was seen last."""

    files: tuple[str, ...]
    serving: ServingRecord | None = None
    monitoring: MonitoringRecord | None = None


def overview_page(use_cases: Mapping[str, UseCasePages]) -> str:
    """The page of a data folder, whose use cases' pages lie in a folder each.

    Args:
        use_cases: Name → what there is.
    """
    head = ("Use case", "Serves", "Trained as of", "Last window", "What it found")
    rows = [(Link(name, f"{name}/{_first(found)}"), *_facts(found)) for name, found in use_cases.items()]
    serving = sum(found.serving is not None for found in use_cases.values())
    loud = [name for name, found in use_cases.items() if found.monitoring and found.monitoring.status != "ok"]
    headline = f"{serving} of {len(use_cases)} use cases have a version that serves"
    verdict = Verdict(
        f"{headline}; {', '.join(loud)} should be looked at." if loud else f"{headline}.", [],
        "watch" if loud or serving < len(use_cases) else "good",
    )  # fmt: skip
    table: list[Block] = [Table(head, rows)] if rows else [Text("Nothing has run yet.")]
    pages = [Section(name, [Links(_titles(name, found))]) for name, found in use_cases.items() if found.files]
    page = Page(
        title="Evergreen", subtitle="All use cases of this data folder", status="overview", tiles=[],
        sections=[Section("Use cases", table), *pages], tone=verdict.tone, verdict=verdict,
    )  # fmt: skip
    return as_html(page)


def _first(found: UseCasePages) -> str:
    return next((file for file in PAGES if file in found.files), "")


def _titles(name: str, found: UseCasePages) -> dict[str, str]:
    return {title: f"{name}/{file}" for file, title in PAGES.items() if file in found.files}


def _facts(found: UseCasePages) -> tuple[str, str, str, str]:
    serving, seen = found.serving, found.monitoring
    return (
        f"version {serving.version} ({serving.algorithm})" if serving else "nothing yet",
        f"{serving.as_of}" if serving else "–",
        f"{moment_text(seen.window_end)}, version {seen.version}" if seen else "–",
        STATUS_NAMES.get(seen.status, seen.status) if seen else "no data yet",
    )
