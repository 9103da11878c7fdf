"""The service under stops, kills, a full disk and bad requests; on loopback, 8 keep-alive clients.

    kedro run                                                a champion of churn
    python benchmarks/serving_faults.py stops [--times 20]   SIGTERM of the service
    python benchmarks/serving_faults.py kills [--times 20]   SIGKILL of a worker, and of the supervisor
    python benchmarks/serving_faults.py full                 the log's disk full midway, both settings; needs root
    python benchmarks/serving_faults.py bad [--requests …]   bad requests: statuses, length of answers, memory

Everything is on, as in `serving.py`; where each turn needs a service of its own, it serves an exported version. What
was acknowledged is looked up in the table `service_predictions` that collections made: each must be there once. Reads
``EVERGREEN_DATA``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from serving_load import Load, ask, memory_mb, request
from serving_servers import HEADERS, SETTINGS, STORE, Server, evergreen, exported, get, row_of

USE_CASE = "churn"
COLLECTING = "auth: required\nlog: {{collect_minutes: 0.02, rotate_seconds: 0.5, when_full: {when_full}}}\n"
DISK_MB = 1
FULL_SECONDS = 120


@dataclass
class Kept:
    """What acknowledged predictions became.

    Attributes:
        log: Where the service writes them.
        table: Where they are collected.
        acknowledged: Request ids that clients have.
    """

    log: Path
    table: Path
    acknowledged: list[str] = field(default_factory=list)

    def note(self, _: int, answer: dict[str, Any]) -> None:
        """An answer that a client has."""
        self.acknowledged.append(answer["request_id"])

    def compared(self) -> str:
        """Collect what is left, and compare."""
        import duckdb
        import mlflow

        from evergreen import registry
        from evergreen.datasets import PredictionLogDataset
        from evergreen.modelling.parameters import ScoringParameters

        mlflow.set_tracking_uri(STORE)
        champion = registry.load(USE_CASE, registry.aliases_of(USE_CASE)[registry.CHAMPION])
        log = PredictionLogDataset(str(self.log), str(self.table)).load()
        log.collect(champion.manifest.spec, ScoringParameters(), dt.datetime.now(dt.UTC).date())
        query = f"SELECT request_id FROM read_parquet('{self.table}/**/*.parquet')"
        found = Counter(name for (name,) in duckdb.sql(query).fetchall())
        lost, twice = sum(name not in found for name in self.acknowledged), sum(n > 1 for n in found.values())
        return (
            f"{len(self.acknowledged):,} acknowledged, {lost} of them not in service_predictions, {twice} twice; "
            f"{len(found) - len(self.acknowledged) + lost} logged whose answer no client has"
        )


@contextlib.contextmanager
def kept() -> Iterator[Kept]:
    """Folders of their own for a log and its table."""
    with tempfile.TemporaryDirectory() as folder:
        yield Kept(Path(folder) / "log", Path(folder) / "table")


def body_of(server: Server) -> bytes:
    """A row, as a whole request."""
    return request("/predict", json.dumps(row_of(server.port)).encode(), headers=HEADERS)


def under_load(server: Server, act: Callable[[], Any], **options: Any) -> Load:
    """What 8 clients meet while something happens, in a thread; the load ends with it."""
    body, over = body_of(server), []

    async def both() -> Load:
        loading = asyncio.create_task(ask(server.port, [body], until=lambda: bool(over), **options))
        try:
            await asyncio.to_thread(act)
        finally:
            over.append(True)
        return await loading

    return uvloop.run(both())


@contextlib.contextmanager
def version_folder() -> Iterator[Path]:
    """The champion, exported."""
    import mlflow

    from evergreen import registry
    from evergreen.serving.standalone import export_standalone

    mlflow.set_tracking_uri(STORE)
    with tempfile.TemporaryDirectory() as folder:
        yield export_standalone(USE_CASE, registry.aliases_of(USE_CASE)[registry.CHAMPION], Path(folder))


def stops(times: int) -> None:
    """SIGTERM: nothing lost, no request without an answer, no process left."""
    failed = closed = orphans = 0
    seconds = []
    with kept() as found, version_folder() as folder:
        for _ in range(times):
            with exported(folder, found.log) as server:
                pids = server.pids

                def act(server: Server = server) -> None:
                    time.sleep(0.7)
                    server.process.send_signal(signal.SIGTERM)
                    began = time.monotonic()
                    server.process.wait(30)
                    seconds.append(time.monotonic() - began)

                load = under_load(server, act, check=found.note)
                failed, closed = failed + load.failed, closed + load.closed
            orphans += sum(Path(f"/proc/{pid}").exists() for pid in pids)
        print(
            f"{times} SIGTERMs: {found.compared()}; {failed} requests without an answer, {closed} connections told to "
            f"close, {orphans} processes left, {max(seconds):.1f} s at most"
        )


def kills(times: int) -> None:
    """SIGKILL of a worker while the supervisor collects, then of the supervisor."""
    settings = COLLECTING.format(when_full="stop")
    with kept() as found, evergreen(USE_CASE, 2, settings, found.log, found.table) as server:

        def kill_workers() -> None:
            for _ in range(times):
                time.sleep(1.0)
                os.kill(server.workers[0], signal.SIGKILL)
                while len(server.workers) < 2:
                    time.sleep(0.05)

        load = under_load(server, kill_workers, check=found.note)
        server.process.terminate()
        server.process.wait(30)
        print(
            f"{times} SIGKILLs of a worker: {found.compared()}; {load.failed} requests of killed workers without an "
            f"answer",
            flush=True,
        )
    supervisors(times)


def supervisors(times: int) -> None:
    """SIGKILL of the supervisor, a service each."""
    failed = orphans = 0
    with kept() as found, version_folder() as folder:
        for _ in range(times):
            with exported(folder, found.log) as server:
                pids = [pid for pid in server.pids if pid != server.process.pid]

                def kill_supervisor(server: Server = server) -> None:
                    time.sleep(1.5)
                    server.process.kill()
                    time.sleep(2.5)

                load = under_load(server, kill_supervisor, check=found.note)
                failed += load.failed
            orphans += sum(Path(f"/proc/{pid}").exists() for pid in pids)
        print(
            f"{times} SIGKILLs of the supervisor: {found.compared()}; {failed} requests without an answer, "
            f"{orphans} processes left"
        )


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A folder on a file system of a few MB."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> None:
    """Wait until the disk takes no more, and two seconds of that."""
    end = time.monotonic() + FULL_SECONDS
    while time.monotonic() < end and os.statvfs(disk).f_bavail:
        time.sleep(0.1)
    time.sleep(2.0)


def full() -> None:
    """The log's disk is full midway under load, and has room again later."""
    for when_full in ("stop", "unlogged"):
        with small_disk() as disk, kept() as place:
            found = Kept(disk / "log", place.table)
            settings = COLLECTING.format(when_full=when_full).replace("collect_minutes: 0.02", "collect_minutes: null")
            with evergreen(USE_CASE, 2, settings, found.log, found.table) as server:
                before = under_load(server, lambda: time.sleep(1.0), check=found.note, pause=0.02)
                during = under_load(server, lambda disk=disk: fill(disk), check=found.note)
                ready = _status(server, "/ready")
                subprocess.run(["mount", "-o", "remount,size=256m", str(disk)], check=True)
                after = under_load(server, lambda: time.sleep(1.0), check=found.note)
                again = _status(server, "/ready")
            statuses = [Counter(status for status, _ in load.refused) for load in (before, during, after)]
            print(
                f"disk full midway, when_full: {when_full}: {found.compared()}; refused before, during and after "
                f"{[dict(each) for each in statuses]}, {before.failed + during.failed + after.failed} without an "
                f"answer, /ready {ready} while it is full and {again} after"
            )


