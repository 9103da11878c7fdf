"""Claims about the retraining that a whole run contains, and about its exit codes."""

from __future__ import annotations

from typing import Any

import pytest

STEPS = ("quality_gate", "trigger", "challenger", "validation", "retraining")


def test_the_default_story_is_a_quiet_use_case_and_one_that_is_retrained(lived: Any) -> None:
    quiet, moved = (lived.record(name, "retraining") for name in ("high_value_sales", "churn"))
    assert quiet["status"] == "not_needed"
    assert (quiet["challenger"], quiet["validation"]) == (None, None)
    assert quiet["champion"]["before"] == quiet["champion"]["after"]
    assert moved["status"] == "promoted"
    assert moved["champion"]["before"] != moved["champion"]["after"] == moved["challenger"]["version"]
    assert moved["validation"]["decision"] == "promote"
    assert moved["validation"]["ci"][0] > 0
    assert moved["validation"]["difference"] >= 0.01


def test_the_record_has_the_shape_that_orchestrators_read(lived: Any) -> None:
    for use_case in ("high_value_sales", "churn"):
        record = lived.record(use_case, "retraining")
        assert {"use_case", "as_of", "status", "quality_gate", "trigger", "challenger", "validation", "champion"} <= (
            record.keys()
        )
        assert record["use_case"] == use_case
        assert record["quality_gate"]["passed"] is True
        assert record["trigger"].keys() >= {"fired", "reasons"}
        assert record["trigger"]["reasons"]
        assert record["champion"].keys() == {"before", "after"}
        assert {name for name in STEPS if lived.record(use_case, name)["as_of"] == record["as_of"]} == set(STEPS)


def test_rules_that_fired_and_rules_that_did_not_are_told_with_numbers(lived: Any) -> None:
    rules = {rule["name"]: rule for rule in lived.record("churn", "retraining")["trigger"]["rules"]}
    assert not rules["performance"]["passed"]
    assert "roc_auc fell by" in rules["performance"]["found"]
    assert rules["breadth"]["passed"]
    assert rules["breadth"]["found"].endswith("% of columns drifted")


def test_after_a_concept_change_the_recent_rows_are_chosen(lived: Any) -> None:
    challenger = lived.record("churn", "retraining")["challenger"]
    assert challenger["choice"] == "recent"
    by_choice = {row["choice"]: row["recent_roc_auc"] for row in challenger["contenders"]}
    assert by_choice["recent"] > by_choice["recency_weighted"] > by_choice["all"]


def test_the_screen_tells_alarm_decision_and_champion(lived: Any) -> None:
    screen = (lived.data / "first_run.txt").read_text()
    assert "retraining promoted" in screen
    assert "retraining not needed" in screen
    assert "champion   version 1 → 2" in screen


@pytest.mark.parametrize("step", ["decide_trigger", "check_quality"])
def test_a_step_runs_by_itself_from_the_records_on_disk(relived: Any, step: str) -> None:
    done = relived.run("--pipelines=retraining", f"--nodes=high_value_sales.retraining.{step}")
    assert done.returncode == 0, done.stderr


def test_a_run_after_the_promotion_judges_the_new_champion_on_rows_that_it_has_not_seen(lived_twice: Any) -> None:
    evaluation, retraining = (lived_twice.record("churn", name) for name in ("evaluation", "retraining"))
    assert evaluation["version"] == retraining["champion"]["after"]
    judged = evaluation["metrics"]["test"]["roc_auc"]["value"]
    assert judged == pytest.approx(retraining["validation"]["challenger_auc"])


def test_what_people_read_speaks_of_the_version_that_serves_after_the_retraining(lived: Any) -> None:
    folder = lived.data / "08_reporting" / "churn"
    serving = lived.record("churn", "serving")["version"]
    assert lived.record("churn", "evaluation")["version"] == serving
    assert (folder / "model_card.md").read_text().startswith(f"# churn · version {serving}\n")
    for page in ("model_card.html", "monitoring.html"):
        assert f"Version {serving} (LogisticRegression) serves" in (folder / page).read_text()
    assert (
        f'evergreen_serving_version{{use_case="churn",version="{serving}"}}' in (folder / "monitoring.prom").read_text()
    )
    assert f"version {serving}" in (folder / "pictures" / "roc.json").read_text()
