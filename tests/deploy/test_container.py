"""The images as they are built from the Dockerfile, as their user with a read-only root: ``make test-container``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from images import Image, Images, missing

from local_server import free_port

STORE = os.environ.get("CONTAINER_STORE")
WHY = missing() if STORE else "builds images, for minutes: make test-container"
pytestmark = pytest.mark.skipif(WHY is not None, reason=str(WHY))

LARGEST_MB = {"run": 1100, "serve": 750, "serve-export": 400}
KEY = "k3y-of-the-test"
OWNER = 10001
ROW = {
    "age": 40, "income": 50000, "credit_score": 600, "account_balance": 1000, "transaction_frequency": 3,
    "avg_transaction_amount": 50, "months_as_customer": 12, "number_of_products": 2, "digital_engagement": 0.5,
    "region": "North",
}  # fmt: skip


@pytest.fixture(scope="module")
def images() -> Images:
    assert STORE is not None
    return Images(Path(STORE))


@pytest.fixture(scope="module")
def data(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data volume in which the image `run` lived the whole lifecycle."""
    volume = tmp_path_factory.mktemp("volume")
    os.chown(volume, OWNER, OWNER)
    image = images.build("run")
    with image.started(["run", "--env=test"], {"/data": volume}, {}, stderr=subprocess.PIPE) as ran:
        _, told = ran.communicate(timeout=900)
    assert ran.returncode == 0, told[-3000:]
    return volume


def ask(port: int, path: str, body: Any = None) -> tuple[int, Any]:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, {"X-API-Key": KEY})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, None


def until_ready(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert process.poll() is None, "the container ended before it was ready"
        try:
            if ask(port, "/ready")[0] == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("it was never ready")


def served(image: Image, command: list[str], volumes: dict[str, Path]) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    with image.started([*command, f"--port={port}"], volumes, {"EVERGREEN_API_KEYS": KEY}) as process:
        until_ready(port, process)
        yield port, process


def until_it_ends(port: int, process: subprocess.Popen[str]) -> tuple[list[str], float]:
    """Ask all the time while it is told to stop; the ids that were answered, and how many seconds it took to end."""
    answered: list[str] = []

    def client() -> None:
        while True:
            try:
                answered.append(ask(port, "/predict", ROW)[1]["request_id"])
            except (OSError, TypeError):
                return

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(client) for _ in range(4)]
        time.sleep(1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        took = time.monotonic() - began
        for one in asking:
            one.result(30)
    return answered, took


def logged(folder: Path) -> set[str]:
    lines = (line for file in folder.iterdir() for line in file.read_text().splitlines())
    return {json.loads(line)["request_id"] for line in lines}


def check_service(image: Image, command: list[str], volumes: dict[str, Path], log: Callable[[], Path]) -> None:
    for port, process in served(image, command, volumes):
        status, answer = ask(port, "/predict", ROW)
        assert (status, answer["prediction"] in (0, 1)) == (200, True)
        answered, seconds = until_it_ends(port, process)
        assert seconds < 5
        assert process.returncode == 0
        assert answered
        assert set(answered) - logged(log()) == set()


def test_run_lives_the_lifecycle_on_a_read_only_root_and_stays_small(data: Path, images: Images) -> None:
    image = Image(images, "localhost/evergreen:run")
    assert image.megabytes <= LARGEST_MB["run"]
    assert image.settings["User"] == f"{OWNER}:{OWNER}"
    assert json.loads((data / "08_reporting/churn/retraining.json").read_text())["status"] == "promoted"
    assert {file.stat().st_uid for file in data.rglob("*")} == {OWNER}


def test_serve_answers_stops_within_five_seconds_without_loss_and_stays_small(data: Path, images: Images) -> None:
    image = images.build("serve")
    assert image.megabytes <= LARGEST_MB["serve"]
    assert image.settings["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert image.settings["Healthcheck"]["Test"][0] == "CMD"
    log = data / "07_model_output/churn/prediction_log"
    check_service(image, ["--use-case=churn", "--env=test"], {"/data": data}, lambda: log)


def test_serve_export_answers_from_an_exported_folder_with_numpy_and_the_server_alone(
    data: Path, images: Images, tmp_path: Path
) -> None:
    export = ["models", "export", "--use-case=churn", "--env=test", "--to=/data/exported"]
    with Image(images, "localhost/evergreen:run").started(export, {"/data": data}, {}) as process:
        assert process.wait(300) == 0
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, OWNER, OWNER)
    image = images.build("serve-export")
    assert image.megabytes <= LARGEST_MB["serve-export"]
    check_service(image, ["/model"], {"/data": volume, "/model": data / "exported"}, lambda: volume / "prediction_log")
