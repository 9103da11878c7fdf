"""What happened in a window, as one page for people."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import PROBABILITY
from evergreen.reporting.monitoring.blocks import STYLE, Panels
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
from evergreen.reporting.monitoring.verdict import tone, verdict
from evergreen.reporting.monitoring.wording import STATUS_NAMES
from evergreen.reporting.page import Page, Section, Text, Tile, as_html
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.wording import counted, number_text, range_text


def monitoring_page(
    record: MonitoringRecord,
    reference: Profile,
    window: Profile,
    history: pd.DataFrame,
    importance: Mapping[str, float] | None,
    scores: tuple[Profile, Profile] | None = None,
    decision: RetrainingTrigger | None = None,
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

    Returns:
        One HTML file without scripts or anything else to fetch, under 1 MB however many columns there are:
        the 30 that matter most have their distributions drawn. A number that is missing reads
        "insufficient data".
    """
    answer = retraining_answer(record, decision)
    trend = read_trend(history)
    is_open = record.open_alerts
    before, now = (side.columns.get(PROBABILITY) for side in scores) if scores else (None, None)
    drawings = [*distributions(PROBABILITY, before, now), *trend.drawing(PROBABILITY, PROBABILITY in is_open)]
    predictions = column_panel("Predicted probability", record.scores, drawings, facts(before, now))
    sections = [
        Section("In short", [verdict(record, answer)]),
        Section("Retraining", retraining_blocks(record, answer)),
        Section("Alerts", alert_blocks(record)),
        Section("What matters most", ranking_blocks(record.drift, importance)),
        Section("Performance", performance_blocks(record.performance, record.estimate)),
        Section("Predictions", [positive_rate_text(record.positive_rate), Panels([predictions])]),
        Section("Distributions and trends", column_blocks(record.drift, reference, window, trend, importance, is_open)),
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
        style=STYLE,
    )
    return as_html(page)


def _days(record: MonitoringRecord) -> str:
    if record.window_start is None:
        return f"snapshot as of {record.window_end}"
    return f"window {record.window_start} to {record.window_end}"


def _tiles(record: MonitoringRecord, answer: RetrainingAnswer) -> list[Tile]:
    estimated = record.estimate.metrics.get("roc_auc")
    measured = record.performance.metrics.get("roc_auc") if record.performance else None
    alarms = record.drift.alarms
    judged = sum(column.status != "off" for column in record.drift.columns.values())
    return [
        Tile("Rows", f"{record.rows:,}", "in this window"),
        Tile("Columns in alarm", f"{len(alarms)}", f"of {judged} judged", "watch" if alarms else "good"),
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
            "The tutorial rule: a column alarms at p < 0.05 without correction, and the window drifts when more than "
            "30% of columns do. It is here for comparison; it alarms far more often than it should."
        )
    return (
        "A column alarms when a test of its values (numbers: Kolmogorov–Smirnov joined with normal scores; categories: "
        "chi-square with rare levels pooled), of its share of nulls or of infinities survives Benjamini–Hochberg at "
        f"{record.drift.q:g} over all {record.drift.hypotheses} hypotheses, and its effect is large enough to care "
        "about. Rows that depend on each other count for less: the design effect says by how much. PSI, "
        "Jensen–Shannon, Wasserstein, KS and the mean's z are shown because people know them; they decide nothing."
    )
