"""Weekly runs in the real pipeline, killed and resumed at random: do audit, looks and judged rows agree?

    python benchmarks/two_years.py [--weeks 104] [--kills 0.3] [--minutes 25]

`--env=test`, the retail source with 20,000 lines in 112 weeks, whose outcome changes on 2025-06-01; lines of its
first year stand a second time before it, so that 104 weeks can be lived through after the 37 of the first champion.
A run is a fork of this process, which has imported the libraries. Every week lives through monitoring and retraining at
its own `as_of`; a run is killed with SIGKILL at a random moment with the given chance, and the same week is run again.
Broken is: a champion that does not load with its reference, a change in the audit that is neither done nor abandoned, a
look that is counted twice or not at all, judged rows that are there twice or get fewer while the same recipe stands
against the same champion, a record of another week. Prints what happened each week, and how many things were broken.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from evergreen.datasets.synthetic.retail import LAST_DAY

ROOT = Path(__file__).resolve().parents[1]
USE_CASE = "high_value_sales"
WEEKS, LEARNT = 104, 37
FIRST = LAST_DAY - dt.timedelta(days=7 * WEEKS)
SOURCE = ("size: 8000", "size: 20000\n  scenarios: [{name: concept_change, start: 2025-06-01}]")


def lengthen(file: Path) -> None:
    """Write the source's first year once more before its first day, as far back as the first champion learns.

    Nothing has changed in that year yet. The file keeps its recipe in its metadata, so it passes for the source that
    the catalog describes.
    """
    if not (child := os.fork()):
        with KedroSession.create(
            project_path=ROOT, env="test", conf_source=str(Path(os.environ["EVERGREEN_DATA"]) / "conf")
        ) as session:
            session.load_context().catalog.load(f"{USE_CASE}.fact_sales")
        lines = pq.read_table(file)
        year = pa.scalar(7 * 52, pa.int32())
        shifted = {
            "date_key": pc.subtract(lines["date_key"].cast(pa.int32()), year).cast(pa.date32()),
            "sales_id": pc.add(lines["sales_id"], pc.add(pc.max(lines["sales_id"]), 1)),
        }
        again = pa.table([shifted.get(name, lines[name]) for name in lines.column_names], schema=lines.schema)
        first = FIRST - dt.timedelta(days=7 * LEARNT)
        wanted = pc.and_(
            pc.greater(again["date_key"], pa.scalar(first)), pc.less(again["date_key"], pc.min(lines["date_key"]))
        )
        pq.write_table(pa.concat_tables([again.filter(wanted), lines]), file)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("the source could not be made longer")


def run_forked(as_of: dt.date, pipelines: list[str], kill_after: float | None) -> int | None:
    """Exit code of a run in a process of its own; None where it was killed."""
    if not (child := os.fork()):
        code = 1
        try:
            with KedroSession.create(
                project_path=ROOT,
                env="test",
                conf_source=str(Path(os.environ["EVERGREEN_DATA"]) / "conf"),
                runtime_params={"as_of": as_of.isoformat()},
            ) as session:
                session.run(pipeline_names=pipelines, namespaces=[USE_CASE])
            code = 0
        except Exception:
            traceback.print_exc()
        os._exit(code)
    began = time.monotonic()
    while kill_after is not None and time.monotonic() - began < kill_after:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status)
        time.sleep(0.05)
    if kill_after is not None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def looked(data: Path) -> dict[str, Any]:
    """What a fresh process finds in the registry."""
    found = data / "found.json"
    if not (child := os.fork()):
        try:
            mlflow.set_tracking_uri(f"sqlite:///{data}/mlflow/mlflow.db")
            found.write_text(json.dumps(_registry()))
        except Exception:
            found.write_text(json.dumps({"broken": traceback.format_exc().splitlines()[-1]}))
        os._exit(0)
    os.waitpid(child, 0)
    return dict(json.loads(found.read_text()))


def _registry() -> dict[str, Any]:
    champion = registry.load(USE_CASE, registry.aliases_of(USE_CASE)["champion"])
    assert registry.reference(champion).metrics, "the champion has no reference metrics"
    lines = registry.history(USE_CASE)
    looks = [line.evidence["look"] for line in lines if line.action == "look" and line.from_version == champion.version]
    client = mlflow.MlflowClient()
    tags = client.get_model_version(USE_CASE, champion.version).tags
    judged: dict[str, list[tuple[int, int]]] = {}
    for row in registry.list_versions(USE_CASE):
        version = registry.load(USE_CASE, row.version)
        if version.manifest.parent_version == champion.version and registry.is_judged_forward(version):
            names = pd.read_parquet(version.folder / "forward.parquet")["row"]
            assert names.is_unique, f"version {row.version} has a judged row twice"
            recipe = client.get_model_version(USE_CASE, row.version).tags["recipe"]
            judged.setdefault(recipe, []).append((int(row.version), len(names)))
    return {
        "champion": champion.version,
        "audit": [f"{line.action} {line.state}" for line in lines],
        "looks": looks,
        "counted": int(tags.get("looks", 0)),
        "judged": judged,
    }


def faults_of(week: dt.date, found: dict[str, Any], data: Path) -> list[str]:
    """What does not agree."""
    if "broken" in found:
        return [found["broken"]]
    faults = [f"audit line {line}" for line in found["audit"] if line.endswith(("started", "conflict"))]
    if len(set(found["looks"])) != len(found["looks"]):
        faults.append(f"a look stands twice: {found['looks']}")
    if any(look > found["counted"] for look in found["looks"]):
        faults.append(f"looks {found['looks']} of {found['counted']} that were counted")
    for versions in found["judged"].values():
        sizes = [size for _, size in sorted(versions)]
        if sizes != sorted(sizes):
            faults.append(f"judged rows get fewer: {sizes}")
    record = json.loads((data / "08_reporting" / USE_CASE / "retraining.json").read_text())
    if record["as_of"] != week.isoformat():
        faults.append(f"retraining.json is of {record['as_of']}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no week begins later than that")
    parser.add_argument("--kills", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    data, rng = Path(os.environ["EVERGREEN_DATA"]), random.Random(asked.seed)
    shutil.copytree(ROOT / "conf", data / "conf")
    catalog = data / "conf" / "test" / "catalog.yml"
    catalog.write_text(catalog.read_text().replace(*SOURCE))
    lengthen(data / "01_raw" / "fact_sales.parquet")
    first = run_forked(FIRST, ["feature_engineering", "training", "evaluation"], None)
    if first:
        print("the first champion could not be made")
        return 1
    broken = killed = lived = 0
    seconds, end = 10.0, time.monotonic() + 60 * asked.minutes
    for number in range(asked.weeks):
        if time.monotonic() > end:
            break
        week, tries = FIRST + dt.timedelta(days=7 * (number + 1)), 0
        while True:
            tries += 1
            kill = rng.random() < asked.kills and tries < 4
            began = time.monotonic()
            code = run_forked(week, ["monitoring", "retraining"], rng.uniform(0, seconds) if kill else None)
            if code is not None:
                break
            killed += 1
        seconds = time.monotonic() - began
        found = looked(data)
        faults = [f"exit code {code}"] if code else faults_of(week, found, data)
        broken, lived = broken + len(faults), lived + 1
        status = json.loads((data / "08_reporting" / USE_CASE / "retraining.json").read_text())["status"]
        told = "; ".join(faults) or "agrees"
        print(f"{week} {status:12} champion {found.get('champion')}, {tries} tries, {told}", flush=True)
    print(f"{lived} weeks, {killed} runs killed, {broken} broken, champions {found.get('audit')}")
    return int(broken > 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("EVERGREEN_DATA", folder)
        sys.path.insert(0, str(ROOT / "tests"))
        import importlib

        import mlflow
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        from warm_kedro import LIBRARIES

        for library in LIBRARIES:
            importlib.import_module(library)
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        bootstrap_project(ROOT)
        from evergreen import registry

        sys.exit(main())
