"""Claims about retraining as it is wired, in memory."""

from __future__ import annotations

import numpy as np
import pytest

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.pipelines.retraining.challenger import judged_from
from evergreen.retraining.contenders import RowPool
from evergreen.retraining.parameters import CandidatePolicy, GatePolicy, RetrainingParameters, TriggerPolicy
from tiny_use_case import Kept, TinyUseCase, people

pytestmark = pytest.mark.slow

BEFORE = ("feature_engineering", "training", "evaluation", "monitoring")


def test_without_a_reason_nothing_is_trained(mlflow_store: object) -> None:
    quiet = TinyUseCase()
    quiet.run(*BEFORE, "retraining")
    assert quiet["trigger"].fired is False
    assert (quiet["retraining"].status, quiet["retraining"].challenger) == ("not_needed", None)
    assert len(registry.list_versions(quiet.name)) == 1


def test_a_gate_does_not_stop_what_has_no_reason(mlflow_store: object) -> None:
    quiet = TinyUseCase()
    quiet.kept["params:retraining"] = Kept(RetrainingParameters(gate=GatePolicy(min_rows=5000)))
    quiet.run(*BEFORE, "retraining")
    assert (quiet["retraining"].status, quiet["quality_gate"].status) == ("not_needed", "skipped")


def test_a_world_that_turned_round_brings_a_champion_that_knows_it(mlflow_store: object) -> None:
    turned = TinyUseCase(current=people(3000, 2, "2026-02-28", effect=-1.5))
    turned.run(*BEFORE, "retraining")
    record = turned["retraining"]
    assert record.status == "promoted"
    assert (record.champion.before, record.champion.after) == ("1", "2")
    assert registry.aliases_of(turned.name) == {"champion": "2"}
    assert turned["validation"].look == 1


def test_a_gate_that_fails_stops_it_in_a_sentence(mlflow_store: object) -> None:
    few = TinyUseCase(current=people(3000, 2, "2026-02-28", effect=-1.5))
    few.kept["params:retraining"] = Kept(RetrainingParameters(gate=GatePolicy(min_rows=5000)))
    few.run(*BEFORE)
    with pytest.raises(EvergreenError, match="the quality gate stopped retraining because rows is 3,000"):
        few.run("retraining")
    assert registry.aliases_of(few.name) == {"champion": "1"}


def test_too_few_rows_end_well_and_say_so(mlflow_store: object) -> None:
    few = TinyUseCase(current=people(500, 2, "2026-02-28", effect=-1.5))
    policy = GatePolicy(min_share_of_usual=1.0)
    few.kept["params:retraining"] = Kept(
        RetrainingParameters(gate=policy, trigger=TriggerPolicy(min_new_labelled_rows=100))
    )
    few.run(*BEFORE, "retraining")
    record = few["retraining"]
    assert (record.status, record.challenger) == ("too_little", None)
    assert record.reason.startswith("Too little to learn from: rows is 500 (allowed: at least ")
    assert registry.aliases_of(few.name) == {"champion": "1"}


class Days:
    """Rows of which the newest day alone counts."""

    def __init__(self, newest: int) -> None:
        self.day_numbers = np.array([newest])


@pytest.mark.parametrize(("newest", "start"), [(100, 100), (463, 100), (464, 436), (900, 800)])
def test_a_challenger_older_than_its_age_makes_room_for_one_that_the_newest_window_judges(
    newest: int, start: int
) -> None:
    pool = RowPool(Days(newest), np.array([True]), np.array([0.0]))  # type: ignore[arg-type]
    assert judged_from(pool, 100, CandidatePolicy(), 28) == start
    assert judged_from(pool, 100, CandidatePolicy(), 400) <= start
