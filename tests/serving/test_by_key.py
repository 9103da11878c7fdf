"""Requests by key: answered as if the features had been named, refused by name, logged with what was asked."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_service import SPEC, USE_CASE

from evergreen.datasets import ServingFeaturesDataset
from evergreen.datasets.prediction_log.compaction import collect
from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.features.by_key import NOTHING, KeyedFeatures, KeyGroup
from evergreen.modelling.parameters import ScoringParameters
from evergreen.serving.answering import Answering
from evergreen.serving.by_key import ByKey
from evergreen.serving.loader import export
from evergreen.serving.openapi import document
from evergreen.serving.refusals import Refusal
from evergreen.serving.served import Served
from evergreen.serving.settings import ByKeySettings, LimitSettings, ServingSettings

pytest.importorskip("lmdb")
DAY = dt.date(2026, 3, 1)
LINES = [
    {"person": 7, "street": None, "age": 41.1, "city": None},
    {"person": 8, "street": None, "age": None, "city": None},
    {"person": None, "street": "Ahead", "age": None, "city": "A"},
]
ASKED = {"entity": {"person": 7, "street": "Ahead"}, "date": "2026-03-01", "features": {"income": 1.5}}


def keyed(age: float = 41.1) -> KeyedFeatures:
    groups = (KeyGroup(("person",), ("age",)), KeyGroup(("street",), ("city",)))
    rows = [{**line, "age": age if line["age"] else None} for line in LINES]
    return KeyedFeatures(DAY - dt.timedelta(days=1), groups, {DAY: pa.Table.from_pylist(rows)})


@pytest.fixture(scope="module")
def served(versions, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(export(USE_CASE, versions.linear, tmp_path_factory.mktemp("exports")))


@pytest.fixture
def worker(served: Served, tmp_path: Path) -> Answering:
    file = tmp_path / "serving_features.lmdb"
    ServingFeaturesDataset(str(file)).save(keyed())
    answering = Answering(
        ServingSettings(), tmp_path, SegmentWriter(tmp_path / "log", rotate_seconds=0.001), ByKey(file, ByKeySettings())
    )
    answering.use(served)
    return answering


def ask(worker: Answering, body: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(worker.answer(json.dumps(body).encode(), time.perf_counter())))


def refused(worker: Answering, body: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(Refusal) as refusal:
        ask(worker, body)
    return {"status": refusal.value.status, **json.loads(refusal.value.body())}


def test_keys_are_answered_as_the_features_that_they_stand_for(worker: Answering) -> None:
    by_key = ask(worker, ASKED)
    assert by_key["probability"] == ask(worker, {"age": 41.1, "income": 1.5, "city": "A"})["probability"]
    assert by_key["known_until"] == "2026-02-28"
    spelt = {**ASKED, "entity": {"person": "7", "street": "Ahead"}}
    assert ask(worker, spelt)["probability"] == by_key["probability"]


def test_a_key_that_is_null_has_features_that_are_null(worker: Answering) -> None:
    named = ask(worker, {"age": None, "income": 1.5, "city": "A"})["probability"]
    assert ask(worker, {**ASKED, "entity": {"person": None, "street": "Ahead"}})["probability"] == named


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"entity": {"person": 9, "street": "Ahead"}}, 404, "unknown_key"),
        ({"date": "2026-03-02"}, 422, "beyond_horizon"),
        ({"date": "2026-02-28"}, 422, "before_snapshot"),
        ({"date": "1.3.2026"}, 422, None),
        ({"entity": {"person": 7}}, 422, None),
        ({"entity": {"person": 7, "street": "Ahead", "house": 1}}, 422, None),
        ({"features": {}}, 422, None),
        ({"features": {"income": 1.5, "age": 3}}, 422, None),
        ({"features": {"income": "much"}}, 422, None),
        ({"features": {"income": 1e39}}, 422, None),
    ],
)
def test_what_cannot_be_answered_is_named(
    worker: Answering, change: dict[str, Any], status: int, reason: str | None
) -> None:
    found = refused(worker, {**ASKED, **change})
    assert (found["status"], found.get("reason")) == (status, reason)


def test_a_snapshot_that_is_stale_or_absent_is_named(worker: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 49 * 3600
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        assert refused(worker, ASKED)["reason"] == "stale_snapshot"
    assert worker.by_key is not None
    ServingFeaturesDataset(str(worker.by_key._file)).save(NOTHING)
    worker.by_key.follow()
    assert refused(worker, ASKED)["reason"] == "no_snapshot"


def test_a_worker_follows_a_file_that_is_replaced(worker: Answering) -> None:
    before = ask(worker, ASKED)["probability"]
    assert worker.by_key is not None
    ServingFeaturesDataset(str(worker.by_key._file)).save(keyed(60.0))
    worker.by_key.follow()
    assert ask(worker, ASKED)["probability"] != before


def test_a_file_that_is_no_snapshot_leaves_the_former_one_in_use(worker: Answering) -> None:
    assert worker.by_key is not None
    broken = worker.by_key._file.with_name("broken")
    broken.write_bytes(b"no database" * 1000)
    broken.replace(worker.by_key._file)
    worker.by_key.follow()
    assert ask(worker, ASKED)["known_until"] == "2026-02-28"


def test_many_keys_are_answered_and_logged_as_each_is_for_itself(worker: Answering, tmp_path: Path) -> None:
    other = {**ASKED, "entity": {"person": 8, "street": "Ahead"}}
    rows, asked = worker.read_many(worker.served, json.dumps({"data": [ASKED, other]}).encode())
    batch = worker.record(worker.served, worker.score(worker.served, rows, time.perf_counter(), 1, asked))
    alone = [ask(worker, each)["probability"] for each in (ASKED, other)]
    assert batch.probabilities == pytest.approx(alone, abs=1e-12)
    assert batch.known_until == "2026-02-28"
    worker.close()
    collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(), DAY)
    found = {row["request_id"]: row["asked_keys"] for row in pq.read_table(tmp_path / "table").to_pylist()}
    assert [json.loads(found[name])["person"] for name in batch.request_ids] == ["7", "8"]


@pytest.mark.parametrize(
    ("row", "status", "sentence"),
    [
        ({**ASKED, "entity": {"person": 9, "street": "Ahead"}}, 404, "data[1]: There is no such person"),
        ({**ASKED, "date": "2026-03-02"}, 422, "data[1]: Features are kept until"),
        ({"age": 41.1, "income": 1.5, "city": "A"}, 422, "age is not a feature"),
    ],
)
def test_a_row_by_key_that_cannot_be_answered_is_named(
    worker: Answering, row: dict[str, Any], status: int, sentence: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        worker.read_many(worker.served, json.dumps({"data": [ASKED, row]}).encode())
    assert (refusal.value.status, refusal.value.sentence[: len(sentence)]) == (status, sentence)


def test_a_category_that_is_called_entity_names_no_key(worker: Answering) -> None:
    row = {"age": 41.1, "income": 1.5, "city": "entity"}
    assert ask(worker, row)["prediction"] in (0, 1)


def test_the_log_keeps_what_was_asked_and_what_it_was_answered_from(worker: Answering, tmp_path: Path) -> None:
    request_id = ask(worker, ASKED)["request_id"]
    worker.close()
    collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(), DAY)
    (row,) = pq.read_table(tmp_path / "table").to_pylist()
    found = {name: row[name] for name in ("request_id", "age", "income", "city", "asked_date", "known_until")}
    features, known_until = {"age": 41.1, "income": 1.5, "city": "A"}, DAY - dt.timedelta(days=1)
    assert found == {"request_id": request_id, **features, "asked_date": DAY, "known_until": known_until}
    assert json.loads(row["asked_keys"]) == {"person": "7", "street": "Ahead"}


def test_keys_stay_out_of_the_table_where_entities_are_hashed(worker: Answering, tmp_path: Path) -> None:
    ask(worker, ASKED)
    worker.close()
    collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(hash_entities=True), DAY)
    assert pq.read_table(tmp_path / "table").to_pylist()[0]["asked_keys"] is None


def test_the_openapi_document_shows_requests_by_key(worker: Answering) -> None:
    schemas = document(worker.served, LimitSettings(), worker.by_key)["components"]["schemas"]
    assert schemas["RowByKey"]["properties"]["features"]["required"] == ["income"]
    assert schemas["RowByKey"]["properties"]["entity"]["required"] == ["person", "street"]
    assert schemas["BatchByKey"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/RowByKey"}
