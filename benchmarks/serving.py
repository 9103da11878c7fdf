"""What a prediction costs, beside other servers; on loopback, in one run.

    kedro run                                                       champions to serve
    python benchmarks/serving.py [--requests 20000] [--rounds 3]    beside FastAPI's constant and `mlflow models serve`
    python benchmarks/serving.py --peers                            and beside BentoML, LitServe, MLServer, KServe's SDK

The service is `kedro serve` with everything on: keys, validation, log, counters, live drift; one worker. Peers get the
champion's pipeline. CPU is that of a server's whole tree of processes. Rounds go by turns, so that a busy machine is
busy for all; medians are printed. Reads ``EVERGREEN_DATA``. See `serving_faults.py` for what it does under harm.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from serving_load import ask, cpu_seconds, memory_mb, own_mb, request
from serving_peers import PEERS, peer_server
from serving_servers import HEADERS, STORE, Server, constant, evergreen, mlflow_server, row_of

USE_CASES = ("churn", "high_value_sales")
OURS, CONSTANT, MLFLOW = "Evergreen, all on", "FastAPI, a constant", "mlflow models serve"


@dataclass
class Asked:
    """A server, what it is asked, and what came of it, a number a round."""

    server: Server
    body: bytes
    requests: int
    spent: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def round(self) -> None:
        """CPU microseconds a request, and its latency."""
        uvloop.run(ask(self.server.port, [self.body], total=max(40, self.requests // 10)))
        before = self.server.cpu
        load = uvloop.run(ask(self.server.port, [self.body], total=self.requests))
        if load.failed or load.refused:
            raise SystemExit(f"{load.failed} failed, refused: {load.refused[:1]}")
        self.spent.append((self.server.cpu - before) * 1e6 / self.requests)
        self.p50.append(load.quantile(0.5))
        self.p99.append(load.quantile(0.99))

    def line(self, name: str, ours: float) -> str:
        """What is printed of it."""
        cpu, p50, p99 = (median(values) for values in (self.spent, self.p50, self.p99))
        return (
            f"  {name:20} {cpu:8.0f} µs CPU  ({ours / cpu:6.4f})   p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   "
            f"{self.server.largest_mb:4.0f} MB   {self.server.started:5.1f} CPU s to start"
        )


def cost(use_case: str, requests: int, rounds: int, peers: bool) -> None:
    """One row by 8 clients, then many rows by one."""
    print(f"{use_case}: one row, 8 keep-alive clients; CPU of all processes, and ours beside it; medians of {rounds}")
    few = max(100, requests // 50)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(evergreen(use_case))
        _worker(server, "once it is ready")
        row = row_of(server.port)
        plain, mlflow = stack.enter_context(constant()), stack.enter_context(mlflow_server(use_case))
        body = request("/predict", json.dumps(row).encode(), headers=HEADERS)
        known = {
            OURS: Asked(server, body, requests),
            CONSTANT: Asked(plain, body, requests),
            MLFLOW: Asked(mlflow, request("/invocations", json.dumps({"dataframe_records": [row]}).encode()), few),
        }
        _compare(known, rounds)
        _worker(server, "after them")
        batches(server, mlflow, row)
    if peers:
        beside(use_case, row, requests, rounds)


def _compare(known: dict[str, Asked], rounds: int) -> None:
    for _ in range(rounds):
        for each in known.values():
            each.round()
    ours = median(known[OURS].spent)
    for name, each in known.items():
        print(each.line(name, ours), flush=True)


def _worker(server: Server, when: str) -> None:
    (pid,) = server.workers
    print(
        f"  a worker {when}: {cpu_seconds(pid):.2f} CPU s, {memory_mb(pid):.0f} MB with its share of what is shared, "
        f"{own_mb(pid):.0f} MB of its own"
    )


def beside(use_case: str, row: dict[str, Any], requests: int, rounds: int) -> None:
    """Each peer for itself beside ours."""
    with model_file(use_case) as model:
        for name in PEERS:
            with tempfile.TemporaryDirectory() as folder, peer_server(name, model, Path(folder)) as server:
                if server is None:
                    continue
                with evergreen(use_case) as ours:
                    asked = request(PEERS[name].path, json.dumps(PEERS[name].body(row)).encode())
                    body = request("/predict", json.dumps(row).encode(), headers=HEADERS)
                    known = {OURS: Asked(ours, body, requests), name: Asked(server, asked, max(100, requests // 50))}
                    _compare(known, rounds)


@contextlib.contextmanager
def model_file(use_case: str) -> Iterator[Path]:
    """The champion's pipeline as joblib writes it, for servers that know nothing of a registry."""
    import joblib
    import mlflow

    from evergreen import registry

    mlflow.set_tracking_uri(STORE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.joblib"
        joblib.dump(registry.load(use_case, registry.aliases_of(use_case)[registry.CHAMPION]).pipeline, file)
        yield file


def batches(ours: Server, peer: Server, row: dict[str, Any]) -> None:
    """Many rows in one request."""
    for rows in (1000, 100_000):
        data = [row] * rows
        for name, server, path, content in (
            (OURS, ours, "/batch_predict", {"data": data}),
            (MLFLOW, peer, "/invocations", {"dataframe_records": data}),
        ):
            asked = request(path, json.dumps(content).encode(), headers=HEADERS)
            before = server.cpu
            load = uvloop.run(ask(server.port, [asked], clients=1, total=5))
            print(
                f"  {rows:7,} rows, {name:20} {(server.cpu - before) / 5:6.3f} s CPU   "
                f"{load.quantile(0.5):8.0f} ms   {len(load.refused)} refused",
                flush=True,
            )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--use-case", choices=USE_CASES, action="append")
    chosen = parser.parse_args()
    for use_case in chosen.use_case or USE_CASES:
        cost(use_case, chosen.requests, chosen.rounds, chosen.peers)


if __name__ == "__main__":
    main()
