"""Kill every command at random moments and start two at once: is what they leave whole, and does the next one succeed?

    python benchmarks/faults.py                                    50 kills of each command, every MLflow write, races
    python benchmarks/faults.py --kills 2 --writes-step 10         the same, in minutes

Each command runs on a copy of a data folder in which the lifecycle ran once (`--env=test --namespaces=churn`; but for a
retraining, which is due), its libraries imported before, so that every moment is one of its work. A killed process is
ended by the system, at once and without a chance to tidy up. Broken is: a champion that does not load with its
reference, a record or table that cannot be read, a next command that fails, a file of a killed process that the next
run leaves beside the others.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import pandas as pd

from evergreen import registry
from evergreen.registry.database import database_uri, is_whole

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))
from warm_kedro import run_warm  # noqa: E402 - found by the line above

PATIENCE_SECONDS = 900
RUN = ["run", "--env=test", "--namespaces=churn"]
MODELS = ["--use-case=churn", "--env=test", "--json"]
COMMANDS = {
    "first run": RUN,
    "later run": RUN,
    "retraining": [*RUN, "--pipelines=retraining"],
    "promote": ["models", "promote", "--version=1", "--reason=by hand", *MODELS],
    "rollback": ["models", "rollback", "--reason=by hand", *MODELS],
    "prune": ["models", "prune", "--samples", "--yes", *MODELS],
}
WATCHED = [*RUN, "--pipelines=feature_engineering,training,evaluation,scoring,monitoring"]  # a retraining is due
EARLIER = [*RUN, "--pipelines=feature_engineering"]
STAGES = {name: [*RUN, f"--pipelines={name}"] for name in ("training", "evaluation")}


def start(data: Path, command: list[str]) -> subprocess.Popen[str]:
    return spawn(data, [sys.executable, "-m", "kedro", *command])


def spawn(data: Path, words: list[str], **environment: str) -> subprocess.Popen[str]:
    surroundings = {**os.environ, "EVERGREEN_DATA": str(data), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(
        words, cwd=ROOT, env=surroundings, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def warm(
    data: Path, command: list[str], seconds: float = PATIENCE_SECONDS, die_at: int = 0
) -> subprocess.CompletedProcess[str]:
    """A command in a process that finds the libraries imported; ended by the system after so many seconds or writes."""
    surroundings = {**os.environ, "EVERGREEN_DATA": str(data), "OMP_NUM_THREADS": "1", "DIE_AT": str(die_at)}
    return run_warm(command, surroundings, seconds, "benchmarks.mlflow_writes" if die_at else "")


def check(data: Path) -> None:
    """Read everything that people and programs rely on.

    Raises:
        Exception: Whatever the first unreadable thing makes its reader raise.
    """
    database = data / "mlflow" / "mlflow.db"
    if database.exists():
        if not is_whole(database):
            raise ValueError("the database is half made")
        mlflow.set_tracking_uri(database_uri(database))
        champion = registry.aliases_of("churn").get("champion")
        if champion:
            registry.reference(registry.check_version("churn", champion).version)
        registry.history("churn")
    for record in data.glob("08_reporting/churn/*.json"):
        json.loads(record.read_text())
    for table in data.rglob("*.parquet"):
        pd.read_parquet(table)


def broken(data: Path, command: list[str], may_refuse: bool) -> str:
    """What is broken after a kill; empty where nothing is."""
    try:
        check(data)
    except Exception as error:  # any fault is one of the state that was left
        return f"{type(error).__name__}: {error}"
    after = warm(data, command)
    said = after.stdout + after.stderr
    if "Traceback" in said or (after.returncode and not may_refuse):
        return "\n".join(said.splitlines()[-12:]) or f"the next command ended with {after.returncode}"
    left = list((data / "07_model_output").rglob("*.new"))
    return f"left behind: {left[0].name}" if left else ""


def killed(data: Path, command: list[str], after_seconds: float) -> bool:
    """Whether a command was still running when its moment came."""
    try:
        warm(data, command, after_seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def timed(data: Path, command: list[str]) -> float:
    began = time.monotonic()
    done = warm(data, command)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return time.monotonic() - began


def kills(name: str, fresh: Callable[[], Path], count: int, rng: random.Random) -> list[str]:
    command = COMMANDS[name]
    changes_alias = name in ("promote", "rollback")  # a kill after the move leaves nothing to promote or roll back
    seconds, faults, hits = timed(fresh(), command), [], 0
    for _ in range(count):
        data = fresh()
        hits += killed(data, command, rng.uniform(0.01, seconds))
        faults += [fault] if (fault := broken(data, command, changes_alias)) else []
        shutil.rmtree(data, ignore_errors=True)
    print(f"{name:<12} {count:>4} kills, {hits:>4} before its end ({seconds:.0f} s): {len(faults)} broken", flush=True)
    return faults


def dies_at_writes(stage: str, fresh: Callable[[], Path], step: int, whole_each: int) -> list[str]:
    """Kill a stage before every so many of its writes to MLflow; it is repeated, now and then by a whole run."""
    faults, number, deaths = [], 1, 0
    while True:
        data = fresh()
        if warm(data, STAGES[stage], die_at=number).returncode != -signal.SIGKILL:
            break
        deaths += 1
        after = STAGES[stage] if deaths % whole_each else RUN
        faults += [f"write {number}: {fault}"] if (fault := broken(data, after, may_refuse=False)) else []
        shutil.rmtree(data, ignore_errors=True)
        number += step
    print(f"{stage:<12} killed at {deaths} of its MLflow writes, each {step}: {len(faults)} broken", flush=True)
    return faults


def races(name: str, fresh: Callable[[], Path]) -> list[str]:
    data = fresh()
    pair = [start(data, COMMANDS[name]) for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in pair]
    codes = sorted(process.returncode for process in pair)
    faults = [text.splitlines()[-1] for text in said if "Traceback" in text]
    faults += [f"both failed: {said[0].splitlines()[-1]}"] if codes[0] else []
    faults += [fault] if (fault := broken(data, COMMANDS[name], may_refuse=name in ("promote", "rollback"))) else []
    print(f"{name:<12} two at once: exit codes {codes}, {len(faults)} broken", flush=True)
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--writes-step", type=int, default=1, help="die at every so many MLflow writes; 0: at none")
    parser.add_argument("--only", default=",".join(COMMANDS), help="commands, with commas; empty: none")
    parser.add_argument("--whole-each", type=int, default=10, help="after so many of them, a whole run follows")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        lived, empty, watched = (Path(name) / each for each in ("lived", "empty", "watched"))
        empty.mkdir()
        if asked.only:
            timed(lived, RUN)
        if "retraining" in asked.only:
            timed(watched, WATCHED)
        from_which = {"first run": empty, "retraining": watched}

        def copy(of: Path) -> Path:
            return Path(shutil.copytree(of, Path(tempfile.mkdtemp(dir=name)) / "data"))

        faults: dict[str, list[str]] = {}
        for command in filter(None, asked.only.split(",")):
            fresh = functools.partial(copy, from_which.get(command, lived))
            faults[command] = kills(command, fresh, asked.kills, rng) + races(command, fresh)
        if asked.writes_step:
            prepared = Path(name) / "prepared"
            timed(prepared, EARLIER)
            for stage in STAGES:
                faults[stage] = dies_at_writes(stage, lambda: copy(prepared), asked.writes_step, asked.whole_each)
                timed(prepared, STAGES[stage])
    broken_states = {command: found for command, found in faults.items() if found}
    print(json.dumps(broken_states, indent=2) if broken_states else "0 broken states")
    sys.exit(bool(broken_states))


if __name__ == "__main__":
    main()
