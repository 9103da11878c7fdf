"""Servers of this machine as processes: Evergreen's own, FastAPI with a constant, `mlflow models serve`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving_load import cpu_seconds, memory_mb

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("EVERGREEN_DATA", ROOT / "data"))
STORE = f"sqlite:///{DATA}/mlflow/mlflow.db"
KEY = "benchmark"
HEADERS = f"X-API-Key: {KEY}\r\n"
SETTINGS = "auth: required\nlog: {collect_minutes: null, rotate_seconds: 1}\n"
READY_SECONDS = 180
ALL_HEADERS = {"X-API-Key": KEY}
CONSTANT = """
from fastapi import FastAPI, Request
app = FastAPI()
@app.post("/predict")
async def predict(request: Request):
    await request.body()
    return {"prediction": 0, "probability": 0.25, "model_version": "1"}
"""


@dataclass
class Server:
    """A process that listens on a port.

    Attributes:
        process: The one that was started.
        port: Where it listens.
        started: CPU seconds of all its processes until it was ready.
    """

    process: subprocess.Popen[bytes]
    port: int
    started: float = 0.0

    @property
    def pids(self) -> list[int]:
        """It and all its descendants."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*"):
                with contextlib.suppress(OSError):
                    waiting += map(int, (task / "children").read_text().split())
        return found

    @property
    def workers(self) -> list[int]:
        """Those that answer, of our service."""
        return [pid for pid in self.pids if b"evergreen.serving.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    @property
    def cpu(self) -> float:
        """CPU seconds of all its processes."""
        return sum(map(cpu_seconds, self.pids))

    @property
    def largest_mb(self) -> float:
        """Memory (PSS) of its largest process, a worker's where they are known."""
        return max(memory_mb(pid) for pid in self.workers or self.pids)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(port: int, path: str) -> str:
    """What a route answers."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=ALL_HEADERS)
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return str(answer.read().decode())


@contextlib.contextmanager
def serving(
    command: list[str], path: str = "/health", port: int = 0, folder: Path = ROOT, **environment: str
) -> Iterator[Server]:
    """A server from its first answer to its end.

    Raises:
        RuntimeError: Where it ends before, or takes longer than three minutes.
    """
    with tempfile.TemporaryFile() as output:
        known = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        process = subprocess.Popen(command, cwd=folder, env=known, stdout=output, stderr=output)
        server = Server(process, port)
        try:
            if not _answers(server, path):
                output.seek(0)
                raise RuntimeError(output.read().decode(errors="replace")[-1500:])
            server.started = server.cpu
            yield server
        finally:
            _end(server)


def _answers(server: Server, path: str) -> bool:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            get(server.port, path)
        except urllib.error.HTTPError as error:
            if error.code in (401, 404):  # it answers, though not there
                return True
        except OSError:
            pass
        else:
            return True
        time.sleep(0.1)
    return False


def _end(server: Server) -> None:
    pids = server.pids if server.process.poll() is None else []
    if pids:
        server.process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(30)
    for pid in pids:  # children that a peer leaves behind
        with contextlib.suppress(OSError):
            os.kill(pid, 9)
    server.process.wait()


LOG = """
{use_case}.prediction_log:
  type: evergreen.datasets.PredictionLogDataset
  filepath: {log}
  table: {table}
"""


@contextlib.contextmanager
def evergreen(
    use_case: str,
    workers: int = 1,
    settings: str = SETTINGS,
    log: Path | None = None,
    table: Path | None = None,
    further: str = "",
) -> Iterator[Server]:
    """`kedro serve` with everything on; its log lies in a folder that goes with it unless another is named.

    ``further`` goes into the catalog.
    """
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "conf"
        shutil.copytree(ROOT / "conf", conf)
        (conf / "bench").mkdir()
        (conf / "bench" / "serving.yml").write_text(settings)
        places = {"log": log or Path(folder) / "log", "table": table or Path(folder) / "table"}
        (conf / "bench" / "catalog.yml").write_text(LOG.format(use_case=use_case, **places) + further)
        port = free_port()
        command = [sys.executable, "-m", "kedro", "serve", "--use-case", use_case, "--env=bench"]
        command += [f"--conf-source={conf}", f"--port={port}", f"--workers={workers}"]
        with serving(command, "/ready", port, EVERGREEN_API_KEYS=KEY, EVERGREEN_DATA=str(DATA)) as server:
            yield server


@contextlib.contextmanager
def exported(folder: Path, log: Path) -> Iterator[Server]:
    """An exported version: supervisor, two workers and log as ever, without a registry and so sooner ready."""
    port = free_port()
    command = [sys.executable, "-m", "evergreen.serving.exported", str(folder), f"--port={port}", f"--log={log}"]
    with serving(command, "/ready", port, EVERGREEN_API_KEYS=KEY) as server:
        yield server


@contextlib.contextmanager
def constant() -> Iterator[Server]:
    """FastAPI that returns a constant, by uvicorn."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "constant.py").write_text(CONSTANT)
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "constant:app", f"--port={port}", "--no-access-log"]
        with serving([*command, f"--app-dir={folder}"], port=port) as server:
            yield server


@contextlib.contextmanager
def mlflow_server(use_case: str) -> Iterator[Server]:
    """`mlflow models serve` with the champion, one worker."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{use_case}@champion"]
    command += ["--env-manager=local", f"--port={port}", "--workers=1"]
    import uvicorn

    found = f"{Path(uvicorn.__file__).parents[4] / 'bin'}:{os.environ['PATH']}"  # MLflow asks a shell for uvicorn
    with serving(command, "/ping", port, MLFLOW_TRACKING_URI=STORE, PYTHONPATH=str(ROOT / "src"), PATH=found) as server:
        yield server


def row_of(port: int) -> dict[str, Any]:
    """A row that the champion on this port takes."""
    features = json.loads(get(port, "/schema"))["features"]
    return {f["name"]: 12.5 if f["kind"] == "numeric" else "North" for f in features}
