"""What a manager needs to know of a window: what happened, how sure that is, and what to do."""

from __future__ import annotations

from evergreen.monitoring.drift.report import DriftReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.monitoring.blocks import Verdict
from evergreen.reporting.monitoring.decision import RetrainingAnswer
from evergreen.reporting.monitoring.wording import METRIC_NAMES
from evergreen.reporting.page import Tone
from evergreen.wording import counted, listed, number_text, range_text, share_text


def verdict(record: MonitoringRecord, answer: RetrainingAnswer) -> Verdict:
    """The verdict in words."""
    answers = [
        ("What happened", _what_happened(record)),
        ("How sure is that", _how_sure(record)),
        ("What to do", _what_to_do(record, answer)),
    ]
    return Verdict(_headline(record), answers, tone(record, answer))


def tone(record: MonitoringRecord, answer: RetrainingAnswer) -> Tone:
    """How good the news is."""
    if record.status == "quality" or answer.tone == "bad" or _measured(record) == "alert":
        return "bad"
    return "good" if record.status == "ok" and answer.tone == "good" else "watch"


def _measured(record: MonitoringRecord) -> str:
    return "unknown" if record.performance is None else record.performance.status


def _headline(record: MonitoringRecord) -> str:
    if record.status == "quality":
        failed = len(record.quality.blockers)
        return f"The data is not fit to be judged: {counted(failed, 'quality check')} failed."
    if record.status == "insufficient_data":
        return "There are too few rows to tell whether anything changed."
    alarms = record.drift.alarms
    if record.status in ("ok", "performance"):
        changed = "The data looks as it did in training"
    elif alarms:
        changed = f"The data has changed in {len(alarms)} of {counted(_judged(record), 'column')}"
    else:
        changed = "The data has changed, though no single column stands out"
    suffers = {
        "alert": "and the model is measurably worse",
        "ok": "and the model performs as it promised",
        "insufficient_data": "and there are too few outcomes to measure the model",
        "unknown": "and outcomes that would show whether the model suffers are not known yet",
    }[_measured(record)]
    return f"{changed}, {suffers}."


def _judged(record: MonitoringRecord) -> int:
    return sum(column.status != "off" for column in record.drift.columns.values())


def _what_happened(record: MonitoringRecord) -> str:
    drift, shift = record.drift, record.positive_rate
    alarms = drift.alarms
    sentences = []
    if alarms:
        named = listed([f"{name} ({drift.columns[name].severity})" for name in alarms])
        weight = f"Weighed by importance these are {drift.drifted_importance:.0%} of all judged columns."
        sentences.append(f"In alarm: {named}. {weight}")
    else:
        sentences.append("No column is in alarm.")
    if drift.new_columns:
        sentences.append(f"New columns, which the model does not use: {listed(list(drift.new_columns))}.")
    if shift.relative_change is not None:
        beyond = "more than allowed" if shift.alert else "within the limit"
        sentences.append(
            f"The model says yes for {share_text(shift.window)} of rows, {share_text(shift.reference)} before "
            f"({shift.relative_change:+.0%}, {beyond})."
        )
    auc = record.performance.metrics.get("roc_auc") if record.performance else None
    if auc is not None and auc.window.value is not None:
        sentences.append(
            f"Measured ROC AUC is {number_text(auc.window.value)}, {number_text(auc.reference)} was promised."
        )
    opened = sum(alert.event == "opened" for alert in record.alerts)
    closed = sum(alert.event == "closed" for alert in record.alerts)
    if opened or closed:
        sentences.append(f"Alerts opened: {opened}; closed: {closed}.")
    return " ".join(sentences)


def _how_sure(record: MonitoringRecord) -> str:
    drift = record.drift
    sentences = []
    sentences.append(_budget(drift))
    visible = [c.minimum_detectable_effect for c in drift.columns.values() if c.minimum_detectable_effect is not None]
    if visible:
        sentences.append(
            f"Shifts below {number_text(min(visible), 2)} to {number_text(max(visible), 2)} standard deviations, "
            "depending on the column, would probably go unnoticed."
        )
    auc = record.performance.metrics.get("roc_auc") if record.performance else None
    if auc is not None and auc.drop is not None:
        sentences.append(f"The drop of the measured ROC AUC lies in {range_text(auc.low, auc.high)} (95% interval).")
    elif auc is None:
        sentences.append(
            "Performance is estimated without outcomes, which cannot see a change of what the outcome means."
        )
    return " ".join(sentences)


def _budget(drift: DriftReport) -> str:
    if drift.rule == "tutorial":
        return "The tutorial rule decides column by column at p < 0.05, which cries wolf: compare, don't rely on it."
    if not drift.hypotheses:
        return "No column has rows enough to be tested; one that is missing or has another type needs no test."
    shared = f"{counted(drift.hypotheses, 'test')} shared that budget"
    return f"Had nothing changed, at most {drift.q:.0%} of windows would raise any column alarm; {shared}."


def _what_to_do(record: MonitoringRecord, answer: RetrainingAnswer) -> str:
    names = listed([check.subject for check in record.quality.blockers])
    if answer.fired:
        return (
            f"{answer.sentence} The challenger takes over only when it wins on rows that neither model has seen. "
            "Meanwhile treat the scores with care."
        )
    if record.quality.blockers:
        return f"Repair the data first ({names}), then run monitoring again; learning from it would make things worse."
    if answer.status == "held" or (answer.status == "undecided" and record.asking):
        return answer.sentence
    worse = [METRIC_NAMES[n] for n, m in (record.performance.metrics if record.performance else {}).items() if m.alert]
    if worse:
        return f"Look into {listed(worse)} below. {answer.sentence}"
    if record.status == "insufficient_data":
        return "Wait for more rows, or lengthen the window (window_days)."
    if record.status == "drift":
        return f"Look at the columns in alarm below: ask what changed upstream. {answer.sentence}"
    return "Nothing."
