"""Promotions and rollbacks under load: does every answer say what its version says, and what do they cost?

    kedro run                                           two versions of churn
    python benchmarks/serving_swaps.py [--times 100]

8 keep-alive clients ask two workers, everything on. Intervals with a change of the alias and intervals without go by
turns, so that a machine that is busy is busy for both. Another process moves the alias. Reads ``EVERGREEN_DATA``; the
alias is set back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import uvloop

from evergreen import registry
from serving_load import Load, ask, request
from serving_servers import DATA, HEADERS, STORE, evergreen

USE_CASE = "churn"
INTERVAL_SECONDS = 1.0
PAUSE_SECONDS = 0.002
MOVER = """
import sys, mlflow
client = mlflow.MlflowClient()
client.get_registered_model(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    client.set_registered_model_alias(sys.argv[1], "champion", line.strip())
    print("moved", flush=True)
"""


class Mover:
    """A process that moves the alias when it is told to."""

    def __init__(self) -> None:
        surroundings = {**os.environ, "MLFLOW_TRACKING_URI": STORE}
        command = ["nice", sys.executable, "-c", MOVER, USE_CASE]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=surroundings)
        self.heard()

    def heard(self) -> None:
        """Wait for its next line."""
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def move(self, version: str) -> None:
        """Let the alias point at a version."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{version}\n")
        self.process.stdin.flush()
        self.heard()


@contextlib.contextmanager
def mover() -> Iterator[Mover]:
    """One, and the alias as it was when it goes."""
    former = registry.aliases_of(USE_CASE)[registry.CHAMPION]
    moving = Mover()
    try:
        yield moving
    finally:
        moving.move(former)
        moving.process.terminate()
        moving.process.wait(30)


@dataclass
class Watched:
    """What the answers were.

    Attributes:
        known: Probabilities of the rows by each version, from scikit-learn.
        seen: Answers by version.
        wrong: Answers that are not what their version says.
        latest: The version of the last answer.
    """

    known: dict[str, np.ndarray]
    latest: str
    seen: Counter[str] = field(default_factory=Counter)
    wrong: int = 0

    def check(self, place: int, answer: dict[str, Any]) -> None:
        """Recompute an answer with the version that it names."""
        self.latest = answer["model_version"]
        self.seen[self.latest] += 1
        self.wrong += abs(answer["probability"] - self.known[self.latest][place]) > 1e-12


async def interval(port: int, bodies: list[bytes], watched: Watched, moving: Mover, version: str | None) -> Load:
    """Some seconds of load; with a version, as long as it takes to be the one that answers."""
    end, last = time.monotonic() + INTERVAL_SECONDS, version or watched.latest
    over = lambda: time.monotonic() > end and watched.latest == last  # noqa: E731
    loading = asyncio.create_task(ask(port, bodies, pause=PAUSE_SECONDS, check=watched.check, until=over))
    if version is not None:
        await asyncio.to_thread(moving.move, version)
    return await loading


def swaps(times: int) -> None:
    """So many changes, and what came of them."""
    mlflow.set_tracking_uri(STORE)
    former = registry.aliases_of(USE_CASE)[registry.CHAMPION]
    other = next(v.version for v in registry.list_versions(USE_CASE) if v.version != former)
    with mover() as moving, evergreen(USE_CASE, workers=2) as server:
        spec = registry.load(USE_CASE, former).manifest.spec
        rows = pd.read_parquet(DATA / "04_feature" / USE_CASE / "features.parquet")[spec.features].sample(50)
        plain = rows.astype(object).where(rows.notna(), None).to_dict("records")
        bodies = [request("/predict", json.dumps(row, default=float).encode(), headers=HEADERS) for row in plain]
        known = {v: registry.load(USE_CASE, v).probabilities(rows) for v in (former, other)}
        watched = Watched({version: np.asarray(found) for version, found in known.items()}, former)
        uvloop.run(interval(server.port, bodies, watched, moving, None))
        pairs: list[list[Load]] = []
        try:
            for turn in range(times):
                versions = (None, (other, former)[turn % 2])
                pairs.append([uvloop.run(interval(server.port, bodies, watched, moving, v)) for v in versions])
        finally:
            report(watched, pairs)


def report(watched: Watched, pairs: list[list[Load]]) -> None:
    """What is printed."""
    one, two = watched.known.values()
    loads = [load for pair in pairs for load in pair]
    print(
        f"{len(pairs)} changes of version under load, {sum(watched.seen.values()):,} answers ({dict(watched.seen)}; "
        f"the versions differ by {np.abs(one - two).min():.2g} to {np.abs(one - two).max():.2g}): "
        f"{sum(load.failed for load in loads)} failed, {sum(len(load.refused) for load in loads)} refused, "
        f"{watched.wrong} not as their version says"
    )
    quiet, moved = (Load([s for pair in pairs for s in pair[side].seconds]) for side in (0, 1))
    for q in (0.5, 0.99, 0.999):
        with_, without = moved.quantile(q), quiet.quantile(q)
        print(f"  p{100 * q:g}: {with_:.2f} ms with a change, {without:.2f} without: {with_ / without:.2f} times")
    ratios = [pair[1].quantile(0.99) / pair[0].quantile(0.99) for pair in pairs]
    low, _, high = quantiles(ratios)
    print(f"  p99 by pairs: median {median(ratios):.2f}, quartiles {low:.2f} and {high:.2f}")
    print(f"  the first change, before which a version is proven: {ratios[0]:.2f}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the alias is set back whatever happens
    swaps(parser.parse_args().times)


if __name__ == "__main__":
    main()
