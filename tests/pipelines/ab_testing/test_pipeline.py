"""Claims about experiments as they are wired, in memory."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from evergreen import registry
from evergreen.experiments.parameters import ExperimentParameters
from tiny_use_case import Kept, KeptOnceMade, TinyUseCase, people

pytestmark = pytest.mark.slow

SHADOW = {"mode": "shadow", "variants": {"champion": {"version": 1}, "challenger": {"version": 2}}}


@pytest.fixture(scope="module")
def rivals(mlflow_store: object) -> TinyUseCase:
    """A use case with a champion and a version that was trained on fewer rows."""
    tiny = TinyUseCase()
    tiny.run("feature_engineering", "training", "evaluation")
    tiny.kept["customers"] = Kept(ibis.memtable(people(300, 9, "2026-01-31", effect=0.6)))
    tiny.run("feature_engineering", "training")
    return tiny


def defined(**block: Any) -> Kept:
    experiment = {"minimum_days": 1, "planned_rows": 400, **block}
    return Kept(ExperimentParameters(active="winter", defined={"winter": experiment}))


def logged(tiny: TinyUseCase, versions: dict[str, str], rows: int = 800) -> pd.DataFrame:
    """What the service logs: one row a variant and request, a shadow's under an id of its own."""
    asked = people(rows, 7, "2026-02-10")
    frame = pd.DataFrame({"request_id": [f"r{k}" for k in range(rows)], "entity_id": asked["customer"].astype(str)})
    frame["timestamp"] = pd.date_range("2026-02-10", periods=rows, freq="5min")
    frame["label"] = asked["left"].astype(str)
    frame = pd.concat([frame, asked[["age", "balance", "region"]]], axis=1)
    sides = []
    for variant, number in versions.items():
        version = registry.load(tiny.name, number)
        probability = registry.exact_probabilities(version)(asked)
        side = frame.assign(variant=variant, model_version=number, probability=probability, latency_ms=1.0)
        side["prediction"] = (probability >= version.manifest.threshold).astype(int)
        sides.append(side.assign(request_id=side["request_id"] + ("-shadow" if variant == "shadow" else "")))
    return pd.concat(sides, ignore_index=True)


def run(tiny: TinyUseCase, experiments: Kept, exposures: pd.DataFrame | None = None, **more: Kept) -> Any:
    tiny.kept |= {
        "params:experiments": experiments,
        "exposures": KeptOnceMade(),
        "params:simulate": Kept(False),
        **more,
    }
    if exposures is not None:
        tiny.kept["exposures"] = Kept(ibis.memtable(exposures))
    if "experiment" in tiny.kept:
        tiny.kept["past_experiment"] = Kept(tiny["experiment"])
    tiny.run("ab_testing")
    return tiny["experiment"]


def test_without_an_active_experiment_nothing_is_done(tiny: TinyUseCase) -> None:
    record = run(tiny, Kept(ExperimentParameters()))
    assert (record.status, tiny["experiment_messages"]) == ("skipped", [])


@pytest.mark.parametrize(("effect", "status"), [(0.0, "roll_back"), (0.08, "ship")])
def test_made_up_traffic_goes_the_way_of_real_one_and_alarms_nobody(
    tiny: TinyUseCase, effect: float, status: str
) -> None:
    traffic = {"effect": effect, "baseline": 0.3, "requests_per_day": 800}
    experiments = Kept(ExperimentParameters(simulation=traffic))
    record = run(tiny, experiments, **{"params:simulate": Kept(True)})
    assert (record.status, record.simulated, tiny["experiment_messages"]) == (status, True, [])
    assert "made-up traffic" in tiny["experiment_page"]


def test_before_the_first_request_there_is_a_plan(rivals: TinyUseCase) -> None:
    record = run(rivals, defined(planned_rows=None))
    assert record.status == "keep_running"
    assert [one.mode for one in record.plan.modes] == ["replay", "shadow", "split"]
    assert record.plan.modes[2].rows > 10 * record.plan.modes[1].rows
    assert "there is no traffic yet" in rivals["experiment_page"]


def test_a_shadow_that_is_worse_is_rolled_back_and_told_once(rivals: TinyUseCase) -> None:
    rows = logged(rivals, {"champion": "1", "shadow": "2"})
    record = run(rivals, defined(**SHADOW, slices=["region"]), rows)
    assert (record.status, record.versions) == ("roll_back", {"champion": "1", "challenger": "2"})
    assert {one.level for one in record.slices} == {"north", "south"}
    [message] = rivals["experiment_messages"]
    assert (message.title, message.version) == (f"{rivals.name}: experiment winter says roll back", "2")
    assert run(rivals, defined(**SHADOW, slices=["region"]), rows).status == "roll_back"
    assert rivals["experiment_messages"] == []


def test_a_version_that_does_not_exist_makes_the_experiment_invalid(rivals: TinyUseCase) -> None:
    gone = {"mode": "replay", "variants": {"champion": None, "challenger": {"version": 77}}}
    record = run(rivals, defined(**gone), logged(rivals, {"champion": "1"}, 20))
    assert record.status == "invalid"
    assert record.reasons == ("Variant challenger is version 77, which does not exist; registered: 1, 2.",)


def test_the_exact_predictor_is_the_registered_pipeline(rivals: TinyUseCase) -> None:
    version = registry.load(rivals.name, "1")
    rows = people(50, 3, "2026-02-28").assign(region=["north", None] * 25)
    np.testing.assert_allclose(registry.exact_probabilities(version)(rows), version.probabilities(rows), atol=1e-12)
