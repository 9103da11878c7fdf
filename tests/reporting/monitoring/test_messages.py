"""Claims about what people are told: what opened, what closed, what failed, and otherwise nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from evergreen.invocation import command
from evergreen.monitoring.alerts import Alert
from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.monitoring.messages import alert_messages
from evergreen.wording import number_text
from monitored_window import DAY, Observed, observe, table


def alert(column: str, event: str, severity: str = "warning") -> Alert:
    end = dt.datetime.combine(DAY, dt.time())
    return Alert(column=column, event=event, window_end=end, severity=severity, reason="2 of the last 3 windows")


@pytest.fixture(scope="module")
def quiet() -> Observed:
    return observe(table(0), table(1))


def with_alerts(record: MonitoringRecord, *alerts: Alert) -> MonitoringRecord:
    return record.model_copy(update={"alerts": alerts})


def test_a_quiet_window_is_told_to_nobody(quiet):
    assert alert_messages(quiet.record) == []


def test_an_alert_that_repeats_is_silent(quiet):
    assert alert_messages(with_alerts(quiet.record, alert("age", "repeated", "critical"))) == []


def test_opened_and_closed_alerts_make_one_message_each_with_the_worst_severity(quiet):
    record = with_alerts(
        quiet.record,
        alert("age", "opened", "warning"),
        alert("income", "opened", "critical"),
        alert("plan", "closed", "high"),
        alert("tenure", "repeated", "critical"),
    )
    opened, closed = alert_messages(record, link="https://reports.example")
    assert (opened.title, opened.severity) == ("churn: 2 columns drifted", "critical")
    assert (closed.title, closed.severity) == ("churn: 1 column is back to normal", "high")
    assert opened.lines == (
        "age: alert opened, severity warning (2 of the last 3 windows).",
        "income: alert opened, severity critical (2 of the last 3 windows).",
        "No reason to retrain was found.",
    )
    assert {message.link for message in (opened, closed)} == {"https://reports.example"}
    assert (opened.use_case, opened.version, opened.as_of) == ("churn", "7", DAY)


def test_several_columns_are_back_to_normal(quiet):
    (message,) = alert_messages(with_alerts(quiet.record, alert("age", "closed"), alert("plan", "closed")))
    assert message.title == "churn: 2 columns are back to normal"


def test_whoever_heard_of_an_opening_hears_of_the_closing(quiet):
    closed = alert("age", "closed", "warning").model_copy(update={"reported_as": "critical", "reason": "calm"})
    (message,) = alert_messages(with_alerts(quiet.record, closed))
    assert message.severity == "critical"
    assert message.lines[0] == "age: alert closed (calm)."


def test_a_flood_of_alerts_is_cut_short(quiet):
    flood = [alert(f"column_{i}", "opened") for i in range(300)]
    (message,) = alert_messages(with_alerts(quiet.record, *flood))
    assert message.title == "churn: 300 columns drifted"
    assert len(message.lines) == 22
    assert message.lines[-2] == "And 280 more, in the report."


def test_failed_checks_are_told_and_block_retraining():
    broken = observe(table(0).assign(gone=1.0), table(1, shift=0.5))
    messages = alert_messages(broken.record)
    assert [message.title for message in messages] == ["churn: 1 data quality check failed", "churn: 2 columns drifted"]
    assert messages[0].severity == "high"
    assert messages[0].lines == (
        "gone fails schema: missing, allowed number.",
        f"1 reason to retrain; `{command('kedro run --pipeline=retraining', 'churn')}` decides.",
    )


def test_a_measured_drop_is_told_with_both_numbers(quiet):
    performance = quiet.record.performance
    auc = performance.metrics["roc_auc"]
    fallen = auc.model_copy(update={"alert": True, "reference": 0.9, "status": "alert"})
    record = quiet.record.model_copy(
        update={"performance": performance.model_copy(update={"metrics": {"roc_auc": fallen}})}
    )
    (message,) = alert_messages(record)
    assert message.severity == "high"
    assert message.lines[0] == f"ROC AUC fell from .900 to {number_text(auc.window.value)}."
