"""What is reported of a window: alerts that open or close, data that fails, performance that drops."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from evergreen.monitoring.alerts import Alert
from evergreen.monitoring.parameters import SEVERITIES, Severity
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Frozen
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.reporting.monitoring.wording import METRIC_NAMES
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.wording import counted, number_text

_LINES = 20
_LEAST_TOLD = SEVERITIES.index("info")


class AlertMessage(Frozen):
    """One message to people, for any channel.

    Attributes:
        use_case: The use case that was watched.
        as_of: The date that the run pretended was today.
        version: The champion that was watched.
        title: What happened, in a few words.
        severity: How much it matters; a channel sends from its own smallest severity on.
        lines: The details, one sentence each.
        link: Where the report lies, where that is known.
    """

    use_case: str
    as_of: dt.date
    version: str
    title: str
    severity: Severity
    lines: tuple[str, ...]
    link: str | None = None


def alert_messages(
    record: MonitoringRecord, decision: RetrainingTrigger | None = None, link: str | None = None
) -> list[AlertMessage]:
    """What this window is worth telling people; empty when there is nothing to tell.

    Opened and closed alerts make one message each, whatever their number; so do failed quality checks and
    metrics in alert. An alert that repeats is silent; a closing is as severe as the message that reported its
    opening, so that every channel that heard the one hears the other. Failed checks and dropped
    metrics count as ``high``.

    Args:
        record: The window's record.
        decision: The newest decision of retraining; one about another window counts for nothing.
        link: Where the report lies.
    """
    answer = retraining_answer(record, decision)
    return [
        AlertMessage(
            use_case=record.use_case,
            as_of=record.as_of,
            version=record.version,
            title=f"{record.use_case}: {title}",
            severity=severity,
            lines=(*_shortened(lines), answer.sentence),
            link=link,
        )
        for title, severity, lines in _topics(record)
    ]


def _topics(record: MonitoringRecord) -> Iterator[tuple[str, Severity, list[str]]]:
    failed = record.quality.blockers
    if failed:
        lines = [check.sentence for check in failed]
        yield f"{counted(len(failed), 'data quality check')} failed", "high", lines
    metrics = record.performance.metrics if record.performance else {}
    dropped = {name: metric for name, metric in metrics.items() if metric.alert}
    if dropped:
        lines = [
            f"{METRIC_NAMES[name]} fell from {number_text(metric.reference)} to {number_text(metric.window.value)}."
            for name, metric in dropped.items()
        ]
        yield "the model's measured performance dropped", "high", lines
    for event, words in (("opened", "drifted"), ("closed", "is back to normal|are back to normal")):
        alerts = [alert for alert in record.alerts if alert.event == event]
        if alerts:
            singular, _, plural = words.partition("|")
            verb = plural if plural and len(alerts) > 1 else singular
            yield f"{counted(len(alerts), 'column')} {verb}", _worst(alerts), [_line(alert) for alert in alerts]


def _worst(alerts: Sequence[Alert]) -> Severity:
    found = [SEVERITIES.index(severity) for alert in alerts for severity in (alert.severity, alert.reported_as)]
    return SEVERITIES[max([_LEAST_TOLD, *found])]


def _line(alert: Alert) -> str:
    severity = "" if alert.event == "closed" else f", severity {alert.severity}"
    return f"{alert.column}: alert {alert.event}{severity} ({alert.reason})."


def _shortened(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LINES
    return [*lines[:_LINES], *([f"And {more} more, in the report."] if more > 0 else [])]
