"""What happened in a window, as one page for people."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import PROBABILITY
from evergreen.reporting.blocks import NO_DATA, Block, Panels, Pictures, Text
from evergreen.reporting.monitoring.columns import (
    column_blocks,
    column_panel,
    distributions,
    facts,
    ranking_blocks,
    read_trend,
)
from evergreen.reporting.monitoring.decision import RetrainingAnswer, retraining_answer
from evergreen.reporting.monitoring.evidence import (
    alert_blocks,
    multivariate_blocks,
    performance_blocks,
    positive_rate_text,
    quality_blocks,
    retraining_blocks,
)
from evergreen.reporting.monitoring.groups import group_blocks
from evergreen.reporting.monitoring.trends import (
    WINDOWS_SHOWN,
    auc_picture,
    breadth_picture,
    drift_picture,
    lowest_auc,
    positive_rate_picture,
)
from evergreen.reporting.monitoring.verdict import tone, verdict
from evergreen.reporting.monitoring.wording import STATUS_NAMES
from evergreen.reporting.page import Page, Section, Tile, as_html
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.rows.spans import span_text
from evergreen.wording import counted, listed, number_text, range_text


def monitoring_page(
    record: MonitoringRecord,
    reference: Profile,
    window: Profile,
    history: pd.DataFrame,
    importance: Mapping[str, float] | None,
    scores: tuple[Profile, Profile] | None = None,
    decision: RetrainingTrigger | None = None,
    metrics: pd.DataFrame | None = None,
    policy: MonitoringParameters | None = None,
) -> str:
    """Write the report of one window.

    Args:
        record: What monitoring found.
        reference: Profile of the features in the training rows.
        window: Profile of the features in the window.
        history: Rows of this window and of earlier ones; see ``history_rows``.
        importance: Weight of each feature; None or empty: unknown.
        scores: Profiles of the probabilities, of the reference and of the window; None draws no histogram.
        decision: The newest decision of retraining; one about another window counts for nothing.
        metrics: Window metrics of this window and of earlier ones; see ``window_metrics``. None: unknown.
        policy: The rules, whose limits are drawn; None draws none.

    Returns:
        One HTML file that fetches nothing, under 400 KB however many columns there are: the 24 that matter most have
        their distributions drawn. A number that is missing reads "insufficient data".
    """
    answer = retraining_answer(record, decision)
    trend = read_trend(history)
    is_open = record.open_alerts
    before, now = (side.columns.get(PROBABILITY) for side in scores) if scores else (None, None)
    limit = policy.drift.min_effect if policy and record.drift.rule == "evergreen" else None
    pictures = [*distributions(PROBABILITY, before, now), *trend.pictures(PROBABILITY, PROBABILITY in is_open, limit)]
    predictions = column_panel("Predicted probability", record.scores, pictures, facts(before, now))
    columns = column_blocks(record.drift, reference, window, trend, importance, is_open, limit)
    sections = [
        Section("Alarms", alert_blocks(record)),
        Section("What matters most", ranking_blocks(record.drift, importance)),
        Section("Over the windows", _trends(record, history, metrics, policy)),
        Section("Performance", performance_blocks(record.performance, record.estimate)),
        Section("Predictions", [positive_rate_text(record.positive_rate), Panels([predictions])]),
        Section("Columns", columns, names="columns"),
        Section("Within groups", group_blocks(record.drift, is_open)),
        Section("Retraining", retraining_blocks(record, answer)),
        Section("Rows as a whole", multivariate_blocks(record.multivariate)),
        Section("Data quality", quality_blocks(record.quality)),
        Section("How alarms are decided", [Text(_rule(record))]),
    ]
    page = Page(
        title=f"{record.use_case} · monitoring",
        subtitle=f"Version {record.version}, {_days(record)}, against {reference.rows:,} rows of the reference",
        status=STATUS_NAMES.get(record.status, record.status),
        tiles=_tiles(record, answer),
        sections=sections,
        tone=tone(record, answer),
        verdict=verdict(record, answer, history),
    )
    return as_html(page)


def _trends(
    record: MonitoringRecord, history: pd.DataFrame, metrics: pd.DataFrame | None, policy: MonitoringParameters | None
) -> list[Block]:
    """How performance, predictions and drift moved, against their limits."""
    known = pd.DataFrame() if metrics is None else metrics
    rate = policy.max_positive_rate_change if policy else None
    limit = policy.drift.min_effect if policy and record.drift.rule == "evergreen" else None
    found = {
        "ROC AUC": auc_picture(known, lowest_auc(record)),
        "Positive predictions": positive_rate_picture(known, rate),
        "Drift": drift_picture(history, limit),
        "Columns in alarm": breadth_picture(history),
    }
    pictures = [picture for picture in found.values() if picture is not None]
    missing = [name for name, picture in found.items() if picture is None]
    text = (
        f"The newest {WINDOWS_SHOWN} windows that don't overlap, all held against version {record.version}. Red points "
        "are windows in alarm; upright lines are 95 % intervals."
    )
    return [Text(text), Pictures(pictures), *([Text(f"{listed(missing)}: {NO_DATA}.")] if missing else [])]


def _days(record: MonitoringRecord) -> str:
    if record.window_start is None:
        return f"snapshot as of {record.window_end}"
    return f"window {span_text(record.window_start, record.window_end)}"


def _tiles(record: MonitoringRecord, answer: RetrainingAnswer) -> list[Tile]:
    estimated = record.estimate.metrics.get("roc_auc")
    measured = record.performance.metrics.get("roc_auc") if record.performance else None
    alarms = record.drift.alarms
    mostly = record.drift.mostly_unjudged
    watched, unjudged = len(record.drift.watched), len(record.drift.unjudged)
    judged = f"of {watched}, {unjudged} not judged" if unjudged else f"of {watched}"
    within = len(record.drift.group_alarms)
    judged += f"; {within} within groups" if within else ""
    return [
        Tile("Rows", f"{record.rows:,}", "in this window"),
        Tile("Columns in alarm", f"{len(alarms)}", judged, "watch" if alarms or within or mostly else "good"),
        Tile("Alerts open", f"{len(record.open_alerts)}", "over windows", "watch" if record.open_alerts else "good"),
        Tile(
            "ROC AUC, estimated",
            number_text(estimated.value if estimated else None),
            range_text(estimated.low, estimated.high)
            if estimated and estimated.value is not None
            else "too few scores",
        ),
        Tile(
            "ROC AUC, measured",
            number_text(measured.window.value if measured else None),
            f"promised {number_text(measured.reference)}" if measured else "no outcomes yet",
            "bad" if measured and measured.alert else "plain",
        ),
        Tile("Retraining", answer.badge, counted(len(record.asking), "reason"), answer.tone),
    ]


def _rule(record: MonitoringRecord) -> str:
    if record.drift.rule == "tutorial":
        return (
            "The tutorial rule: a column alarms at p < .05 without correction, and the window drifts when more than "
            "30 % of columns do. It is here for comparison; it alarms far more often than it should."
        )
    return (
        "A column alarms when a test of its values (numbers: Kolmogorov–Smirnov joined with normal scores; categories: "
        "chi-square with rare levels pooled), of its share of nulls or of infinities survives Benjamini–Hochberg at "
        f"{record.drift.q:g} over all {record.drift.hypotheses} hypotheses, and its effect is large enough to care "
        "about. Rows that depend on each other count for less: the design effect says by how much. PSI, "
        "Jensen–Shannon, Wasserstein, KS and the mean's z are shown because people know them; they decide nothing. "
        f"{record.drift.seasons or ''}"
    ).strip()
