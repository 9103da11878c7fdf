"""What a manager needs to know of a window: what happened, how sure that is, and what to do."""

from __future__ import annotations

from itertools import takewhile

import pandas as pd

from evergreen.monitoring.drift.report import GROUPS_SHARE, DriftReport, columns_share
from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.blocks import Tone, Verdict
from evergreen.reporting.monitoring.decision import RetrainingAnswer
from evergreen.reporting.monitoring.trends import IN_ALARM, windows_of
from evergreen.reporting.monitoring.wording import METRIC_NAMES
from evergreen.rows.spans import moment_text
from evergreen.wording import counted, listed, number_text, percent_text, range_text, share_text


def verdict(record: MonitoringRecord, answer: RetrainingAnswer, history: pd.DataFrame | None = None) -> Verdict:
    """The verdict in words: healthy or not, since when, what to do, and behind it what happened and how sure that is.

    Args:
        record: What monitoring found.
        answer: Retraining's decision, or the reasons until then.
        history: Rows of this window and of those before it that were held against the same version.
    """
    how = tone(record, answer)
    answers = [
        ("Since when", since_when(record, history)),
        ("What to do", what_to_do(record, answer)),
        ("What happened", _what_happened(record)),
        ("How sure is that", _how_sure(record)),
    ]
    return Verdict(headline(record, answer), answers, how)


def headline(record: MonitoringRecord, answer: RetrainingAnswer) -> str:
    """Whether the use case is healthy, and why, in one sentence."""
    if record.status == "insufficient_data":
        return f"Health unknown: {_state(record)}"
    healthy = {"good": "Healthy", "watch": "To be watched", "bad": "Not healthy", "plain": "Health unknown"}
    word = healthy[tone(record, answer)]
    if word == "Healthy" and record.drift.unjudged:
        word = "Healthy as far as can be told"
    return f"{word}: {_state(record)}"


def tone(record: MonitoringRecord, answer: RetrainingAnswer) -> Tone:
    """How good the news is."""
    if record.status == "quality" or answer.tone == "bad" or _measured(record) == "alert":
        return "bad"
    if record.status == "ok" and not record.open_alerts and record.drift.mostly_unjudged:
        return "plain"
    return "good" if record.status == "ok" and answer.tone == "good" and not record.open_alerts else "watch"


def _measured(record: MonitoringRecord) -> str:
    return "unknown" if record.performance is None else record.performance.status


def _state(record: MonitoringRecord) -> str:
    if record.status == "quality":
        failed = len(record.quality.blockers)
        return f"the data is not fit to be judged, {counted(failed, 'quality check')} failed."
    if record.status == "insufficient_data":
        return "there are too few rows to tell whether anything changed."
    alarms, unjudged, watched = record.drift.alarms, len(record.drift.unjudged), len(record.drift.watched)
    if record.status in ("ok", "performance"):
        changed = "the data looks as it did in training"
        if unjudged:
            changed = (
                f"the data looks as it did in training in the {watched - unjudged} of "
                f"{counted(watched, 'column')} that could be judged"
            )
    elif alarms:
        changed = f"the data has changed in {len(alarms)} of {counted(watched, 'column')}"
    elif record.drift.group_alarms:
        changed = f"the data has changed within {counted(len(_groups_in_alarm(record)), 'group')} of rows"
    else:
        changed = "the data has changed, though no single column stands out"
    suffers = {
        "alert": "and the model is measurably worse",
        "ok": "and the model performs as it promised",
        "insufficient_data": "and there are too few outcomes to measure the model",
        "unknown": "and outcomes that would show whether the model suffers are not known yet",
    }[_measured(record)]
    return f"{changed}, {suffers}."


def _groups_in_alarm(record: MonitoringRecord) -> list[str]:
    return sorted({f"{found.by} {found.group}" for found in record.drift.group_alarms})


def since_when(record: MonitoringRecord, history: pd.DataFrame | None) -> str:
    """Since which window it is as it is, quiet or in alarm, as far back as this version was watched."""
    ends = windows_of(history) if history is not None else []
    if history is None or not ends:
        return f"Known of the window up to {moment_text(record.window_end)} alone."
    loud = set(history[history["status"].isin(IN_ALARM)]["window_end"])
    now = ends[-1] in loud
    same = list(takewhile(lambda end: (end in loud) == now, reversed(ends)))
    state = "a column in alarm" if now else "no column in alarm"
    since = f"{counted(len(same), 'window')} in a row with {state}, since the one up to {moment_text(same[-1])}"
    watched = f"; version {record.version} is watched since the one up to {moment_text(ends[0])}"
    return f"{since}{watched if len(same) < len(ends) else ', the first in which this version was watched'}."


def _what_happened(record: MonitoringRecord) -> str:
    drift, shift = record.drift, record.positive_rate
    alarms = drift.alarms
    sentences = []
    if alarms:
        named = listed([f"{name} ({drift.columns[name].severity})" for name in alarms])
        weight = f"Weighed by importance these are {percent_text(drift.drifted_importance)} of all judged columns."
        sentences.append(f"In alarm: {named}. {weight}")
    else:
        sentences.append("No column is in alarm.")
    if drift.group_alarms:
        named = listed([f"{found.column} where {found.by} is {found.group}" for found in drift.group_alarms], 5)
        sentences.append(f"Within groups of rows: {named}.")
    if drift.new_columns:
        sentences.append(f"New columns, which the model does not use: {listed(list(drift.new_columns))}.")
    if shift.relative_change is not None:
        beyond = "more than allowed" if shift.alert else "within the limit"
        sentences.append(
            f"The model says yes for {share_text(shift.window)} of rows, {share_text(shift.reference)} before "
            f"({percent_text(shift.relative_change, '+')}, {beyond})."
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
        sentences.append(f"The drop of the measured ROC AUC lies in {range_text(auc.low, auc.high)} (95 % interval).")
    elif auc is None:
        sentences.append(
            "Performance is estimated without outcomes, which cannot see a change of what the outcome means."
        )
    return " ".join(sentences)


def _budget(drift: DriftReport) -> str:
    if drift.rule == "tutorial":
        return "The tutorial rule decides column by column at p < .05, which cries wolf: compare, don't rely on it."
    if not drift.hypotheses:
        return "No column has rows enough to be tested; one that is missing or has another type needs no test."
    shared = f"{counted(drift.hypotheses, 'test')} shared that budget"
    return (
        f"The rule is set so that, had nothing changed, at most {percent_text(drift.q)} of windows would raise any "
        f"column alarm{_and_groups(drift)}; {shared}. Columns that depend on each other then raise theirs together, "
        "not more often."
    )


def _and_groups(drift: DriftReport) -> str:
    tests = sum(view.tests for view in drift.groups)
    if not tests:
        return ""
    share = drift.q / columns_share(drift.groups) * GROUPS_SHARE
    return f", and {percent_text(share)} one within a group, by {counted(tests, 'test')} more"


def what_to_do(record: MonitoringRecord, answer: RetrainingAnswer) -> str:
    """The one thing to do next, or nothing."""
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
    if record.status == "insufficient_data" or tone(record, answer) == "plain":
        return "Wait for more rows, or lengthen the window (window_days)."
    if record.drift.group_alarms and not record.drift.alarms:
        return f"Ask what changed upstream for {listed(_groups_in_alarm(record), 5)}. {answer.sentence}"
    if record.status == "drift" or record.open_alerts:
        return f"Look at the columns in alarm below: ask what changed upstream. {answer.sentence}"
    return "Nothing."
