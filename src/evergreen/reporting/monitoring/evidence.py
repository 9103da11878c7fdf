"""The page's sections on everything but single columns: retraining, alerts, performance, quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from evergreen.evaluation.metrics import Metric
from evergreen.monitoring.drift.multivariate import MultivariateDrift
from evergreen.monitoring.estimated import Estimate, EstimatedPerformance
from evergreen.monitoring.performance import PerformanceReport, PositiveRateShift
from evergreen.monitoring.quality import QualityReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check
from evergreen.reporting.blocks import Block, Folded, Table, Text
from evergreen.reporting.monitoring.decision import RetrainingAnswer
from evergreen.reporting.monitoring.wording import METRIC_NAMES
from evergreen.rows.spans import moment_text
from evergreen.wording import (
    NOTHING,
    counted,
    in_words,
    listed,
    number_text,
    p_text,
    percent_text,
    range_text,
    share_text,
)

_FOUND = 200


def retraining_blocks(record: MonitoringRecord, answer: RetrainingAnswer) -> list[Block]:
    """The answer, why it is given, and every reason with its numbers."""
    blocks: list[Block] = [Text(" ".join([answer.sentence, *answer.details]))]
    if record.asking:
        blocks += [Text("Reasons that monitoring found:"), _reasons(record.asking)]
    if record.quality.blockers:
        blocks += [Text("What makes the data unfit to learn from:"), _reasons(tuple(record.quality.blockers))]
    quiet = tuple(reason for reason in record.reasons if reason.passed)
    return [*blocks, Folded(f"{counted(len(quiet), 'finding')} without a reason to retrain", [_reasons(quiet)])]


def _reasons(reasons: tuple[Check, ...]) -> Table:
    rows = [(reason.subject, " ".join(reason.found_text.split()), reason.allowed_text) for reason in reasons]
    return Table(("Reason", "Found", "Allowed"), rows)


def alert_blocks(record: MonitoringRecord) -> list[Block]:
    """What opened, stays open or closed, and how many alerts are expected to be false."""
    here = {alert.column: alert for alert in record.alerts}
    quiet = [alert for name, alert in sorted(record.open_alerts.items()) if name not in here]
    words = {"opened": "opened now", "repeated": "still open", "closed": "closed now"}
    order = list(words)
    rows = [
        (alert.column, words[alert.event], alert.severity, moment_text(alert.window_end), alert.reason)
        for alert in sorted(here.values(), key=lambda alert: (order.index(alert.event), alert.column))
    ]
    rows += [(a.column, "still open", a.severity, moment_text(a.window_end), a.reason) for a in quiet]
    head = ("Column", "Alert", "Severity", "Window", "Rule that held")
    table: Block = Table(head, rows) if rows else Text("No alert is open, and none was closed.")
    life = "An alert opens once, repeats silently while the rule holds, and closes once."
    return [table, Text(f"{life} {record.false_alarm_budget}")]


def performance_blocks(performance: PerformanceReport | None, estimate: EstimatedPerformance) -> list[Block]:
    """Measured on outcomes, and estimated without them."""
    return [*_measured(performance), *_estimated(estimate)]


def _measured(performance: PerformanceReport | None) -> list[Block]:
    if performance is None:
        return [Text(f"Measured performance: {NOTHING}, because no outcome of this window is known yet.")]
    words = {"ok": "ok", "alert": "alert", "insufficient_data": NOTHING}
    rows = [
        (
            METRIC_NAMES.get(name, name), number_text(metric.reference), number_text(metric.window.value),
            _interval(metric.window), number_text(metric.drop), range_text(metric.low, metric.high),
            words[metric.status],
        )
        for name, metric in performance.metrics.items()
    ]  # fmt: skip
    head = ("Metric", "Promised", "Measured", "95 % interval", "Drop", "Interval (drop)", "Verdict")
    text = (
        f"Measured on {counted(performance.rows, 'row')} whose outcome is known, against the version's test window. "
        "A drop is an alert when it passes its limit and its interval, which holds for all metrics at once, lies above "
        "zero."
    )
    return [Text(text), Table(head, rows, frozenset(head[1:-1]))]


def _interval(metric: Metric) -> str:
    return range_text(metric.low, metric.high) if metric.status == "ok" else in_words(metric.status)


def _estimated(estimate: EstimatedPerformance) -> list[Block]:
    return [Text(_method(estimate)), _estimates(estimate.metrics, estimate.ci), *_under_label_shift(estimate)]


def _method(estimate: EstimatedPerformance) -> str:
    weighted = ""
    if estimate.method == "pape" and estimate.effective_rows is not None:
        weighted = (
            ", rows of the reference weighing as they are frequent in this window, which leaves as much evidence as "
            f"{estimate.effective_rows:,.0f} of them alike"
        )
    return (
        f"Estimated without outcomes, from {counted(estimate.rows, 'score')} ({estimate.method.upper()}{weighted}). "
        f"Target: {estimate.target}. It assumes {estimate.assumes}. Blind to {estimate.blind_spot}."
    )


def _under_label_shift(estimate: EstimatedPerformance) -> list[Block]:
    reading = estimate.label_shift
    if reading is None:
        return []
    interval = f"{percent_text(estimate.ci)} interval {range_text(reading.low, reading.high)}"
    text = (
        f"Another reading of the same scores: it assumes {reading.assumes}, and that only the share of positives "
        f"moved. It was {share_text(reading.reference_share)} in the reference and would be "
        f"{share_text(reading.share)} here ({interval}). Both readings cannot be right where they differ: outcomes "
        "will tell."
    )
    return [Folded("If only the share of positives moved", [Text(text), _estimates(reading.metrics, estimate.ci)])]


def _estimates(metrics: Mapping[str, Estimate], ci: float) -> Table:
    rows = [
        (METRIC_NAMES.get(name, name), number_text(found.value), range_text(found.low, found.high))
        for name, found in metrics.items()
    ]
    coverage = f"{percent_text(ci)} interval"
    return Table(("Metric", "Estimated", coverage), rows, frozenset({"Estimated", coverage}))


def positive_rate_text(shift: PositiveRateShift) -> Text:
    """How the share of positive predictions moved."""
    if shift.relative_change is None:
        return Text(f"Change of the share of positive predictions: {NOTHING}.")
    change = f"{share_text(shift.relative_change, '+')} ({100 * shift.ci:g} % interval {share_text(shift.low, '+')} to "
    change += f"{share_text(shift.high, '+')})"
    verdict = "an alert" if shift.alert else "no alert"
    return Text(
        f"Positive predictions: {share_text(shift.window)} of rows, {share_text(shift.reference)} in the reference; "
        f"relative change {change}: {verdict}."
    )


def multivariate_blocks(found: MultivariateDrift | None) -> list[Block]:
    """Whether rows as a whole can be told apart."""
    if found is None:
        return [Text(f"{NOTHING.capitalize()}: no sample of the reference's rows is stored with this version.")]
    left_out = _left_out(found)
    if found.auc is None:
        return [Text(f"{NOTHING.capitalize()}: a sample of either side, or of features, is too small."), *left_out]
    verdict = "they can be told apart" if found.alarm else "they cannot be told apart well enough to matter"
    text = (
        f"A small classifier tells this window's rows from the reference's with a held-out ROC AUC of "
        f"{number_text(found.auc)} (.5 is guessing, p {p_text(found.p_value)}): {verdict}. This sees "
        "changes between columns that no single column shows. "
        f"An AUC of {number_text(found.minimum_detectable_auc)} would have been found."
    )
    if not found.features:
        return [Text(text), *left_out]
    largest = max(found.features.values())
    rows = [(name, number_text(loss)) for name, loss in found.features.items()]
    head = ("Feature that tells them apart", "AUC lost without it")
    bars = [loss / largest for loss in found.features.values()]
    return [Text(text), Table(head, rows, frozenset(head[1:]), bars), *left_out]


def _left_out(found: MultivariateDrift) -> list[Block]:
    if not found.left_out:
        return []
    names = listed(list(found.left_out), 20)
    return [Text(f"Without part in this, because their rows repeat each other and any week is known by them: {names}.")]


def quality_blocks(quality: QualityReport) -> list[Block]:
    """Failed checks, then warnings, then how many were passed."""
    found = sorted(quality.failures, key=lambda check: (check.status != "failed", check.name, check.where))
    passed = Counter(check.name for check in quality.checks if check.passed)
    blocks: list[Block] = []
    if found:
        rows = [
            (c.status, in_words(c.name), c.where or "whole table", c.found_text, c.allowed_text) for c in found[:_FOUND]
        ]
        blocks.append(Table(("Status", "Check", "Column", "Found", "Allowed"), rows))
        if len(found) > _FOUND:
            blocks.append(Text(f"And {len(found) - _FOUND} more, in monitoring.json."))
    else:
        blocks.append(Text("Every check was passed."))
    rows_passed = [(in_words(name), f"{number:,}") for name, number in passed.items()]
    summary = f"{counted(sum(passed.values()), 'check')} passed"
    blocks.append(Folded(summary, [Table(("Check", "Passed"), rows_passed, frozenset({"Passed"}))]))
    return blocks
