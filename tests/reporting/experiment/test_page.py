"""What people read of an experiment."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from evergreen.experiments.describe import VariantFigures
from evergreen.experiments.looks import PlannedLook
from evergreen.experiments.parameters import ExperimentPolicy
from evergreen.experiments.plan import Expected, plan_experiment
from evergreen.experiments.record import ExperimentRecord, skipped
from evergreen.reporting.experiment.messages import experiment_messages
from evergreen.reporting.experiment.page import experiment_page, experiment_verdict

DAY = dt.date(2026, 3, 31)
LOOK = PlannedLook(
    number=1, day=DAY, rows=900, information=0.2, difference=0.02, statistic=3.1, bound=4.6, crossed="no"
)


def record(**change: Any) -> ExperimentRecord:
    experiment = ExperimentPolicy(name="<winter>")
    figures = {"weight": 1.0, "units": 900, "rows": 900, "known": 900, "histogram": (0.1,) * 10}
    base = {
        "use_case": "churn", "as_of": DAY, "status": "keep_running", "experiment": "<winter>", "mode": "shadow",
        "metric": "ROC AUC", "reasons": ("900 of 4,600 planned rows are known.",), "looks": (LOOK,),
        "plan": plan_experiment(experiment, Expected(0.8, None, 0.3), 100.0, 90.0),
        "variants": tuple(VariantFigures(name=name, version=name, **figures) for name in ("1", "2")),
    }  # fmt: skip
    return ExperimentRecord(**{**base, **change})


def test_the_page_says_verdict_plan_and_looks_and_fetches_nothing() -> None:
    page = experiment_page(record())
    for told in ("keep running", "900 of 4,600 planned rows", "shadow: 4,", "Power against rows", "look 1"):
        assert told in page
    assert "<winter>" not in page
    assert "&lt;winter&gt;" in page
    assert "http" not in page
    assert len(page) < 400_000


def test_a_run_without_an_experiment_has_a_page_that_says_so() -> None:
    assert "No experiment is active" in experiment_page(skipped("churn", DAY, "No experiment is active."))


@pytest.mark.parametrize(
    ("now", "before", "messages"),
    [
        ({"status": "ship"}, None, 1),
        ({"status": "ship"}, {"status": "keep_running"}, 1),
        ({"status": "ship"}, {"status": "ship"}, 0),
        ({"status": "ship"}, {"status": "ship", "experiment": "autumn"}, 1),
        ({"status": "ship", "simulated": True}, None, 0),
        ({"status": "keep_running"}, None, 0),
        ({"status": "invalid"}, {"status": "invalid", "simulated": True}, 1),
    ],
)
def test_a_verdict_is_told_once(now: dict[str, Any], before: dict[str, Any] | None, messages: int) -> None:
    past = None if before is None else record(**before)
    assert len(experiment_messages(record(**now), past)) == messages


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("ship", "kedro models promote --experiment <winter> --use-case churn"),
        ("roll_back", "End the experiment"),
        ("invalid", "begin anew"),
        ("keep_running", "Wait"),
    ],
)
def test_the_first_lines_say_what_was_found_since_when_and_what_to_do(status: str, advice: str) -> None:
    told = experiment_verdict(record(status=status, days=9, begun=DAY))
    assert told.headline.endswith(": 900 of 4,600 planned rows are known.")
    assert [question for question, _ in told.answers] == ["Is it healthy", "Since when", "What to do"]
    assert "9 days, since 2026-03-31" in dict(told.answers)["Since when"]
    assert advice in dict(told.answers)["What to do"]
