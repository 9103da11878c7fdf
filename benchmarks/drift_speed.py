"""How long profiles and comparisons take, on numbers and strings of fifteen columns.

    python benchmarks/drift_speed.py

CPU seconds, wall seconds and, where a process is measured on its own, peak memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from drift_tables import show, table
from evergreen.monitoring import DriftPolicy, Profile, build_profile, compare_profiles
from evergreen.monitoring.drift.by_group import compare_groups


def measured(action: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - wall


def speed() -> None:
    rng = np.random.default_rng(0)
    million = table(rng, 1_000_000)
    cpu, wall = measured(lambda: build_profile(million))
    lines = [["reference profile, 1 M × 15", f"{cpu:.2f}", f"{wall:.2f}", ""]]
    reference = build_profile(million)
    cpu, wall = measured(lambda: compare_profiles(reference, build_profile(million, reference)))
    lines.append(["window against stored profile, 1 M × 15", f"{cpu:.2f}", f"{wall:.2f}", ""])
    lines.append(["the same, within fifty stores, too", *within_stores(million, rng)])
    with tempfile.TemporaryDirectory() as folder:
        for part in range(10):
            million.to_parquet(f"{folder}/{part}.parquet")
        (Path(folder) / "reference.json").write_text(reference.model_dump_json())
        command = [sys.executable, __file__, folder]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines.append(["window against stored profile, 10 M × 15 parquet", *json.loads(found)])
    wide = pd.DataFrame(rng.normal(size=(300_000, 300))).rename(columns="x{}".format)
    cpu, wall = measured(lambda: build_profile(wide))
    lines.append(["reference profile, 300k × 300", f"{cpu:.2f}", f"{wall:.2f}", ""])
    show(["what", "CPU s", "wall s", "peak MB"], lines)


def within_stores(million: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    """A window against a stored profile with counts by group, all columns within all groups judged."""
    names = pd.array([f"s{number}" for number in range(50)], dtype="str")
    rows = million.assign(store=names[rng.integers(0, 50, len(million))])
    reference = build_profile(rows, groups=["store"], blocks=np.arange(len(rows)))

    def judged() -> None:
        window = build_profile(rows, reference)
        compare_profiles(reference, window)
        compare_groups(reference, window, DriftPolicy())

    cpu, wall = measured(judged)
    return [f"{cpu:.2f}", f"{wall:.2f}", ""]


def parquet(folder: Path) -> None:
    """Helper of ``speed``: one process that profiles a folder of parquet files."""
    reference = Profile.model_validate_json((folder / "reference.json").read_text())
    connection = ibis.duckdb.connect(threads=2, memory_limit="400MB", preserve_insertion_order=False)
    rows = connection.read_parquet(f"{folder}/*.parquet")
    cpu, wall = measured(lambda: compare_profiles(reference, build_profile(rows, reference)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([f"{cpu:.2f}", f"{wall:.2f}", f"{peak:.0f}"]))


if __name__ == "__main__":
    parquet(Path(sys.argv[1])) if len(sys.argv) > 1 else speed()
