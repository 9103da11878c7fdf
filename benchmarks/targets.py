"""Every target for speed and size, measured in one run, peers beside.

    python benchmarks/targets.py                       about ten minutes on two idle cores
    python benchmarks/targets.py --only serving        those whose name contains this
    python benchmarks/targets.py --peers               and with other packages in environments of their own

Each target is measured by a benchmark of its own, a process after the other; what these print follows the target, and
then the CPU seconds and the largest process of the whole. Runs and versions lie in a data folder of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
KEDRO = str(Path(PYTHON).with_name("kedro"))


@dataclass(frozen=True)
class Target:
    """Something that is measured.

    Attributes:
        name: What.
        asked: What it should be.
        command: What measures it.
        with_peers: What is added to the command where other packages are asked for.
        served: Whether it needs champions to serve.
    """

    name: str
    asked: str
    command: tuple[str, ...]
    with_peers: tuple[str, ...] = ()
    served: bool = False


def script(name: str, *options: str) -> tuple[str, ...]:
    """A benchmark of this folder."""
    return (PYTHON, f"benchmarks/{name}.py", *options)


TARGETS = (
    Target(
        "kedro run",
        "both use cases in 45 s, in 15 s where nothing has changed",
        script("run", "--only", "first run,second run,models list", "--top", "3"),
    ),
    Target(
        "features",
        "10 M lines at most 1.5 times DuckDB's write of the same table, 1 M lines 2 times, 1 GB; pandas beside",
        script("features"),
    ),
    Target("one week's features", "the week's own rows alone", script("features", "--rows", "10000000", "--week")),
    Target(
        "drift", "1 M rows × 15 against a stored profile .5 CPU s; 10 M parquet rows 5 s, 600 MB", script("drift_speed")
    ),
    Target(
        "training",
        "AUC no worse than the exhaustive grids' at a tenth of their CPU; FLAML beside",
        script("training"),
        ("--peers",),
    ),
    Target("batches", "`mlflow models predict` and plain scikit-learn beside", script("scoring")),
    Target(
        "serving",
        "CPU of a request 1/100 of `mlflow models serve`'s, .6 of FastAPI's constant; a worker 160 MB, ready in 1.5 s",
        script("serving", "--rounds", "1"),
        ("--peers",),
        served=True,
    ),
    Target(
        "swap under load",
        "nothing failed or wrong, p99 1.2 times",
        script("serving_swaps", "--times", "30"),
        served=True,
    ),
    Target("experiments", "10 M exposures in 30 s and 1 GB", script("experiments", "size")),
)


def measured(target: Target, peers: bool, environment: dict[str, str]) -> None:
    """Print what a target's benchmark says, and what it took."""
    print(f"\n## {target.name}\n\nAsked: {target.asked}.\n", flush=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [*target.command, *(target.with_peers if peers else ())]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(done.stdout.strip())
    if done.returncode:
        print(f"\nended with {done.returncode}: {done.stderr.strip()[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"\n{cpu:.0f} CPU s, {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="targets whose name contains this")
    parser.add_argument("--peers", action="store_true", help="other packages, too, where a benchmark knows some")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "EVERGREEN_DATA": data}
        chosen = [target for target in TARGETS if args.only in target.name]
        if any(target.served for target in chosen):
            subprocess.run([KEDRO, "run"], cwd=ROOT, env=environment, capture_output=True, check=True)
        for target in chosen:
            measured(target, args.peers, environment)


if __name__ == "__main__":
    main()
