"""The service beside its peers, and under promotions, stops, kills and bad requests; on loopback, in one run.

    kedro run --env=test                                   champions to serve, two versions of churn
    python benchmarks/serving.py cost [--requests 20000]   CPU a request beside FastAPI and `mlflow models serve`
    python benchmarks/serving.py swaps [--times 100]       promotions and rollbacks under load
    python benchmarks/serving.py stops [--times 20]        SIGTERM of the service, 8 clients
    python benchmarks/serving.py kills [--times 20]        SIGKILL of a worker and of the supervisor by turns
    python benchmarks/serving.py bad [--requests 100000]   bad requests: statuses, length of answers, memory

The service is `kedro serve` with everything on: keys, validation, log, counters, live drift. Reads ``EVERGREEN_DATA``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
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

import uvloop

from serving_load import Load, ask, cpu_seconds, request, resident_mb

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("EVERGREEN_DATA", ROOT / "data"))
KEY = "benchmark"
HEADERS = f"X-API-Key: {KEY}\r\n"
SETTINGS = "auth: required\nwatch_seconds: 0.2\nlog: {collect_minutes: null, rotate_seconds: 1}\n"
CONSTANT = """
from fastapi import FastAPI, Request
app = FastAPI()
@app.post("/predict")
async def predict(request: Request):
    await request.body()
    return {"prediction": 0, "probability": 0.25, "model_version": "1"}
