"""How does a use case fare? The dashboard: one line on top, then every panel, each with its evidence."""

from __future__ import annotations

from evergreen.reporting.blocks import Panels
from evergreen.reporting.dashboard.health import health, tiles
from evergreen.reporting.dashboard.panels_of_models import algorithms_panel, importance_panel, versions_panel
from evergreen.reporting.dashboard.panels_of_service import (
    experiment_panel,
    policy_panel,
    service_panel,
    traffic_panel,
)
from evergreen.reporting.dashboard.panels_of_windows import (
    alerts_panel,
    confidence_panel,
    drift_panel,
    events_panel,
    performance_panel,
    positive_rate_panel,
    predictions_panel,
)
from evergreen.reporting.dashboard.records import DashboardRecords, watched_last
from evergreen.reporting.page import Page, Section, as_html

_WORDS = {"good": "healthy", "watch": "to be watched", "bad": "not healthy", "plain": "no data yet"}


def dashboard_page(records: DashboardRecords) -> str:
    """One HTML file that fetches nothing, at most 400 KB; what is not known yet says so."""
    records = watched_last(records)
    verdict = health(records)
    sections = [
        Section("Experiments", [Panels([experiment_panel(records), traffic_panel(records)])]),
        Section("Predictions", [
            Panels([confidence_panel(records), predictions_panel(records), positive_rate_panel(records)])
        ]),
        Section("Drift and performance", [Panels([drift_panel(records), performance_panel(records)])]),
        Section("Versions", [
            Panels([versions_panel(records), algorithms_panel(records), importance_panel(records)])
        ]),
        Section("Operations", [
            Panels([alerts_panel(records), events_panel(records), service_panel(records), policy_panel(records)])
        ]),
    ]  # fmt: skip
    page = Page(
        title=f"{records.use_case} · dashboard",
        subtitle=f"As of {records.as_of}" if records.as_of else "Nothing has run yet",
        status=_WORDS[verdict.tone],
        tiles=tiles(records),
        sections=sections,
        tone=verdict.tone,
        verdict=verdict,
    )
    return as_html(page)
