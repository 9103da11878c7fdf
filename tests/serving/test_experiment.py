"""An experiment from request to verdict to champion: two real versions under shadow, replay and split."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from small_service import Service

from evergreen import registry
from evergreen.commands.promoting import promote_by_experiment
from evergreen.datasets.prediction_log.compaction import collect
from evergreen.datasets.prediction_log.dataset import ServicePredictionsDataset
from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.errors import EvergreenError
from evergreen.experiments import assign
from evergreen.experiments.parameters import ExperimentParameters, ExperimentPolicy
from evergreen.modelling.parameters import ScoringParameters
from evergreen.serving.answering import Answering
from evergreen.serving.experiment import challenger_of, described, refuse_other_features, with_experiment
from evergreen.serving.loader import export
from evergreen.serving.served import FACTS_FILE, Served
from evergreen.serving.settings import ServingSettings
from tiny_use_case import TABLE, Kept, KeptOnceMade, TinyUseCase, people

pytestmark = pytest.mark.slow

STRONG, WEAK = "1", "2"
ASKED = 900


@pytest.fixture(scope="module")
def rivals(mlflow_store: Path) -> TinyUseCase:
    """A good version that is not served, and one that learnt from a few customers of another world, which is."""
    tiny = TinyUseCase()
    tiny.run("feature_engineering", "training", "evaluation")
    tiny.kept["customers"] = Kept(ibis.memtable(people(150, 9, "2026-01-31", effect=0.15)))
    tiny.run("feature_engineering", "training")
    registry.clear_challenger(tiny.name)
    tiny.kept["params:as_of"] = KeptOnceMade()
    return tiny


def experiment(**block: Any) -> ExperimentParameters:
    variants = {"champion": {"version": "champion"}, "new": {"version": STRONG}}
    policy = {"minimum_days": 1, "planned_rows": 400, "variants": variants, **block}
    return ExperimentParameters(active="winter", defined={"winter": policy})


def serve(tiny: TinyUseCase, experiments: ExperimentParameters, folder: Path) -> pd.DataFrame:
    """Ask the service's worker about every customer, half of them in one batch; returns who asked."""
    settings = with_experiment(ServingSettings(), experiments.running)
    worker = Answering(settings, folder, SegmentWriter(folder / "log"))
    worker.use(*(Served(export(tiny.name, number, folder / "exports")) for number in (WEAK, STRONG)))
    asked = people(ASKED, 7, "2026-03-31")
    lines = [json.dumps(line).encode() for line in asked[["age", "balance", "region", "customer"]].to_dict("records")]
    for line in lines[: ASKED // 2]:
        row, values = worker.served.read_row(line)
        worker.one(worker.served, row, values, time.perf_counter())
    rows = [worker.served.read_row(line)[0] for line in lines[ASKED // 2 :]]
    worker.record(worker.served, worker.score(worker.served, rows, time.perf_counter(), 1))
    worker.close()
    return asked


def collected(asked: pd.DataFrame, folder: Path) -> ServicePredictionsDataset:
    """The log as the table that experiments read, with outcomes that came on the same day."""
    today = dt.datetime.now(dt.UTC).date()
    collect(folder / "log", folder / "table", TABLE, ScoringParameters(), today)
    labels = pd.DataFrame({"entity_id": asked["customer"].astype(str), "label": asked["left"], "date": today})
    labels.assign(observed_at=pd.Timestamp(today)).to_parquet(folder / "labels.parquet")
    return ServicePredictionsDataset(str(folder / "table"), str(folder / "labels.parquet"))


def analysed(tiny: TinyUseCase, experiments: ExperimentParameters, source: Any) -> Any:
    tiny.kept |= {"params:experiments": Kept(experiments), "exposures": source, "past_experiment": KeptOnceMade()}
    tiny.run("ab_testing")
    tiny.kept["past_experiment"] = Kept(tiny["experiment"])
    return tiny["experiment"]


def promote(tiny: TinyUseCase, experiments: ExperimentParameters, name: str = "winter") -> Any:
    catalog = SimpleNamespace(load=lambda entry: tiny[entry.removeprefix(f"{tiny.name}.")])
    blocks = {"experiments": experiments.model_dump(), "evaluation": tiny["params:evaluation"].model_dump()}
    return promote_by_experiment(SimpleNamespace(catalog=catalog, params={tiny.name: blocks}), tiny.name, name)


@pytest.fixture
def weak_serves(rivals: TinyUseCase) -> TinyUseCase:
    present = registry.aliases_of(rivals.name).get(registry.CHAMPION)
    if present != WEAK:
        registry.move_champion(rivals.name, WEAK, present, "to be challenged")
    return rivals


def test_a_shadow_ships_and_the_judge_promotes_on_its_requests(weak_serves: TinyUseCase, tmp_path: Path) -> None:
    shadow = experiment(mode="shadow")
    source = collected(serve(weak_serves, shadow, tmp_path), tmp_path)
    record = analysed(weak_serves, shadow, source)
    assert (record.status, record.versions) == ("ship", {"champion": WEAK, "new": STRONG})
    assert record.known_rows == ASKED // 2  # a batch has no shadow

    replay = experiment(mode="replay", slices=["region"])
    again = analysed(weak_serves, replay, source)
    assert (again.status, again.known_rows) == ("ship", ASKED)

    analysed(weak_serves, shadow, source)
    outcome = promote(weak_serves, shadow)
    assert (outcome.outcome, outcome.champion_after) == ("promoted", STRONG)
    line = registry.audit(weak_serves.name)[-1]
    assert {name: line.evidence[name] for name in ("evidence", "experiment", "decision")} == {
        "evidence": "shadow", "experiment": "winter", "decision": "promote",
    }  # fmt: skip
    assert line.evidence["look"] == outcome.decision.look >= 1
    with pytest.raises(EvergreenError, match="and the champion is version 1: nothing was changed"):
        promote(weak_serves, shadow)


def test_a_replay_of_what_a_shadow_logged_gives_its_numbers(weak_serves: TinyUseCase, tmp_path: Path) -> None:
    source = collected(serve(weak_serves, experiment(mode="shadow"), tmp_path), tmp_path)
    predictions = source.load()
    requests = predictions.filter(~predictions["request_id"].re_search("-b1-"))  # the batch had no shadow
    shadow = analysed(weak_serves, experiment(mode="shadow"), Kept(requests)).primary
    replay = analysed(weak_serves, experiment(mode="replay"), Kept(requests)).primary
    assert replay.comparison.model_dump() == pytest.approx(shadow.comparison.model_dump(), abs=1e-12)


def test_a_split_ships_and_its_verdict_stands_in_place_of_the_comparison(
    weak_serves: TinyUseCase, tmp_path: Path
) -> None:
    split = experiment(mode="split", salt="s", metric={"kind": "accuracy"}, planned_rows=800)
    asked = serve(weak_serves, split, tmp_path)
    source = collected(asked, tmp_path)
    rows = source.load().select("entity_id", "variant", "model_version").execute()
    met = dict(zip(rows["entity_id"], rows["variant"], strict=True))
    names = {"champion": "champion", "new": "challenger"}
    weights = split.running.weights
    assert met == {key: names[assign(key, "winter", weights, "s")] for key in asked["customer"].astype(str)}
    assert set(zip(rows["variant"], rows["model_version"], strict=True)) == {("champion", WEAK), ("challenger", STRONG)}

    record = analysed(weak_serves, split, source)
    assert (record.status, record.sample_ratio.p_value > 0.001) == ("ship", True)
    outcome = promote(weak_serves, split)
    assert (outcome.outcome, outcome.champion_after) == ("promoted", STRONG)
    decision = outcome.decision
    assert (decision.evidence, decision.against, decision.experiment) == ("split", "floor", "winter")
    assert "calibration" in {check.name for check in decision.checks}
    assert decision.reasons[0].startswith("new is better: accuracy")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"simulated": True}, "is of made-up traffic"),
        ({"status": "keep_running"}, "says keep running, not ship"),
        ({"status": "invalid"}, "says invalid, not ship"),
        ({"experiment": "summer"}, "has no record; the newest record is of summer"),
    ],
)
def test_what_does_not_say_ship_promotes_nothing(weak_serves: TinyUseCase, change: dict[str, Any], told: str) -> None:
    from evergreen.experiments.record import ExperimentRecord

    base = {"use_case": weak_serves.name, "as_of": "2026-03-31", "status": "ship", "experiment": "winter"}
    made = ExperimentRecord(**{**base, "reasons": ("so it is.",), **change})
    weak_serves.kept["past_experiment"] = Kept(made)
    with pytest.raises(EvergreenError, match=told):
        promote(weak_serves, experiment())


