"""Panels about windows: performance, drift, predictions, confidence, alerts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evergreen.monitoring.alerts import Alert, alerts_over_time
from evergreen.monitoring.drift.report import ColumnDrift
from evergreen.monitoring.parameters import SEVERITIES
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import PROBABILITY
from evergreen.reporting.blocks import NO_DATA, Link, Panel, Tone
from evergreen.reporting.charts.bars import Amounts, bar_picture, stacked_picture
from evergreen.reporting.charts.grids import heat_picture
from evergreen.reporting.charts.lines import Axes, DrawnLine, Level, line_picture
from evergreen.reporting.charts.picture import Colour, Picture
from evergreen.reporting.charts.scales import share_tick
from evergreen.reporting.dashboard.panels_of_models import nothing
from evergreen.reporting.dashboard.records import DashboardRecords
from evergreen.reporting.monitoring.columns import distributions
from evergreen.reporting.monitoring.trends import auc_picture, lowest_auc, positive_rate_picture, windows_of
from evergreen.reporting.monitoring.wording import METRIC_NAMES, STATUS_NAMES
from evergreen.rows.spans import moment_text, span_text
from evergreen.wording import counted, number_text, share_text

PAGE = Link("Monitoring page", "monitoring.html")
RECORD = Link("monitoring.json", "monitoring.json")
_COLUMNS = 20
_LOUD = SEVERITIES[1:]
_SEVERITY_COLOURS: tuple[Colour, ...] = ("soft", "watch", "third", "bad")


def window_text(record: MonitoringRecord) -> str:
    """Which window a panel speaks of."""
    days = span_text(record.window_start, record.window_end) if record.window_start else f"as of {record.window_end}"
    return f"Window {days}, {record.rows:,} rows, version {record.version}"


def performance_panel(records: DashboardRecords) -> Panel:
    """Performance of the reference against the window's, measured or estimated."""
    name, seen = "Performance, reference and now", records.monitoring
    if seen is None:
        return nothing(name, "monitoring measures and estimates it.", (PAGE,))
    measured = seen.performance.metrics if seen.performance else {}
    known = {n: m for n, m in measured.items() if m.reference is not None and m.window.value is not None}
    pictures = []
    if known:
        sides = [
            Amounts("promised", [m.reference or 0.0 for m in known.values()], "before"),
            Amounts("measured", [m.window.value or 0.0 for m in known.values()]),
        ]
        colours: list[Colour] = ["bad" if metric.alert else "now" for metric in known.values()]
        names = [METRIC_NAMES.get(n, n) for n in known]
        pictures.append(bar_picture("Promised and measured", names, sides, colours=colours))
    auc = seen.estimate.metrics.get("roc_auc")
    estimated = f"ROC AUC is estimated at {number_text(auc.value)} without outcomes." if auc else ""
    outcomes = f"{seen.performance.rows:,} rows with an outcome" if seen.performance else f"outcomes: {NO_DATA}"
    trend = auc_picture(records.metrics, lowest_auc(seen))
    pictures += [trend] if trend else []
    alert = any(metric.alert for metric in known.values())
    badge = "fell" if alert else "ok" if known else NO_DATA
    sentence = f"{window_text(seen)}, {outcomes}. {estimated}"
    tone: Tone = "bad" if alert else "good" if known else "plain"
    return Panel(name, badge, tone, sentence, pictures, links=(PAGE, RECORD))


def drift_panel(records: DashboardRecords) -> Panel:
    """Drift by feature, with the threshold from which a column may alarm."""
    name, seen = "Drift by feature", records.monitoring
    judged = {} if seen is None else {n: c for n, c in seen.drift.columns.items() if c.effect is not None}
    if seen is None or not judged:
        return nothing(name, "monitoring holds a window against the training rows.", (PAGE,))
    shown = sorted(judged, key=lambda n: (not judged[n].alarm, -(judged[n].effect or 0.0)))[:_COLUMNS]
    limit = records.policy.drift.min_effect if records.policy and seen.drift.rule == "evergreen" else None
    colours = [_colour(judged[n]) for n in shown]
    picture = bar_picture(
        "Effect, in standard deviations of an equal mean shift", shown,
        [Amounts("effect", [judged[n].effect or 0.0 for n in shown])], lambda value: number_text(value, 2),
        [] if limit is None else [Level("may alarm from", limit)], colours,
    )  # fmt: skip
    alarms = len(seen.drift.alarms)
    unjudged = sum(column.status == "insufficient_data" for column in seen.drift.columns.values())
    more = f" {counted(unjudged, 'column')} could not be judged (grey)." if unjudged else ""
    sentence = f"{window_text(seen)}: {counted(alarms, 'column')} in alarm (red), the largest {len(shown)} shown.{more}"
    badge = STATUS_NAMES.get(seen.status, seen.status)
    return Panel(name, badge, "watch" if alarms else "good", sentence, [picture], links=(PAGE, RECORD))


def _colour(column: ColumnDrift) -> Colour:
    return "bad" if column.alarm else "before" if column.status == "insufficient_data" else "now"


def confidence_panel(records: DashboardRecords) -> Panel:
    """How sure the model is, over the windows."""
    name = "Confidence over time"
    picture = _trend(records.metrics, "mean_confidence", "mean confidence")
    if picture is None:
        return nothing(name, "monitoring notes the mean probability of the predicted class, window by window.", (PAGE,))
    sentence = f"Mean probability of the class that was predicted, {_span(records.metrics)}."
    return Panel(name, "", "plain", sentence, [picture], links=(PAGE,))


