"""The application on a real Ray Serve of this machine, started as the documentation says."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_service import SPEC, USE_CASE, Service, table

from evergreen import registry
from evergreen.serving.standalone import export_standalone

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: make test-spark")
KEY = "for-tests"
SECONDS = 120


@pytest.fixture(scope="module")
def deployed(versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    args = {"folder": str(export_standalone(USE_CASE, versions.trees, folder / "exported")), "replicas": 2}
    what = {"import_path": "evergreen.serving.ray:application", "args": {**args, "log": str(folder / "log")}}
    told = {"http_options": {"host": "127.0.0.1", "port": port}, "applications": [{"name": "leavers", **what}]}
    (folder / "serve.yaml").write_text(json.dumps({"proxy_location": "HeadOnly", **told}))
    patience = {f"RAY_SERVE_PROXY_{check}_CHECK_TIMEOUT_S": "50" for check in ("READY", "HEALTH")}  # on a busy machine
    surroundings = {"EVERGREEN_API_KEYS": KEY, "RAY_USAGE_STATS_ENABLED": "0", "HOME": str(folder), **patience}
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("serve")), "run", str(folder / "serve.yaml")],
            env={**os.environ, **surroundings}, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    found = Service(folder, port=port)
    try:
        wait_until_ready(found, process, folder / "output")
        yield found
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def wait_until_ready(service: Service, process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if service.ask("/ready")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(output.read_text()[-3000:])


def test_replicas_on_ray_answer_log_and_count_as_workers_do(deployed: Service, versions) -> None:
    rows = table(20, seed=11)[SPEC.features]
    expected = registry.load(USE_CASE, versions.trees).probabilities(rows)
    answers = [deployed.ask("/predict", row, X_API_Key=KEY) for row in rows.to_dict("records")]
    assert [status for status, _ in answers] == [200] * 20
    assert [answer["probability"] for _, answer in answers] == pytest.approx(list(expected), abs=1e-12)
    _, batch = deployed.ask("/batch_predict", {"data": rows.to_dict("records")}, X_API_Key=KEY)
    assert batch["probabilities"] == pytest.approx(list(expected), abs=1e-12)
    logged = [json.loads(x)["request_id"] for file in deployed.log.iterdir() for x in file.read_text().splitlines()]
    assert sorted(logged) == sorted([*(answer["request_id"] for _, answer in answers), *batch["request_ids"]])
    assert deployed.ask("/stats", X_API_Key=KEY)[1]["predictions"] == 40


def test_a_key_is_asked_for_and_a_bad_row_is_refused_on_ray_too(deployed: Service) -> None:
    assert deployed.ask("/predict", {"age": 1.0})[0] == 401
    status, answer = deployed.ask("/predict", {"age": 1.0, "city": "A"}, X_API_Key=KEY)
    assert (status, "income" in answer["error"]) == (422, True)
