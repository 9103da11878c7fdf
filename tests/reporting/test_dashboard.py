"""Claims about the dashboard: every panel, whatever is known; small; and a first line that answers three questions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from evergreen.monitoring.quality import QualityReport
from evergreen.records import Check
from evergreen.reporting.blocks import Verdict
from evergreen.reporting.dashboard.health import health, tiles
from evergreen.reporting.dashboard.page import dashboard_page
from evergreen.reporting.dashboard.records import DashboardRecords
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.wording import number_text
from made_up_pages import evaluation, fifty_windows, nothing, one_window, quiet, standing, window_metrics

PANELS = [
    "Experiment comparison", "Traffic split and result", "Confidence over time", "Prediction distribution",
    "Positive rate over time", "Drift by feature", "Performance, reference and now", "Versions over time",
    "Algorithms and metrics", "Feature importance", "Alerts by time", "Monitoring events", "System health",
    "Retraining policies",
]  # fmt: skip


@pytest.mark.parametrize(("made", "missing"), [(nothing, 14), (one_window, 4), (fifty_windows, 1)])
def test_every_panel_is_there_and_says_where_it_has_no_data_yet(
    made: Callable[[], DashboardRecords], missing: int
) -> None:
    page = dashboard_page(made())
    assert re.findall(r'<article class="panel" id="[^"]*" data-name="([^"]*)"', page) == PANELS
    assert page.count('<span class="badge plain">no data yet</span>') == missing
    assert not re.findall(r"\b(None|nan|NaN|inf)\b", re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    assert "http" not in page


@pytest.mark.parametrize(("made", "most"), [(nothing, 40_000), (one_window, 120_000), (fifty_windows, 250_000)])
def test_a_dashboard_is_small(made: Callable[[], DashboardRecords], most: int) -> None:
    assert len(dashboard_page(made()).encode()) < most


def test_panels_say_their_window_and_lead_to_their_evidence() -> None:
    page = dashboard_page(fifty_windows())
    for told in (
        "Window 2026-02-22 to 2026-02-28, 2,000 rows, version 7", "50 windows from 2025-03-22 to 2026-02-28",
        "may alarm from: .05", "open now: income", "rollback: &lt;rollback&gt;", "The newest 10 of 10 versions",
        "12,345", "168.0 h", "&lt;winter&gt;: ROC AUC, 9 days up to 2026-02-28",
    ):  # fmt: skip
        assert told in page, told
    for file in ("monitoring.html", "monitoring.json", "model_card.html", "experiment.html", "importance.csv"):
        assert f'href="{file}"' in page


def test_figures_of_a_window_that_watched_another_version_are_not_the_champions() -> None:
    other = replace(one_window(), standing=standing(10, serves="9"))
    assert {tile.name: tile.value for tile in tiles(other)}["ROC AUC now"] == "–"
    assert health(other).headline.startswith("Health unknown: Version 9")


def test_versions_of_which_none_was_ever_promoted_are_shown_all_the_same() -> None:
    refused = standing(2).model_copy(update={"serving": None, "events": ()})
    page = dashboard_page(replace(nothing(), standing=refused, evaluation=evaluation()))
    assert "The newest 2 of 2 versions" in page
    assert "Nothing serves yet" in page


def test_where_two_versions_watched_a_window_the_one_that_was_watched_last_is_shown() -> None:
    own = one_window()
    other = window_metrics(1, "8").assign(value=0.123)
    page = dashboard_page(replace(own, metrics=pd.concat([own.metrics, other], ignore_index=True)))
    value = own.metrics.set_index(["kind", "metric"]).loc[("measured", "roc_auc"), "value"]
    assert f"2026-02-28: measured {number_text(value)}" in page
    assert "measured .123" not in page


FAILED = (Check(name="schema", where="gone", passed=False, found="missing", allowed="number"),)


def calm(**changes: Any) -> DashboardRecords:
    """A window in which nothing happened, with ``changes`` of its record."""
    seen = quiet()
    record = seen.record.model_copy(
        update={"status": "ok", "reasons": (), "alerts": (), "open_alerts": {}, "multivariate": None, **changes}
    )
    return replace(one_window(), monitoring=record, history=seen.history.assign(version="7"))


def too_few() -> DashboardRecords:
    return calm(status="insufficient_data")


def partly() -> DashboardRecords:
    drift = quiet().record.drift
    blind = drift.columns["plan"].model_copy(update={"status": "insufficient_data"})
    return calm(drift=drift.model_copy(update={"columns": {**drift.columns, "plan": blind}}))


def worse() -> DashboardRecords:
    performance = quiet().record.performance
    assert performance is not None
    auc = performance.metrics["roc_auc"].model_copy(update={"alert": True, "status": "alert"})
    fallen = performance.model_copy(update={"status": "alert", "metrics": {**performance.metrics, "roc_auc": auc}})
    return calm(status="performance", performance=fallen)


def decided(status: str) -> DashboardRecords:
    records = one_window()
    record = records.monitoring
    assert record is not None
    decision = RetrainingTrigger(
        use_case="churn", as_of=record.as_of, status=status, fired=status == "fired", champion="7", watched="7",
        reasons=("income drifted.",), rules=(), holds=(), evidence=record.evidence,
    )  # fmt: skip
    return replace(records, trigger=decision)


STATES: dict[str, tuple[Callable[[], DashboardRecords], str, str, str]] = {
    "nothing yet": (nothing, "Nothing serves yet", "no champion", "kedro run --pipelines=feature_engineering"),
    "a first challenger refused": (
        lambda: replace(nothing(), evaluation=evaluation()), "Nothing serves yet", "no champion", "kedro run",
    ),
    "never watched": (
        lambda: replace(one_window(), monitoring=None), "Health unknown: Version 7", "serves since",
        "--pipeline=monitoring",
    ),
    "quiet": (calm, "Healthy: the data looks as it did in training", "4 windows in a row with no column", "Nothing."),
    "some columns not judged": (partly, "Healthy as far as can be told", "4 windows", "Nothing."),
    "too few rows": (too_few, "Health unknown: there are too few rows", "4 windows", "Wait for more rows"),
    "drift": (one_window, "the data has changed in 1 of 3 columns", "1 window in a row with a column", "decides"),
    "unfit data": (
        lambda: calm(status="quality", quality=QualityReport(status="failed", checks=FAILED)),
        "Not healthy: the data is not fit to be judged", "4 windows", "Repair the data first (schema gone)",
    ),
    "measurably worse": (worse, "Not healthy: the data looks as it did in training", "4 windows", "Look into ROC AUC"),
    "retraining decided": (lambda: decided("fired"), "Not healthy", "1 window in a row", "challenger takes over only"),
    "retraining held back": (lambda: decided("held"), "To be watched", "1 window in a row", "held back"),
}  # fmt: skip


@pytest.mark.parametrize("state", list(STATES))
def test_the_first_lines_say_healthy_or_not_since_when_and_what_to_do(state: str) -> None:
    made, headline, since, advice = STATES[state]
    told: Verdict = health(made())
    answers = dict(told.answers)
    assert headline in told.headline
    assert since in answers["Since when"]
    assert advice in answers["What to do"]