def predictions_panel(records: DashboardRecords) -> Panel:
    """Distribution of the predictions, in the reference and in the window."""
    name, seen = "Prediction distribution", records.monitoring
    sides = records.profiles
    pictures = distributions(PROBABILITY, *(side.columns.get(PROBABILITY) for side in sides)) if sides else []
    if seen is None or not pictures:
        return nothing(name, "monitoring scores a window.", (PAGE,))
    effect = number_text(seen.scores.effect, 2)
    sentence = f"{window_text(seen)}, against rows that the version had not learnt from; effect {effect}."
    alarm = seen.scores.alarm
    return Panel(
        name, "in alarm" if alarm else "no drift", "watch" if alarm else "good", sentence, pictures, links=(PAGE,)
    )


def positive_rate_panel(records: DashboardRecords) -> Panel:
    """Share of positive predictions over the windows."""
    name, seen = "Positive rate over time", records.monitoring
    limit = records.policy.max_positive_rate_change if records.policy else None
    picture = positive_rate_picture(records.metrics, limit)
    if picture is None or seen is None:
        return nothing(name, "monitoring notes the share of positive predictions, window by window.", (PAGE,))
    rate = seen.positive_rate
    now = f"now {share_text(rate.window)}, {share_text(rate.reference)} in the reference"
    sentence = f"Share of rows for which the model says yes, {_span(records.metrics)}: {now}."
    return Panel(
        name, "alert" if rate.alert else "ok", "watch" if rate.alert else "good", sentence, [picture], links=(PAGE,)
    )


def alerts_panel(records: DashboardRecords) -> Panel:
    """Columns in alarm window by window, by severity."""
    name, ends = "Alerts by time", windows_of(records.history)
    if not ends:
        return nothing(name, "every monitored window is noted.", (PAGE,))
    rows = records.history[records.history["window_end"].isin(ends)].drop_duplicates(
        ["window_end", "column"], keep="last"
    )
    counts = pd.crosstab(rows["window_end"], rows["severity"]).reindex(index=pd.Index(ends), columns=list(_LOUD))
    table = counts.fillna(0).astype(float)
    sides = [
        Amounts(severity, table[severity].tolist(), colour)
        for severity, colour in zip(_LOUD, _SEVERITY_COLOURS, strict=True)
    ]
    picture = stacked_picture("Columns in alarm by window", [moment_text(end) for end in ends], sides)
    is_open = records.monitoring.open_alerts if records.monitoring else {}
    apart = " that don't overlap" if len(ends) > 1 else ""
    span = f"{counted(len(ends), 'window')}{apart}, up to {moment_text(ends[-1])}"
    open_now = f"open now: {', '.join(sorted(is_open))}" if is_open else "no alert is open"
    sentence = f"{span}; {open_now}."
    badge = f"{len(is_open)} open" if is_open else "none open"
    return Panel(name, badge, "watch" if is_open else "good", sentence, [picture], links=(PAGE,))


def events_panel(records: DashboardRecords) -> Panel:
    """What monitoring and the registry reported, by type and severity."""
    name = "Monitoring events"
    alerts = _alerts(records)
    failed = records.monitoring.quality.failures if records.monitoring else []
    if not alerts and not records.standing.events and records.monitoring is None:
        return nothing(name, "alerts, failed checks and promotions are counted here.", (PAGE,))
    rows = {
        "alert opened": _by_severity([a for a in alerts if a.event == "opened"]),
        "alert repeated": _by_severity([a for a in alerts if a.event == "repeated"]),
        "alert closed": _by_severity([a for a in alerts if a.event == "closed"]),
        "check failed now": _row(high=sum(check.status == "failed" for check in failed)),
        "check warns now": _row(warning=sum(check.status == "warning" for check in failed)),
    }
    for action in ("promote", "refresh", "rollback", "look", "reject", "repair"):
        rows[f"registry: {action}"] = _row(info=sum(event.action == action for event in records.standing.events))
    picture = heat_picture(
        "Events by type and severity", list(rows), list(_LOUD), list(rows.values()), [True] * len(_LOUD),
        lambda value: f"{value:.0f}",
    )  # fmt: skip
    sentence = (
        f"Over {counted(len(windows_of(records.history)), 'window')} of the history, this window's checks, and the "
        "whole audit of the registry; what the registry did counts as info."
    )
    return Panel(name, "", "plain", sentence, [picture], links=(PAGE, RECORD))


def _alerts(records: DashboardRecords) -> list[Alert]:
    history = records.history
    if history.empty:
        return []
    policy = records.policy.over_time if records.policy else None
    return [alert for _, rows in history.groupby("version") for alert in alerts_over_time(rows, policy)]


def _by_severity(alerts: Sequence[Alert]) -> list[float | None]:
    return [float(sum(alert.severity == severity for alert in alerts)) for severity in _LOUD]


def _row(**counts: int) -> list[float | None]:
    return [float(counts.get(severity, 0)) for severity in _LOUD]


def _trend(metrics: pd.DataFrame, metric: str, words: str) -> Picture | None:
    ends = windows_of(metrics)
    rows = metrics[metrics["metric"].eq(metric)] if ends else metrics
    if not ends or rows.empty:
        return None
    newest = rows.drop_duplicates("window_end", keep="last").set_index("window_end").reindex(pd.Index(ends))
    values = [None if pd.isna(value) else float(value) for value in newest["value"]]
    axes = Axes([moment_text(end) for end in ends], (), None, None, share_text, share_tick, "Window up to")
    return line_picture(words.capitalize(), [DrawnLine(words, values)], axes)


def _span(metrics: pd.DataFrame) -> str:
    ends = windows_of(metrics)
    return f"{counted(len(ends), 'window')} from {moment_text(ends[0])} to {moment_text(ends[-1])}"