def test_the_service_takes_its_routing_from_the_running_experiment() -> None:
    weights = {"champion": {"version": "champion", "weight": 3}, "new": {"version": 4, "weight": 1}}
    split = ExperimentPolicy(name="winter", mode="split", salt="s", variants=weights)
    routing = with_experiment(ServingSettings(), split).routing
    assert (routing.experiment, routing.challenger, routing.challenger_share, routing.shadow) == (
        "winter",
        "4",
        0.25,
        False,
    )
    assert with_experiment(ServingSettings(), ExperimentPolicy(name="w", mode="replay")) == ServingSettings()
    own = ServingSettings(routing={"experiment": "mine"})
    assert with_experiment(own, split) == own


def test_who_takes_part_is_found_by_alias_or_number_and_told() -> None:
    routing = with_experiment(ServingSettings(), ExperimentPolicy(name="winter")).routing
    assert challenger_of(routing, "1", {"champion": "1", "challenger": "2"}) == "2"
    assert challenger_of(routing, "1", {"champion": "1"}) is None
    assert challenger_of(routing, "2", {"champion": "2", "challenger": "2"}) is None
    assert described(routing, "1", "2")["mode"] == "shadow"
    assert "everyone gets the champion" in described(routing, "1", None)["because"]


def test_an_experiment_against_another_version_than_the_one_to_serve_is_refused() -> None:
    made = ExperimentPolicy(name="w", variants={"old": {"version": 3}, "new": {"version": 4}})
    assert with_experiment(ServingSettings(), made).version == "3"
    with pytest.raises(EvergreenError, match="compares with version 3, and the service is told to serve version 5"):
        with_experiment(ServingSettings(version="5"), made)


