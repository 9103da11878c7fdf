"""Claims about what starts a retraining and what holds one back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from evergreen.monitoring.quality import QualityReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check
from evergreen.retraining.new_evidence import NothingGained
from evergreen.retraining.parameters import RefreshPolicy, TriggerPolicy
from evergreen.retraining.trigger import ChampionsAge, RetrainingTrigger, decide_trigger

TODAY = dt.date(2026, 3, 1)
OLD = ChampionsAge(
    version="1", retrained=False, days_since_training=90, days_since_retraining=None, new_labelled_rows=5000
)
FELL = Check(passed=False, name="performance", found="roc_auc fell by 0.200 to 0.600", allowed="0.750")


def monitored(*reasons: Check, share: float = 0.0, blockers: tuple[Check, ...] = ()) -> MonitoringRecord:
    """A record of which only what the rules read is real."""
    breadth = Check(name="breadth", passed=share <= 0.5, found=f"{share:.0%} of columns drifted", allowed="50%")
    return MonitoringRecord.model_construct(
        use_case="churn",
        as_of=TODAY,
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


def after_nothing(times: int, rows: int, **fields: Any) -> ChampionsAge:
    """A champion of which retrainings found nothing to gain, and ``rows`` that are new since the last of them."""
    vain = NothingGained(
        as_of=dt.date(2026, 2, 1), times=times, new_labelled_rows=5000, effects={"performance": 0.2, "drift": 0.5}
    )
    known = {"dated": True, "nothing_gained": vain, "new_labelled_rows": 5000 + rows, **fields}
    return ChampionsAge(**{**vars(OLD), **known})


@pytest.mark.parametrize(("times", "needed"), [(1, 1000), (2, 2000), (3, 4000), (4, 8000), (9, 8000)])
def test_a_retraining_that_found_nothing_to_gain_makes_the_next_wait_for_rows(times: int, needed: int) -> None:
    steady = FELL.model_copy(update={"effect": 0.2})
    held = asked(monitored(steady), after_nothing(times, needed - 1))
    assert (held.status, [each.name for each in held.holds if not each.passed]) == ("held", ["new evidence"])
    assert f"at least {needed:,} labelled rows" in held.reasons[0]
    assert asked(monitored(steady), after_nothing(times, needed)).fired


def test_a_larger_effect_or_a_rule_that_had_not_asked_ends_the_waiting() -> None:
    for effect, fires in ((0.24, False), (0.25, True)):
        assert asked(monitored(FELL.model_copy(update={"effect": effect})), after_nothing(4, 0)).fired is fires
    other = Check(passed=False, name="estimate", found="found", allowed="allowed", effect=0.06)
    trigger = asked(monitored(other), after_nothing(4, 0))
    assert trigger.fired
    assert trigger.effects == {"estimate": 0.06}


def test_without_dates_the_waiting_counts_days_for_snapshots_replace_each_other() -> None:
    assert not asked(monitored(FELL), after_nothing(4, 0, dated=False)).fired
    assert asked(monitored(FELL), after_nothing(3, 0, dated=False)).fired


def test_vain_retrainings_remember_the_largest_effects_and_a_day_counts_once() -> None:
    first = NothingGained(as_of=dt.date(2026, 2, 1), times=1, new_labelled_rows=10, effects={"drift": 0.5})
    again = first.and_again(dt.date(2026, 2, 1), 10, {"drift": 0.4, "age": 3.0}, grown=True)
    assert (again.times, again.effects) == (1, {"drift": 0.5, "age": 3.0})
    assert again.and_again(dt.date(2026, 2, 8), 20, {}, grown=False).times == 2


def test_once_the_loss_has_grown_what_was_vain_before_lengthens_no_wait_for_rows() -> None:
    collapse = FELL.model_copy(update={"effect": 0.5})
    before = after_nothing(4, 100)
    trigger = asked(monitored(collapse), before)
    assert (trigger.fired, trigger.grown) == (True, ("performance",))
    assert before.nothing_gained is not None
    vain = before.nothing_gained.and_again(trigger.as_of, 5100, trigger.effects, trigger.loss_grew)
    assert (vain.times, vain.before) == (1, 4)
    later = replace(before, nothing_gained=vain, new_labelled_rows=5100 + 1000)
    steady = asked(monitored(collapse), later)
    assert (steady.fired, steady.grown) == (True, ())
    assert not asked(monitored(collapse), replace(later, new_labelled_rows=5100 + 999)).fired


def test_inputs_that_move_further_end_a_wait_and_let_the_next_be_as_long() -> None:
    moved = Check(passed=False, name="drift", found="found", allowed="allowed", effect=0.9)
    trigger = asked(monitored(moved), after_nothing(3, 0))
    assert (trigger.fired, trigger.grown, trigger.loss_grew) == (True, ("drift",), False)


REFRESH = RefreshPolicy()


@pytest.mark.parametrize(
    ("age", "status"),
    [
        ({"days_since_training": 27}, "quiet"),
        ({"days_since_training": 28}, "refresh"),
        ({"days_since_training": 90, "days_since_refresh": 27, "refreshes_in_vain": 1}, "quiet"),
        ({"days_since_training": 90, "days_since_refresh": 28, "refreshes_in_vain": 1}, "refresh"),
        ({"days_since_training": 90, "days_since_refresh": 55, "refreshes_in_vain": 2}, "quiet"),
        ({"days_since_training": 90, "days_since_refresh": 56, "refreshes_in_vain": 2}, "refresh"),
        ({"days_since_training": 90, "dated": False}, "quiet"),
        ({"days_since_training": 90, "new_labelled_rows": 10}, "quiet"),
    ],
)
def test_without_a_reason_a_refresh_is_due_every_four_weeks_and_rarer_after_vain_ones(
    age: dict[str, Any], status: str
) -> None:
    champion = ChampionsAge(**{**vars(OLD), "dated": True, **age})
    trigger = decide_trigger(monitored(), champion, TriggerPolicy(), REFRESH)
    assert (trigger.status, trigger.fired) == (status, status == "refresh")
    off = decide_trigger(monitored(), champion, TriggerPolicy(), RefreshPolicy(every_days=0))
    assert (off.status, off.refresh_due) == ("quiet", False)


@pytest.mark.parametrize(
    ("vain", "refreshes", "days", "due"),
    [(1, 0, 27, False), (1, 0, 28, True), (2, 0, 55, False), (2, 0, 56, True), (1, 1, 55, False), (1, 1, 56, True)],
)
def test_a_retraining_that_found_nothing_to_gain_was_a_refresh_in_vain_too(
    vain: int, refreshes: int, days: int, due: bool
) -> None:
    tried = NothingGained(as_of=TODAY - dt.timedelta(days=days), times=vain, new_labelled_rows=0)
    champion = ChampionsAge(
        **{**vars(OLD), "dated": True, "nothing_gained": tried, "refreshes_in_vain": refreshes,
           "days_since_training": 300, "days_since_refresh": 200 if refreshes else None}
    )  # fmt: skip
    trigger = decide_trigger(monitored(), champion, TriggerPolicy(), REFRESH)
    assert trigger.refresh_due is due
    assert f"{days} days since newer rows were last tried ({vain + refreshes} times in vain)" in str(trigger.rules[-1])


def test_a_reason_that_waits_for_new_evidence_does_not_hold_up_a_refresh() -> None:
    champion = after_nothing(1, 100)
    trigger = decide_trigger(monitored(FELL.model_copy(update={"effect": 0.2})), champion, TriggerPolicy(), REFRESH)
    assert (trigger.status, trigger.refresh_due) == ("refresh", True)
    broken = Check(passed=False, name="schema", where="age", found="missing", allowed="number")
    assert decide_trigger(monitored(blockers=(broken,)), champion, TriggerPolicy(), REFRESH).status == "quiet"
