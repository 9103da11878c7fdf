"""The service as its clients meet it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from small_service import SPEC, USE_CASE, Service, promote, table

from evergreen import registry, scratch
from evergreen.errors import EvergreenError
from evergreen.serving.loader import export
from evergreen.serving.served import Served
from evergreen.serving.standalone import export_standalone
from serving_load import ask, request

ROW = {"age": 41.0, "income": 1.5, "city": "A"}


def expected(version: str, rows: pd.DataFrame) -> list[float]:
    return [float(p) for p in registry.load(USE_CASE, version).probabilities(rows[SPEC.features])]


def test_one_row_is_answered_with_all_that_a_client_needs(service: Service, versions) -> None:
    status, answer = service.ask("/predict", ROW)
    assert status == 200
    (probability,) = expected(versions.linear, pd.DataFrame([ROW]))
    assert answer["probability"] == pytest.approx(probability, abs=1e-12)
    assert answer["prediction"] == int(probability >= 0.4)
    assert answer["confidence"] == max(answer["probability"], 1 - answer["probability"])
    assert set(answer) >= {"threshold", "model_version", "variant", "request_id", "timestamp"}


def test_json_arrow_and_parquet_batches_answer_as_scoring_does(service: Service, versions) -> None:
    rows = table(50, seed=3)[SPEC.features]
    arrow, parquet = io.BytesIO(), io.BytesIO()
    found = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.ipc.new_stream(arrow, found.schema) as writer:
        writer.write_table(found)
    rows.to_parquet(parquet)
    bodies = {
        "application/json": json.dumps({"data": rows.to_dict("records")}).encode(),
        "application/vnd.apache.arrow.stream": arrow.getvalue(),
        "application/vnd.apache.parquet": parquet.getvalue(),
    }
    for kind, body in bodies.items():
        status, answer = service.ask("/batch_predict", body, content_type=kind)
        assert status == 200, answer
        assert answer["probabilities"] == pytest.approx(expected(versions.linear, rows), abs=1e-12)
        assert answer["count"] == len(set(answer["request_ids"])) == 50


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": [ROW]},
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}},
        {"instances": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
        b"age,income,city\n41.0,1.5,A\n",
    ],
    ids=["records", "split", "instances", "inputs", "csv"],
)
def test_mlflow_clients_are_answered(service: Service, versions, body) -> None:
    kind = "text/csv" if isinstance(body, bytes) else "application/json"
    status, answer = service.ask("/invocations", body, content_type=kind)
    (probability,) = expected(versions.linear, pd.DataFrame([ROW]))
    assert status == 200, answer
    assert answer["predictions"][0][1] == pytest.approx(probability, abs=1e-12)


def test_clients_of_the_open_inference_protocol_are_answered(service: Service, versions) -> None:
    kinds = {"age": "FP64", "income": "FP64", "city": "BYTES"}
    inputs = [{"name": n, "datatype": kinds[n], "shape": [2, 1], "data": [v, v]} for n, v in ROW.items()]
    status, answer = service.ask(f"/v2/models/{USE_CASE}/infer", {"id": "mine", "inputs": inputs})
    assert status == 200, answer
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert answer["id"] == "mine"
    assert outputs["probability"]["shape"] == [2]
    (probability,) = expected(versions.linear, pd.DataFrame([ROW]))
    assert outputs["probability"]["data"][0] == pytest.approx(probability, abs=1e-12)
    assert service.ask(f"/v2/models/{USE_CASE}/versions/999/infer", {"inputs": inputs})[0] == 404
    assert service.ask(f"/v2/models/{USE_CASE}")[1]["versions"] == [versions.linear]
    assert service.ask("/v2/health/ready")[0] == 200


@pytest.mark.parametrize("value", [7, 7.0, "7"])
def test_a_category_means_what_it_meant_in_training(service: Service, versions, value) -> None:
    (probability,) = expected(versions.linear, pd.DataFrame([{**ROW, "city": "7"}]))
    assert service.ask("/predict", {**ROW, "city": value})[1]["probability"] == pytest.approx(probability, abs=1e-12)


HEAVY = {"pandas", "sklearn", "mlflow", "kedro", "ibis", "scipy", "numba", "pyarrow"}
SECRET = "value-that-nobody-may-see"
BAD = {
    "no JSON": (b"{", 400, ""),
    "trailing text": (json.dumps(ROW).encode() + b"x", 400, ""),
    "another encoding": (json.dumps(ROW).encode("utf-16"), 400, ""),
    "not an object": ([1], 422, ""),
    "unknown": ({**ROW, "agee": SECRET}, 422, "agee"),
    "unknown and long": ({**ROW, "x" * 5000: 1}, 422, "xxx"),
    "missing": ({"age": 1.0, "city": "A"}, 422, "income"),
    "text for a number": ({**ROW, "age": SECRET}, 422, "age"),
    "truth for a number": ({**ROW, "age": True}, 422, "age"),
    "list for a category": ({**ROW, "city": [SECRET]}, 422, "city"),
    "NaN": (b'{"age": NaN, "income": 1, "city": "A"}', 400, ""),
    "infinity": (b'{"age": 1e999, "income": 1, "city": "A"}', 422, "age"),
    "beyond float32": ({**ROW, "income": -3.5e38}, 422, "income"),
    "twice": (b'{"age": 1, "age": 2, "income": 1, "city": "A"}', 422, "age"),
    "deep": (b'{"age":' + b"[" * 100_000, 422, "age"),
    "empty": (b"", 400, ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_refused_by_field_and_never_repeated(service: Service, name: str) -> None:
    body, status, field = BAD[name]
    got, answer, headers = service.ask_raw("/predict", body)
    assert got == status, answer
    assert len(answer) < 1000
    assert field in json.loads(answer)["error"]
    assert SECRET.encode() not in answer
    assert headers["x-content-type-options"] == "nosniff"


BAD_BATCHES = {
    "no list": ("/batch_predict", {"data": ROW}, 422),
    "one bad row": ("/batch_predict", {"data": [ROW, {**ROW, "age": SECRET}]}, 422),
    "a name twice": ("/batch_predict", b'{"data": [{"age": 1, "age": 2, "income": 1, "city": "A"}]}', 422),
    "two protocols": ("/invocations", {"instances": [ROW], "inputs": [ROW]}, 400),
    "ragged": ("/invocations", {"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}, 422),
    "NaN": ("/invocations", b'{"instances": [{"age": NaN, "income": 1, "city": "A"}]}', 422),
    "deep": ("/invocations", b"[" * 100_000, 400),
    "tensors of different length": (
        f"/v2/models/{USE_CASE}/infer",
        {"inputs": [{"name": "age", "shape": [2], "datatype": "FP64", "data": [1]}]},
        422,
    ),
}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_a_bad_batch_is_refused_whole(service: Service, name: str) -> None:
    path, body, status = BAD_BATCHES[name]
    got, answer, _ = service.ask_raw(path, body)
    assert got == status, answer
    assert len(answer) < 1000
    assert SECRET.encode() not in answer


def test_an_unknown_route_or_method_is_told(service: Service) -> None:
    assert service.ask("/nonsense")[0] == 404
    assert service.ask("/predict")[0] == 405
    assert service.ask("/dashboard") == (
        404,
        {"error": "No dashboard was written yet: run `kedro run --pipeline=reporting`."},
    )


def test_stats_and_metrics_count_all_workers_together(service: Service) -> None:
    before = service.ask("/stats")[1]["predictions"]
    for _ in range(6):
        service.ask("/predict", ROW)
    stats = service.ask("/stats")[1]
    assert stats["predictions"] == before + 6
    assert 0.5 <= stats["min_confidence"] <= stats["mean_confidence"] <= stats["max_confidence"] <= 1
    told = service.ask("/metrics")[1]
    assert f'evergreen_serving_version{{use_case="{USE_CASE}"' in told
    counted = [
        float(line.rsplit(" ", 1)[1]) for line in told.splitlines() if line.startswith("evergreen_predictions_total")
    ]
    assert sum(counted) == stats["predictions"]


def test_the_openapi_document_and_the_schema_tell_of_every_feature(service: Service) -> None:
    row = service.ask("/openapi.json")[1]["components"]["schemas"]["Row"]
    assert row["required"] == SPEC.features
    assert [feature["name"] for feature in service.ask("/schema")[1]["features"]] == SPEC.features
    assert "<script" not in service.ask("/docs")[1]


def test_a_promotion_under_load_loses_nothing_and_each_answer_names_its_version(service: Service, versions) -> None:
    rows = table(20, seed=5)[SPEC.features]
    known = {v: expected(v, rows) for v in (versions.linear, versions.trees)}
    bodies = [request("/predict", json.dumps(row).encode()) for row in rows.to_dict("records")]
    seen: set[str] = set()
    workers = [service.workers]

    async def load_and_swap():
        over = False
        loading = asyncio.create_task(ask(service.port, bodies, clients=1, until=lambda: over, keep=True, pause=0.01))
        for version in (versions.trees, versions.linear):
            await asyncio.to_thread(promote, version)
            await asyncio.to_thread(service.wait_for, version)
            await asyncio.to_thread(service.wait_until, lambda: service.workers, lambda pids: len(pids) == 2)
            workers.append(service.workers)
        over = True
        return await loading

    load = asyncio.run(load_and_swap())
    assert load.failed == 0
    assert load.refused == []
    for number, answer in enumerate(load.answers):
        seen.add(answer["model_version"])
        assert answer["probability"] == pytest.approx(known[answer["model_version"]][number % 20], abs=1e-12)
    assert seen == {versions.linear, versions.trees}
    of_linear, of_trees, of_linear_again = map(set, workers)
    assert not of_linear & of_trees  # no client waited while its worker imported a compiler
    assert of_trees == of_linear_again
    assert service.ask("/health")[1]["restarts"] == 0


def test_an_estimator_without_a_plain_form_is_served_by_scikit_learn(versions, tmp_path: Path) -> None:
    served = Served(export(USE_CASE, versions.plain, tmp_path))
    (probability,) = expected(versions.plain, pd.DataFrame([ROW]))
    row, values = served.read_row(json.dumps(ROW).encode())
    assert served.engine == "scikit-learn"
    assert "has no plain form" in served.facts["because"]
    assert served.probability(values) == pytest.approx(probability, abs=1e-12)
    assert served.probabilities(served.columns([row]), 1)[0] == pytest.approx(probability, abs=1e-12)


def test_an_exported_version_answers_with_numpy_alone(versions, tmp_path: Path) -> None:
    folder = export_standalone(USE_CASE, versions.trees, tmp_path / "exported")
    rows = table(5, seed=9)[SPEC.features]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    command = [sys.executable, "-I", str(folder / "read.py"), str(tmp_path / "rows.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [float(line) for line in done.stdout.split()] == pytest.approx(expected(versions.trees, rows), abs=1e-12)


def test_a_version_without_a_plain_form_is_not_exported(versions, tmp_path: Path) -> None:
    with pytest.raises(EvergreenError, match="has no plain form"):
        export_standalone(USE_CASE, versions.plain, tmp_path)


def test_health_says_which_engine_answers(service: Service) -> None:
    assert service.ask("/health")[1]["engine"] == "compiled"


def test_a_worker_knows_neither_pandas_nor_scikit_learn_nor_mlflow_nor_kedro(service: Service, versions) -> None:
    code = (
        "import sys, evergreen.serving.worker\n"
        "from evergreen.serving.served import Served\n"
        "from pathlib import Path\n"
        f"Served(next(Path({str(service.data / 'exports')!r}).glob('{versions.linear}-*')))\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


def test_a_killed_worker_loses_nothing_and_another_takes_its_place(service: Service, tmp_path: Path) -> None:
    bodies = [request("/predict", json.dumps({**ROW, "id": number}).encode()) for number in range(50)]
    victim = service.workers[0]

    async def load_and_kill():
        loading = asyncio.create_task(ask(service.port, bodies, clients=4, total=400, keep=True, pause=0.002))
        await asyncio.sleep(0.2)
        os.kill(victim, signal.SIGKILL)
        return await loading

    load = asyncio.run(load_and_kill())
    service.wait_until(lambda: service.workers, lambda pids: len(pids) == 2 and victim not in pids)
    acknowledged = [answer["request_id"] for answer in load.answers]
    logged = [
        json.loads(line)["request_id"] for file in service.log.iterdir() for line in file.read_text().splitlines()
    ]
    assert set(acknowledged) <= set(logged)
    assert len(logged) == len(set(logged))
    assert service.ask("/health")[1]["restarts"] == 1


@pytest.mark.slow
def test_a_successor_that_dies_is_followed_by_another(versions, tmp_path: Path) -> None:
    promote(versions.linear)
    service = Service(tmp_path, {"watch_seconds": 0.1, "workers": 1}).start()
    (first,) = service.workers
    promote(versions.trees)
    both = service.wait_until(lambda: service.workers, lambda pids: len(pids) == 2, every=0.01)
    os.kill(max(set(both) - {first}), signal.SIGKILL)
    assert service.ask("/predict", ROW)[0] == 200
    service.wait_for(versions.trees)
    promote(versions.linear)
    service.wait_until(lambda: service.workers, lambda pids: first not in pids)
    assert service.stop() == 0


def test_what_a_killed_service_left_lies_in_the_data_folder_and_goes_with_the_next_command(
    versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    service = Service(tmp_path / "data", environment={"TMPDIR": str(tmp_path / "tmp")}).start()
    copies = service.data / ".copies"
    monkeypatch.setattr(scratch, "_roots", [copies])
    assert scratch.abandoned(delete=False) == []
    service.stop(signal.SIGKILL)
    assert len(scratch.abandoned(delete=True)) == 1
    assert [*copies.iterdir(), *(tmp_path / "tmp").iterdir()] == []


def test_mlflows_own_client_talks_to_it(service: Service, versions) -> None:
    client = ScoringServerClient("127.0.0.1", service.port)
    client.wait_server_ready(timeout=10)
    rows = table(5, seed=7)[SPEC.features]
    found = client.invoke(rows).get_predictions()
    assert found[1].tolist() == pytest.approx(expected(versions.linear, rows), abs=1e-12)