"""
ROW_LEVELS = ("North", "A", "Summer")


@dataclass
class Server:
    """A process that listens on a port."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def pids(self) -> list[int]:
        """It and all its descendants."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return found

    @property
    def workers(self) -> list[int]:
        """Those that answer, of our service."""
        return [pid for pid in self.pids if b"evergreen.serving.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(port: int, path: str) -> str:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"X-API-Key": KEY})
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return str(answer.read().decode())


@contextlib.contextmanager
def serving(command: list[str], port: int, path: str = "/health", **environment: str) -> Iterator[Server]:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    server = Server(process, port)
    try:
        end = time.monotonic() + 180
        while time.monotonic() < end and process.poll() is None:
            try:
                get(port, path)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.2)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def evergreen(use_case: str, workers: int = 1) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "conf"
        shutil.copytree(ROOT / "conf", conf)
        (conf / "bench").mkdir()
        (conf / "bench" / "serving.yml").write_text(SETTINGS)
        port = free_port()
        command = [sys.executable, "-m", "kedro", "serve", "--use-case", use_case, "--env=bench"]
        command += [f"--conf-source={conf}", f"--port={port}", f"--workers={workers}"]
        with serving(command, port, EVERGREEN_API_KEYS=KEY, EVERGREEN_DATA=str(DATA)) as server:
            yield server


def row_of(port: int) -> dict[str, Any]:
    features = json.loads(get(port, "/schema"))["features"]
    return {f["name"]: 12.5 if f["kind"] == "numeric" else ROW_LEVELS[0] for f in features}


def measured(name: str, server: Server, pids: list[int], body: bytes, requests: int) -> float:
    """CPU microseconds a request, printed with latency and memory."""
    uvloop.run(ask(server.port, [body], total=max(50, requests // 10)))
    before = sum(map(cpu_seconds, pids))
    load = uvloop.run(ask(server.port, [body], total=requests))
    spent = (sum(map(cpu_seconds, pids)) - before) * 1e6 / requests
    memory = max(map(resident_mb, pids))
    print(
        f"  {name:22} {spent:8.0f} µs CPU   p50 {load.quantile(0.5):7.2f} ms   p99 {load.quantile(0.99):7.2f} ms   "
        f"{memory:4.0f} MB   {load.failed} failed, {len(load.refused)} refused"
    )
    return spent


def cost(requests: int) -> None:
    for use_case in ("churn", "high_value_sales"):
        print(f"{use_case}: one row, 8 keep-alive clients")
        with contextlib.ExitStack() as stack:
            ours = stack.enter_context(evergreen(use_case))
            row = row_of(ours.port)
            body = request("/predict", json.dumps(row).encode(), headers=HEADERS)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (folder / "constant.py").write_text(CONSTANT)
            port = free_port()
            uvicorn = [sys.executable, "-m", "uvicorn", "constant:app", f"--port={port}", "--no-access-log"]
            constant = stack.enter_context(serving([*uvicorn, f"--app-dir={folder}"], port))
            peer = stack.enter_context(mlflow_server(use_case))
            found: dict[str, list[float]] = {"ours": [], "constant": []}
            for _ in range(3):
                found["ours"].append(measured("Evergreen, all on", ours, ours.workers, body, requests))
                found["constant"].append(measured("FastAPI, a constant", constant, constant.pids, body, requests))
            asked = request("/invocations", json.dumps({"dataframe_records": [row]}).encode())
            slow = measured("mlflow models serve", peer, peer.pids, asked, max(100, requests // 50))
            ours_us, constant_us = (sorted(values)[1] for values in found.values())
            print(
                f"  {ours_us / constant_us:.2f} × FastAPI's constant, 1/{slow / ours_us:.0f} of MLflow (medians of 3)"
            )
            batches(ours, peer, row)


def batches(ours: Server, peer: Server, row: dict[str, Any]) -> None:
    for rows in (1000, 100_000):
        data = [row] * rows
        for name, server, path, content in (
            ("Evergreen", ours, "/batch_predict", {"data": data}),
            ("mlflow models serve", peer, "/invocations", {"dataframe_records": data}),
        ):
            pids = server.pids
            before = sum(map(cpu_seconds, pids))
            asked = request(path, json.dumps(content).encode(), headers=HEADERS)
            load = uvloop.run(ask(server.port, [asked], clients=1, total=3))
            spent = (sum(map(cpu_seconds, pids)) - before) / 3
            print(
                f"  {rows:7,} rows, {name:20} {spent:6.2f} s CPU   {load.quantile(0.5):8.0f} ms   "
                f"{len(load.refused)} refused"
            )


@contextlib.contextmanager
def mlflow_server(use_case: str) -> Iterator[Server]:
    port, store = free_port(), f"sqlite:///{DATA}/mlflow/mlflow.db"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{use_case}@champion"]
    command += ["--env-manager=local", f"--port={port}", "--workers=1"]
    import uvicorn

    found = f"{Path(uvicorn.__file__).parents[4] / 'bin'}:{os.environ['PATH']}"  # MLflow asks a shell for uvicorn
    with serving(command, port, "/ping", MLFLOW_TRACKING_URI=store, PYTHONPATH=str(ROOT / "src"), PATH=found) as server:
        yield server


def swaps(times: int) -> None:
    """Both versions answer known rows; each answer must be what its version says."""
    import mlflow
    import pandas as pd

    from evergreen import registry

    mlflow.set_tracking_uri(f"sqlite:///{DATA}/mlflow/mlflow.db")
    client, use_case = mlflow.MlflowClient(), "churn"
    former = registry.aliases_of(use_case)[registry.CHAMPION]
    other = next(v.version for v in registry.list_versions(use_case) if v.version != former)
    with evergreen(use_case, workers=2) as server:
        row = row_of(server.port)
        rows = [{**row, "age": 20.0 + number} for number in range(50)]
        bodies = [request("/predict", json.dumps(each).encode(), headers=HEADERS) for each in rows]
        known = {v: registry.load(use_case, v).probabilities(pd.DataFrame(rows)) for v in (former, other)}
        quiet = uvloop.run(ask(server.port, bodies, total=10_000))
        over: list[bool] = []

        async def both() -> Load:
            loading = asyncio.create_task(ask(server.port, bodies, until=lambda: bool(over), keep=True))
            for turn in range(times):
                version = (other, former)[turn % 2]
                await asyncio.to_thread(client.set_registered_model_alias, use_case, registry.CHAMPION, version)
                while await asyncio.to_thread(get, server.port, "/version") != version:
                    await asyncio.sleep(0.1)
            over.append(True)
            return await loading

        try:
            load = uvloop.run(both())
        finally:
            client.set_registered_model_alias(use_case, registry.CHAMPION, former)
    values = {version: set(found.round(12)) for version, found in known.items()}
    wrong = sum(round(a["probability"], 12) not in values[a["model_version"]] for a in load.answers)
    served = {version: sum(a["model_version"] == version for a in load.answers) for version in known}
    print(
        f"{times} changes of version under load: {len(load.answers):,} answers ({served}), {load.failed} failed, "
        f"{len(load.refused)} refused, {wrong} not as their version says; p99 {load.quantile(0.99):.2f} ms, "
        f"without changes {quiet.quantile(0.99):.2f} ms"
    )


def ends(times: int, kills: bool) -> None:
    """Every answer that a client has must be in the log once, and no process may be left."""
    from evergreen.datasets.prediction_log.segments import closed_segments

    log = DATA / "07_model_output" / "churn" / "prediction_log"
    lost = twice = orphans = answers = failed = 0
    for turn in range(times):
        for file in closed_segments(log):
            file.unlink()
        with evergreen("churn", workers=2) as server:
            body = request("/predict", json.dumps(row_of(server.port)).encode(), headers=HEADERS)
            pids, over = server.pids, []
            victim = server.workers[0] if kills and turn % 2 == 0 else server.process.pid

            async def end_under_load(
                port: int = server.port, pid: int = victim, body: bytes = body, over: list[bool] = over
            ) -> Load:
                loading = asyncio.create_task(ask(port, [body], until=lambda: bool(over), keep=True))
                await asyncio.sleep(0.7)
                os.kill(pid, signal.SIGKILL if kills else signal.SIGTERM)
                await asyncio.sleep(2.5)
                over.append(True)
                return await loading

            load = uvloop.run(end_under_load())
        time.sleep(1.5)
        orphans += sum(Path(f"/proc/{pid}").exists() for pid in pids if pid != server.process.pid)
        logged = [
            json.loads(x)["request_id"]
            for f in closed_segments(log)
            for x in f.read_text().splitlines()
            if x.endswith("}")
        ]
        known = {answer["request_id"] for answer in load.answers}
        lost, twice = lost + len(known - set(logged)), twice + len(logged) - len(set(logged))
        answers, failed = answers + len(known), failed + load.failed
    print(
        f"{times} {'SIGKILLs of worker and supervisor by turns' if kills else 'SIGTERMs'}: {answers:,} acknowledged, "
        f"{lost} not in the log, {twice} twice, {orphans} processes left, {failed} requests without an answer"
    )


def bad(requests: int) -> None:
    with evergreen("churn") as server:
        row = row_of(server.port)
        texts = [b"{", b"[" * 10_000, json.dumps({**row, "age": "x" * 2000}).encode(), b'{"age": NaN}', b"\xff" * 500]
        texts += [json.dumps({**row, "y" * 3000: 1}).encode(), json.dumps({**row, "income": 1e39}).encode()]
        bodies = [request("/predict", text, headers=HEADERS) for text in texts]
        uvloop.run(ask(server.port, bodies, total=2000))
        (pid,) = server.workers
        before = resident_mb(pid)
        load = uvloop.run(ask(server.port, bodies, total=requests))
        statuses = sorted({status for status, _ in load.refused})
        longest = max(len(text) for _, text in load.refused)
        print(
            f"{requests:,} bad requests: statuses {statuses}, {load.failed} without an answer, longest answer "
            f"{longest} bytes, memory {resident_mb(pid) - before:+.1f} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["cost", "swaps", "stops", "kills", "bad"])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    {
        "cost": lambda: cost(chosen.requests),
        "swaps": lambda: swaps(chosen.times),
        "stops": lambda: ends(chosen.times, kills=False),
        "kills": lambda: ends(chosen.times, kills=True),
        "bad": lambda: bad(chosen.requests),
    }[chosen.part]()


if __name__ == "__main__":
    main()