def _status(server: Server, path: str) -> int:
    import urllib.error

    try:
        get(server.port, path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def bad(requests: int) -> None:
    """Requests that cannot be answered."""
    with evergreen(USE_CASE, settings=SETTINGS) as server:
        row = row_of(server.port)
        texts = [b"{", b"[" * 10_000, json.dumps({**row, "age": "x" * 2000}).encode(), b'{"age": NaN}', b"\xff" * 500]
        texts += [json.dumps({**row, "y" * 3000: 1}).encode(), json.dumps({**row, "income": 1e39}).encode()]
        bodies = [request("/predict", text, headers=HEADERS) for text in texts]
        uvloop.run(ask(server.port, bodies, total=2000))
        (pid,) = server.workers
        before = memory_mb(pid)
        load = uvloop.run(ask(server.port, bodies, total=requests))
        print(
            f"{requests:,} bad requests: statuses {sorted({status for status, _ in load.refused})}, {load.failed} "
            f"without an answer, longest answer {max(len(text) for _, text in load.refused)} bytes, memory "
            f"{memory_mb(pid) - before:+.1f} MB"
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["stops", "kills", "full", "bad"])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    {
        "stops": lambda: stops(chosen.times),
        "kills": lambda: kills(chosen.times),
        "full": full,
        "bad": lambda: bad(chosen.requests),
    }[chosen.part]()


if __name__ == "__main__":
    main()
