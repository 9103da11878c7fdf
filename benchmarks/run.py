"""Where does the time of a run go: CPU and wall seconds by command, by node, by import and by MLflow call.

    python benchmarks/run.py                                  a first run, a second, each pipeline and command alone
    python benchmarks/run.py --only "second run" --top 15     one of them, with fifteen lines of each kind

Every command is a process of its own with a data folder that those before it left. CPU seconds are of all threads
(and of worker processes that have ended); an import's are the seconds of its package's own modules, an MLflow call's
those of the outermost client call.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PIPELINES = ("feature_engineering", "training", "evaluation", "scoring", "monitoring", "retraining", "reporting")
COMMANDS = {
    "first run": ["run"],
    "second run": ["run"],
    **{name: ["run", f"--pipelines={name}"] for name in PIPELINES},
    "models list": ["models", "list"],
    "models history": ["models", "history", "--use-case=churn"],
    "check-conf": ["check-conf"],
}
WATCHED = """
import atexit, functools, json, os, resource, sys, time
def spent():
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime
found, inside = {"nodes": [], "calls": []}, []
def timed(kind, name, work):
    @functools.wraps(work)
    def call(*arguments, **options):
        if kind == "calls" and inside:
            return work(*arguments, **options)
        cpu, wall = spent(), time.perf_counter()
        if kind == "calls":
            inside.append(name)
        try:
            return work(*arguments, **options)
        finally:
            if kind == "calls":
                inside.pop()
            label = name or arguments[0].node.name
            found[kind].append((label, spent() - cpu, time.perf_counter() - wall))
    return call
def watch():
    import kedro.runner.task
    kedro.runner.task.Task.execute = timed("nodes", "", kedro.runner.task.Task.execute)
class Watcher:  # MLflow's client is watched once the command itself imports it
    def find_spec(self, name, path=None, target=None):
        if name == "mlflow.tracking.client" and self in sys.meta_path:
            sys.meta_path.remove(self)
            import importlib.util
            spec = importlib.util.find_spec(name)
            load = spec.loader.exec_module
            def exec_module(module):
                load(module)
                for each, method in vars(module.MlflowClient).items():
                    if callable(method) and not each.startswith("_"):
                        setattr(module.MlflowClient, each, timed("calls", each, method))
            spec.loader.exec_module = exec_module
            return spec
        return None
sys.meta_path.insert(0, Watcher())
def said():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with open(os.environ["FOUND"], "w") as file:
        json.dump({**found, "cpu": spent(), "peak": peak}, file)
atexit.register(said)
sys.argv = ["evergreen", *sys.argv[1:]]
if sys.argv[1] == "run":
    watch()
from evergreen.__main__ import main
main()
"""


def run(command: list[str], data: Path) -> dict[str, Any]:
    """A command's seconds, its nodes, its calls, and what each imported package took."""
    record = data.parent / "found.json"
    surroundings = {**os.environ, "EVERGREEN_DATA": str(data), "FOUND": str(record)}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", WATCHED, *command],
        cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout + "\n".join(x for x in done.stderr.splitlines() if "import time" not in x))
    return json.loads(record.read_text()) | {"wall": time.perf_counter() - began, "imports": imports(done.stderr)}


def imports(said: str) -> dict[str, float]:
    """Seconds that the modules of each package took themselves, from ``-X importtime``."""
    seconds: dict[str, float] = defaultdict(float)
    for line in said.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            own, _, module = line.removeprefix("import time:").split("|")
            seconds[module.strip().partition(".")[0]] += int(own) / 1e6
    return dict(seconds)


def totals(calls: list[tuple[str, float, float]]) -> dict[str, tuple[int, float, float]]:
    """How often, CPU and wall seconds by name."""
    found: dict[str, tuple[int, float, float]] = {}
    for name, cpu, wall in calls:
        count, before, waited = found.get(name, (0, 0.0, 0.0))
        found[name] = (count + 1, before + cpu, waited + wall)
    return found


def show(name: str, found: dict[str, Any], top: int) -> None:
    nodes, calls = totals(found["nodes"]), totals(found["calls"])
    imported = sum(found["imports"].values())
    cpu, wall, called = found["cpu"], found["wall"], sum(each[1] for each in calls.values())
    print(f"\n## {name}: {cpu:.1f} CPU s, {wall:.1f} s, {found['peak']:.0f} MB")
    print(f"imports {imported:.1f} s, nodes {sum(each[1] for each in nodes.values()):.1f} CPU s, ", end="")
    print(f"{len(found['calls'])} MLflow calls {called:.1f} CPU s")
    for title, rows in (("node", nodes), ("MLflow call", calls)):
        for label, (count, spent, waited) in sorted(rows.items(), key=lambda row: -row[1][1])[:top]:
            print(f"  {title:<12} {label:<44} {count:>4} x {spent:>6.2f} CPU s {waited:>6.2f} s")
    for package, seconds in sorted(found["imports"].items(), key=lambda row: -row[1])[:top]:
        print(f"  {'import':<12} {package:<44} {seconds:>13.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default=",".join(COMMANDS), help="which, with commas; a first run is made anyhow")
    parser.add_argument("--top", type=int, default=6, help="lines of each kind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        for name in ["first run", *(each for each in asked.only.split(",") if each != "first run")]:
            found = run(COMMANDS[name], data)
            if name in asked.only.split(","):
                show(name, found, asked.top)
    print(f"\npeak of the largest child: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