def test_a_challenger_that_reads_other_features_is_refused(tmp_path: Path) -> None:
    for name, numeric in (("1", ["a", "b"]), ("2", ["a"])):
        (tmp_path / name).mkdir()
        facts = {"version": name, "numeric": numeric, "categorical": []}
        (tmp_path / name / FACTS_FILE).write_text(json.dumps(facts))
    with pytest.raises(EvergreenError, match=r"version 2 reads other features than version 1 \(b\)"):
        refuse_other_features(tmp_path / "1", tmp_path / "2")


def test_requests_that_a_version_may_have_learnt_from_are_left_out(weak_serves: TinyUseCase) -> None:
    manifests = [registry.load(weak_serves.name, number).manifest for number in (STRONG, WEAK)]
    frame = pd.DataFrame({"entity_id": list(map(str, range(400))), "timestamp": pd.Timestamp("2026-01-15")})
    early = registry.unseen_requests(frame, manifests)
    assert 0.2 < early.mean() < 0.4  # customers that training never sees
    late = registry.unseen_requests(frame.assign(timestamp=pd.Timestamp("2027-01-15")), manifests)
    assert np.all(late)


def test_a_running_service_tells_its_experiment_and_who_answers(versions: Any, tmp_path: Path) -> None:
    routing = {"experiment": "winter", "challenger": versions.trees, "shadow": True}
    service = Service(tmp_path, {"routing": routing, "drift": {"enabled": False}}).start()
    try:
        told = service.ask("/health")[1]["experiment"]
        assert (told["name"], told["mode"], told["control"]) == ("winter", "shadow", versions.linear)
        assert told["treatment"] == versions.trees
        answer = service.ask("/predict", {"age": 41.0, "income": 1.5, "city": "A"})[1]
        assert (answer["variant"], answer["model_version"]) == ("champion", versions.linear)
    finally:
        service.stop()
    lines = [json.loads(line) for file in service.log.iterdir() for line in file.read_text().splitlines()]
    assert {(line["variant"], line["model_version"]) for line in lines} == {
        ("champion", versions.linear), ("shadow", versions.trees),
    }  # fmt: skip
