"""Claims about what starts a retraining and what holds one back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from evergreen.monitoring.quality import QualityReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check
from evergreen.retraining.parameters import TriggerPolicy
from evergreen.retraining.trigger import ChampionsAge, RetrainingTrigger, decide_trigger

OLD = ChampionsAge(
    version="1", retrained=False, days_since_training=90, days_since_retraining=None, new_labelled_rows=5000
)
FELL = Check(passed=False, name="performance", found="roc_auc fell by 0.200 to 0.600", allowed="0.750")


def monitored(*reasons: Check, share: float = 0.0, blockers: tuple[Check, ...] = ()) -> MonitoringRecord:
    """A record of which only what the rules read is real."""
    breadth = Check(name="breadth", passed=share <= 0.5, found=f"{share:.0%} of columns drifted", allowed="50%")
    return MonitoringRecord.model_construct(
        use_case="churn",
        as_of=dt.date(2026, 3, 1),
        version="1",
        reasons=(*reasons, *([breadth] if share else [])),
        quality=QualityReport(status="failed" if blockers else "ok", checks=blockers),
    )


def asked(record: MonitoringRecord, champion: ChampionsAge = OLD, **policy: Any) -> RetrainingTrigger:
    return decide_trigger(record, champion, TriggerPolicy(**policy))


def test_without_a_reason_nothing_is_retrained_and_each_rule_tells_what_it_saw() -> None:
    trigger = asked(monitored())
    assert (trigger.status, trigger.fired) == ("quiet", False)
    found = {rule.name: rule.found for rule in trigger.rules}
    assert found.pop("follow_up") == "no retraining made the champion"
    assert set(found.values()) == {"monitoring did not look at it"}


def test_a_decision_speaks_of_the_window_that_it_was_made_for_and_of_no_other() -> None:
    record = monitored(FELL)
    trigger = asked(record)
    assert trigger.speaks_of(record)
    for other in ({"version": "2"}, {"as_of": dt.date(2026, 3, 2)}, {"reasons": ()}):
        assert not trigger.speaks_of(record.model_copy(update=other))
    former = RetrainingTrigger.model_validate(trigger.model_dump(exclude={"watched", "evidence"}))
    assert not former.speaks_of(record)


def test_the_former_limit_of_breadth_is_refused_with_its_new_name() -> None:
    with pytest.raises(ValidationError, match=r"now monitoring\.reasons\.max_drifted_share"):
        TriggerPolicy.model_validate({"max_drifted_share": 0.4})


def test_a_reason_of_monitoring_without_a_rule_of_its_own_is_named() -> None:
    trigger = asked(monitored(Check(passed=False, name="predictions", found="found", allowed="allowed")))
    assert trigger.reasons == (
        "None of 6 rules fired. Monitoring's predictions would ask for it, but no such rule is chosen.",
    )


@pytest.mark.parametrize("source", ["performance", "estimate", "drift", "age"])
def test_a_reason_of_monitoring_fires_its_rule_and_only_where_the_rule_is_chosen(source: Any) -> None:
    reason = Check(passed=False, name=source, found="found", allowed="allowed")
    assert asked(monitored(reason)).fired
    assert [rule.name for rule in asked(monitored(reason)).rules if not rule.passed] == [source]
    others = tuple(rule for rule in TriggerPolicy().rules if rule != source)
    assert not asked(monitored(reason), rules=others).fired


def test_breadth_fires_above_its_share() -> None:
    assert asked(monitored(share=0.51)).fired
    assert not asked(monitored(share=0.5)).fired


def test_bad_data_blocks_and_never_fires() -> None:
    broken = Check(passed=False, name="schema", where="age", found="missing", allowed="number")
    assert asked(monitored(blockers=(broken,))).status == "quiet"
    trigger = asked(monitored(FELL, blockers=(broken,)))
    assert (trigger.status, trigger.fired) == ("blocked", False)
    assert trigger.reasons[0] == "Data unfit: age fails schema: missing, allowed number."


@pytest.mark.parametrize(
    ("champion", "hold"),
    [
        ({"days_since_retraining": 6}, "cool-down"),
        ({"new_labelled_rows": 999}, "new labelled rows"),
        ({"version": "2"}, "watched version"),
    ],
)
def test_each_hold_stops_a_rule_that_fired(champion: dict[str, Any], hold: str) -> None:
    trigger = asked(monitored(FELL), ChampionsAge(**{**vars(OLD), **champion}))
    assert (trigger.status, trigger.fired) == ("held", False)
    assert [each.name for each in trigger.holds if not each.passed] == [hold]
    assert trigger.reasons[0].startswith(f"Held back by {hold}")


def test_a_week_after_a_retraining_the_cool_down_is_over() -> None:
    assert asked(monitored(FELL), ChampionsAge(**{**vars(OLD), "days_since_retraining": 7})).fired


@pytest.mark.parametrize(("days", "rows", "fires"), [(42, 1000, True), (43, 1000, False), (42, 999, False)])
def test_a_young_champion_of_a_retraining_is_challenged_by_new_rows_alone(days: int, rows: int, fires: bool) -> None:
    young = ChampionsAge("1", True, days, 14, rows)
    assert asked(monitored(), young).fired is fires
    assert asked(monitored(), young, min_new_labelled_rows=0).status == ("fired" if days <= 42 else "quiet")
