"""What a worker does with a row, without any process around it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from small_service import USE_CASE

from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.experiments import assign
from evergreen.serving.answering import Answering, Clock
from evergreen.serving.counters import read_predictions
from evergreen.serving.loader import export
from evergreen.serving.refusals import Refusal
from evergreen.serving.served import Served
from evergreen.serving.settings import ServingSettings

ROW = {"age": 41.0, "income": 1.5, "city": "A"}


@pytest.fixture(scope="module")
def exported(versions, tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, Served]:
    folder = tmp_path_factory.mktemp("exports")
    return Served(export(USE_CASE, versions.linear, folder)), Served(export(USE_CASE, versions.trees, folder))


def answering(folder: Path, **settings: Any) -> Answering:
    return Answering(ServingSettings(**settings), folder, SegmentWriter(folder / "log"))


def ask(worker: Answering, **more: Any) -> dict[str, Any]:
    row, values = worker.served.read_row(json.dumps({**ROW, **more}).encode())
    return dict(json.loads(worker.one(worker.served, row, values, time.perf_counter())))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted((folder / "log").iterdir()) for line in file.read_text().splitlines()]


def test_an_answer_is_in_the_log_before_it_is_returned(exported, tmp_path: Path) -> None:
    worker = answering(tmp_path)
    worker.use(exported[0])
    answer = ask(worker, id=17)
    (line,) = lines(tmp_path)
    assert {name: line[name] for name in ("request_id", "timestamp", "probability", "prediction")} == {
        name: answer[name] for name in ("request_id", "timestamp", "probability", "prediction")
    }
    assert line["entity_id"] == 17
    assert line["features"] == {**ROW, "id": 17}


@pytest.mark.parametrize(("when_full", "answered"), [("stop", False), ("unlogged", True)])
def test_a_full_disk_stops_answers_or_lets_them_go_on_unlogged_as_was_asked(
    exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when_full: str, answered: bool
) -> None:
    worker = answering(tmp_path, log={"when_full": when_full})
    worker.use(exported[0])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        if answered:
            assert ask(worker)["prediction"] in (0, 1)
        else:
            with pytest.raises(Refusal, match="takes no more") as refused:
                ask(worker)
            assert refused.value.status == 503
    assert (worker.ready is None) is answered
    ask(worker)
    assert worker.ready is None
    assert len(lines(tmp_path)) == 1


def test_a_unit_meets_the_variant_that_its_assignment_says(exported, tmp_path: Path) -> None:
    worker = answering(tmp_path, routing={"experiment": "winter", "challenger_share": 0.5})
    worker.use(*exported)
    variants = {unit: ask(worker, id=unit)["variant"] for unit in range(40)}
    weights = {"champion": 0.5, "challenger": 0.5}
    assert variants == {unit: assign(str(unit), "winter", weights) for unit in range(40)}
    versions = {line["variant"]: line["model_version"] for line in lines(tmp_path)}
    assert versions == {"champion": exported[0].version, "challenger": exported[1].version}


def test_a_shadow_scores_and_is_logged_and_the_champion_answers(exported, tmp_path: Path) -> None:
    worker = answering(tmp_path, routing={"experiment": "winter", "shadow": True})
    worker.use(*exported)
    answer = ask(worker)
    shadow, champion = lines(tmp_path)
    assert (answer["variant"], answer["model_version"]) == ("champion", exported[0].version)
    assert (shadow["variant"], shadow["model_version"]) == ("shadow", exported[1].version)
    assert shadow["request_id"] == f"{champion['request_id']}-shadow"
    assert {variant for _, variant in read_predictions(tmp_path)} == {"champion", "shadow"}


def test_a_moment_is_told_to_the_microsecond() -> None:
    clock = Clock()
    assert clock.text(0.000001) == "1970-01-01T00:00:00.000001+00:00"
    assert clock.text(86400.5) == "1970-01-02T00:00:00.500000+00:00"
