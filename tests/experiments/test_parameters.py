"""What an experiment may be, and what its plan says."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evergreen.errors import EvergreenError
from evergreen.experiments.parameters import ExperimentParameters, ExperimentPolicy
from evergreen.experiments.plan import Expected, expected_of, plan_experiment

GAINS = {"true_positive": 10.0, "false_positive": -1.0}


@pytest.mark.parametrize("mode", ["replay", "shadow"])
def test_a_paired_mode_is_refused_where_decisions_change_the_outcome(mode: str) -> None:
    with pytest.raises(ValidationError, match="says nothing of what the other version's answer would have brought"):
        ExperimentPolicy(name="x", mode=mode, feedback="decision_changes_outcome")


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"metric": {"kind": "binary"}}, "the same whichever version scored a request"),
        ({"metric": {"kind": "continuous", "column": "revenue"}}, "the same whichever version"),
        ({"variants": {"only": None}}, "name two"),
        ({"variants": {"a": {"weight": 0}, "b": {"weight": 0}}}, "no variant has a weight above 0"),
        ({"variants": {"a": {"weight": -1}, "b": None}}, "greater than or equal to 0"),
        ({"metric": {"kind": "value"}}, "needs gains"),
        ({"mode": "split", "metric": {"kind": "ratio", "column": "a"}}, "needs column"),
        ({"metric": {"kind": "roc_auc", "column": "a"}}, "leave column out"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "is not after start"),
        ({"looks": 0}, "greater than or equal to 1"),
        ({"covariate": "income"}, "of use in a split"),
    ],
)
def test_a_definition_that_cannot_be_is_refused_in_words(block: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ExperimentPolicy(name="x", **block)


def test_a_variant_is_the_version_that_its_name_says_or_a_number() -> None:
    made = ExperimentPolicy(name="x", variants={"champion": None, "new": {"version": 3, "weight": 0.25}})
    assert {name: one.version for name, one in made.variants.items()} == {"champion": "champion", "new": "3"}
    assert made.weights == {"champion": 1.0, "new": 0.25}


def test_an_active_experiment_must_be_defined() -> None:
    with pytest.raises(ValidationError, match="active is winter, which is not defined; defined: summer"):
        ExperimentParameters(active="winter", defined={"summer": {}})
    assert ExperimentParameters(active="summer", defined={"summer": {}}).running.name == "summer"


def test_losses_are_better_when_they_decrease() -> None:
    assert ExperimentPolicy(name="x", metric={"kind": "brier"}).metric.better == -1
    assert ExperimentPolicy(name="x", metric={"kind": "roc_auc"}).metric.better == 1


def test_a_paired_plan_needs_a_small_part_of_a_split_s_rows() -> None:
    """925 requests paired against 22,281 split: AUC .790 → .806, correlation .94, one-sided 5 %."""
    metric = {"kind": "roc_auc", "minimum_effect": 0.016}
    made = ExperimentPolicy(name="x", metric=metric, alpha=0.1, looks=1)
    plan = plan_experiment(made, Expected(0.79, None, 0.42, correlation=0.94), 500.0, 500.0)
    replay, shadow, split = plan.modes
    assert replay.rows == shadow.rows == plan.planned_rows
    assert 20 < split.rows / shadow.rows < 40
    assert (shadow.days, shadow.power) == (-(-shadow.rows // 500), pytest.approx(0.8, abs=0.005))


def test_a_plan_says_which_mode_cannot_answer_and_that_uneven_arms_cost_rows() -> None:
    block = {"mode": "split", "feedback": "decision_changes_outcome", "metric": {"kind": "binary"}, "looks": 1}
    even = plan_experiment(ExperimentPolicy(name="x", **block), Expected(0.1, 0.3, 0.1), None, None)
    weights = {"champion": {"weight": 0.9}, "challenger": {"weight": 0.1}}
    uneven = plan_experiment(ExperimentPolicy(name="x", variants=weights, **block), Expected(0.1, 0.3, 0.1), None, None)
    assert even.planned_rows == pytest.approx(2 * 14_750.79, abs=2)
    assert uneven.planned_rows == pytest.approx(even.planned_rows / 0.36, rel=1e-3)
    assert even.sentences[0] == "replay cannot answer: its decisions change the outcome."
    assert "no traffic yet" in even.sentences[2]


def test_a_plan_without_any_knowledge_asks_for_planned_rows() -> None:
    made = ExperimentPolicy(name="x", mode="split", metric={"kind": "continuous", "column": "revenue"})
    with pytest.raises(EvergreenError, match="set planned_rows"):
        plan_experiment(made, None, None, None)
    assert plan_experiment(made.model_copy(update={"planned_rows": 500}), None, None, None).planned_rows == 500


def test_what_the_champions_scores_say_of_each_metric() -> None:
    y, scores = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]

    def expected(**metric: object) -> Expected:
        return expected_of(ExperimentPolicy(name="x", mode="split", metric=metric, gains=GAINS), y, scores, 0.5)

    assert expected(kind="roc_auc").value == 0.75
    assert expected(kind="accuracy").value == 0.5
    assert expected(kind="value").value == pytest.approx((10 - 1) / 4)
    assert expected(kind="binary").value == 0.5
    assert expected(kind="continuous", column="revenue") is None
