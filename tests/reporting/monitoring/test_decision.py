"""The claim that whoever says whether to retrain says the same: record, page, alert, metrics and screen."""

from __future__ import annotations

import random
import re
from html import unescape

import pytest

from evergreen.monitoring.alerts import Alert
from evergreen.monitoring.quality import QualityReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check
from evergreen.reporting.monitoring.messages import alert_messages
from evergreen.reporting.monitoring.page import monitoring_page
from evergreen.reporting.monitoring.prometheus import prometheus_text
from evergreen.reporting.screen import Lifecycle, summary
from evergreen.retraining.parameters import TriggerPolicy
from evergreen.retraining.trigger import ChampionsAge, RetrainingTrigger, decide_trigger
from monitored_window import DAY, IMPORTANCE, Observed, observe, table

SENTENCES = {
    "fired": "Retraining was decided.",
    "held": "There are reasons to retrain, but retraining is held back.",
    "blocked": "There are reasons to retrain, but the data is not fit to learn from.",
    "quiet": "Retraining is not needed.",
}
OTHERS = re.compile(r"Retraining was decided|retraining is held back|not fit to learn from\.|Retraining is not needed")
UNDECIDED = re.compile(r"No reason to retrain was found\.|\d reasons? to retrain; `")


@pytest.fixture(scope="module")
def window() -> Observed:
    return observe(table(0, rows=300), table(1, rows=300))


def monitored(seed: int, record: MonitoringRecord) -> MonitoringRecord:
    """The record with reasons, failed checks and a status drawn at random, and an alert that is worth a message."""
    draw = random.Random(seed)
    names = ("performance", "estimate", "drift", "breadth", "multivariate", "predictions", "age")
    reasons = tuple(
        Check(name=name, passed=draw.random() < 0.7, found=f"found {name}", allowed=f"{draw.random():.3f}")
        for name in names
    )
    broken = Check(name="schema", where="age", passed=False, found="text", allowed="number")
    quality = QualityReport(status="failed", checks=(broken,)) if draw.random() < 0.3 else QualityReport(status="ok")
    opened = Alert(column="age", event="opened", window_end=DAY, severity="high", reason="rule")
    status = draw.choice(["ok", "drift", "performance", "insufficient_data"])
    changes = {"reasons": reasons, "quality": quality, "alerts": (opened,), "status": status}
    return record.model_copy(update=changes)


def decided(seed: int, record: MonitoringRecord) -> RetrainingTrigger:
    draw = random.Random(-seed)
    rules = tuple(draw.sample(TriggerPolicy().rules, 4))
    age = ChampionsAge(
        version=record.version,
        retrained=draw.random() < 0.3,
        days_since_training=draw.randrange(90),
        days_since_retraining=draw.choice([None, 3, 30]),
        new_labelled_rows=draw.choice([10, 5000]),
    )
    return decide_trigger(record, age, TriggerPolicy(rules=rules))


def said(window: Observed, record: MonitoringRecord, decision: RetrainingTrigger | None) -> dict[str, str]:
    parts = record, window.reference, window.window, window.history, IMPORTANCE
    return {
        "page": unescape(monitoring_page(*parts, decision=decision)),
        "alert": " ".join(line for message in alert_messages(record, decision) for line in message.lines),
        "screen": summary({"churn": Lifecycle(monitoring=record, trigger=decision)}, "data"),
    }


@pytest.mark.parametrize("seed", range(50))
def test_page_alert_metrics_and_screen_say_what_the_record_of_retraining_decided(window: Observed, seed: int) -> None:
    record = monitored(seed, window.record)
    decision = decided(seed, record)
    metrics = prometheus_text(record, decision)
    for place, text in said(window, record, decision).items():
        assert set(OTHERS.findall(text)) == {OTHERS.search(SENTENCES[decision.status])[0]}, place  # type: ignore[index]
        assert not UNDECIDED.search(text), place
    assert f'evergreen_retrain_trigger{{use_case="churn",version="7"}} {float(decision.fired)!r}' in metrics


@pytest.mark.parametrize("seed", range(50))
def test_until_that_is_decided_for_this_window_all_of_them_say_the_reasons(window: Observed, seed: int) -> None:
    record = monitored(seed, window.record)
    earlier = decided(seed, record.model_copy(update={"as_of": DAY.replace(day=1)}))
    for decision in (None, earlier):
        for place, text in said(window, record, decision).items():
            assert UNDECIDED.search(text), place
            assert not OTHERS.search(text), place
        metrics = prometheus_text(record, decision)
        assert f'evergreen_retrain_reasons{{use_case="churn",version="7"}} {float(len(record.asking))!r}' in metrics
        assert "evergreen_retrain_trigger{" not in metrics


def test_a_record_of_the_time_when_monitoring_decided_is_read_with_its_reasons(window: Observed) -> None:
    former = window.record.model_dump(mode="json", exclude={"reasons"})
    reason = {"source": "drift", "found": "income drifted", "allowed": "below high"}
    former["trigger"] = {"retrain": True, "status": "retrain", "reasons": [reason], "blockers": [], "policy": {}}
    read = MonitoringRecord.model_validate(former)
    assert [check.sentence for check in read.asking] == ["drift fails: income drifted, allowed below high."]
