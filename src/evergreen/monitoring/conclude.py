"""From the findings of one window, and of those before it, to the record: status, alerts, reasons."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import pandas as pd

from evergreen.monitoring.alerts import alerts_over_time, history_rows, open_alerts
from evergreen.monitoring.drift.report import DriftReport
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.reasons import by_alerts, find_reasons
from evergreen.monitoring.record import MonitoringRecord, WindowProfile
from evergreen.monitoring.reference import PROBABILITY, Reference
from evergreen.monitoring.score_drift import score_profile
from evergreen.monitoring.window import Findings, Window
from evergreen.rows.spans import are_hours, by_hours, length_text

DAYS_PER_MONTH = 30.4


def window_history(version: str, window: Window, findings: Findings) -> pd.DataFrame:
    """One row a column of this window, the scores among them, to append to the history; ``version`` is the champion."""
    columns = {**findings.drift.columns, PROBABILITY: findings.scores}
    report: DriftReport = findings.drift.model_copy(update={"columns": columns})
    several: list[DriftReport | None] = [findings.pair, findings.four]
    for number, scores in enumerate(findings.pooled_scores):
        known = several[number] or findings.drift.model_copy(update={"columns": {}})
        several[number] = known.model_copy(update={"columns": {**known.columns, PROBABILITY: scores}})
    return history_rows(report, window.start or window.end, window.end, *several).assign(version=version)


def with_earlier(past: pd.DataFrame, window: pd.DataFrame) -> pd.DataFrame:
    """A window's rows after those of earlier windows that were held against the same version.

    Args:
        past: The whole history, in which the window itself may stand already.
        window: Rows of :func:`window_history`.
    """
    if past.empty:
        return window
    end = window["window_end"].iloc[0]
    past = of_the_same_kind(past, end)
    same = past["version"].eq(window["version"].iloc[0]) & past["window_end"].lt(end)
    return pd.concat([past[same], window], ignore_index=True)


def rows_of(history: pd.DataFrame, version: str, end: dt.date) -> pd.DataFrame:
    """One window's rows, held against one version; another version may have watched the same window.

    Args:
        history: Rows of any windows and versions.
        version: The version.
        end: Last day of the window.
    """
    return history[history["version"].eq(version) & history["window_end"].eq(pd.Timestamp(end))]


def history_until(past: pd.DataFrame, record: MonitoringRecord) -> pd.DataFrame:
    """The rows of a record's window and of those before it that were held against the same version."""
    if past.empty:
        return past
    past = of_the_same_kind(past, record.window_end)
    return past[past["version"].eq(record.version) & past["window_end"].le(pd.Timestamp(record.window_end))]


def of_the_same_kind(past: pd.DataFrame, end: dt.date) -> pd.DataFrame:
    """Rows of windows of days, or of hours, as the window with this end is."""
    return past[are_hours(past["window_end"]).eq(by_hours(end))]


def window_profile(record: MonitoringRecord, reference: Reference, window: Window) -> WindowProfile:
    """What the page draws of a window."""
    return WindowProfile(
        use_case=record.use_case,
        as_of=record.as_of,
        status=record.status,
        version=record.version,
        features=window.profile,
        scores=score_profile(reference, window.scores),
    )


def conclude(
    use_case: str,
    version: str,
    reference: Reference,
    window: Window,
    findings: Findings,
    history: pd.DataFrame,
    parameters: MonitoringParameters,
) -> MonitoringRecord:
    """Put a window's findings together and decide what they mean.

    Args:
        use_case: Name of the use case.
        version: The champion that was watched.
        reference: Its memory.
        window: What was looked at.
        findings: What the tests said.
        history: Rows of ``window_history`` of this window and of earlier ones.
        parameters: The rules.
    """
    alerts = alerts_over_time(history, parameters.over_time)
    still_open = open_alerts(alerts)
    auc = reference.metrics.get("roc_auc")
    reasons = find_reasons(
        drift=by_alerts(findings.drift, still_open, reference.importance or None),
        multivariate=findings.multivariate,
        positive_rate=findings.positive_rate,
        performance=findings.performance,
        estimate=findings.estimate,
        reference_auc=auc.value if auc else None,
        days_since_training=(window.as_of - reference.trained_as_of).days,
        policy=parameters.reasons,
    )
    return MonitoringRecord(
        use_case=use_case,
        as_of=window.as_of,
        status=overall_status(findings),
        version=version,
        window_start=window.start,
        window_end=window.end,
        rows=window.profile.rows,
        drift=findings.drift,
        scores=findings.scores,
        positive_rate=findings.positive_rate,
        multivariate=findings.multivariate,
        performance=findings.performance,
        estimate=findings.estimate,
        quality=findings.quality,
        reference_auc=auc.value if auc else None,
        alerts=tuple(alert for alert in alerts if alert.window_end == pd.Timestamp(window.end)),
        open_alerts=still_open,
        reasons=reasons,
        false_alarm_budget=_budget(parameters),
    )


def overall_status(findings: Findings) -> Literal["quality", "insufficient_data", "drift", "performance", "ok"]:
    """What a window's findings come to, in one word: the gravest that any of them says."""
    if findings.quality.status == "failed":
        return "quality"
    rows_moved = findings.multivariate is not None and findings.multivariate.alarm
    if findings.drift.drifted or findings.scores.alarm or findings.positive_rate.alert or rows_moved:
        return "drift"
    if findings.performance is not None and findings.performance.status == "alert":
        return "performance"
    return findings.drift.status


def _budget(parameters: MonitoringParameters) -> str:
    windows = DAYS_PER_MONTH / (parameters.length / dt.timedelta(days=1))
    expected = parameters.over_time.false_alarms_per_month(windows)
    length = length_text(parameters.length)
    return (
        f"With windows of {length} the rule over windows is set to {expected:.3f} false alerts a "
        f"month (one in {1 / expected:,.0f} months), which simulations of independent columns confirm; where columns "
        "depend on each other false alerts are as rare or rarer, and come several at once."
    )
