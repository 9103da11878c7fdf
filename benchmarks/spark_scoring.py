"""Scoring on a local Spark: do CPU seconds a row stay the same, and does the driver stay small, as rows grow?

    python benchmarks/spark_scoring.py [--rows 1000000 3000000 10000000] [--cores 1 2]

Needs the `spark` extra and psutil; about ten minutes on two cores. Each size and number of cores runs in a process of
its own: Spark reads parquet, executors score with the version's plain arrays and write parquet. Prints wall seconds,
CPU seconds of driver, Java and executors together without Spark's start, CPU microseconds a row, the driver's peak
memory and rows per task.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq

from drift_tables import show, table
from evergreen.datasets import SparkLakeDataset, SparkPredictionsDataset
from evergreen.modelling.compiled import compile_pipeline
from evergreen.modelling.compiled_model import CompiledModel
from evergreen.modelling.parameters import ScoringParameters
from evergreen.modelling.scoring import TableScoring
from evergreen.predictions import Predictions
from scoring import BY, SPEC, fitted

PART = 500_000


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}"


def measured(lake: Path, cores: int, algorithm: str) -> dict[str, float | str]:
    """One size on so many cores, in this process and its children."""
    connection = {
        "backend": "pyspark",
        "spark.master": f"local[{cores}]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": False,
        "spark.log.level": "FATAL",
    }
    pipeline = fitted(algorithm)
    rows = SparkLakeDataset(lake=str(lake), table="rows", connection=connection).load()
    compiled = CompiledModel(compile_pipeline(pipeline), SPEC)
    scoring = TableScoring(rows, SPEC, pipeline.predict_proba, BY, ScoringParameters(), compiled, algorithm)
    with tempfile.TemporaryDirectory() as target:
        began, started = time.perf_counter(), tree_seconds()
        SparkPredictionsDataset(target).save(Predictions(BY.as_of, scoring.batches(), scoring))
        wall = time.perf_counter() - began
        parts = [pq.read_metadata(file).num_rows for file in Path(target).rglob("*.parquet")]
    cpu = tree_seconds() - started
    rows.get_backend()._session.stop()
    total = sum(parts)
    return {
        "rows": total,
        "cores": cores,
        "wall s": wall,
        "CPU s": cpu,
        "CPU µs a row": cpu / total * 1e6,
        "driver peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows a task": f"{min(parts):,} to {max(parts):,}",
    }


def tree_seconds() -> float:
    """CPU seconds of this process and all below it: Java, Python workers, and those that they waited for."""
    me = psutil.Process()
    times = [process.cpu_times() for process in [me, *me.children(recursive=True)]]
    ended = sum(each.children_user + each.children_system for each in times[1:])
    return float(sum(each.user + each.system for each in times) + ended)


def in_process(lake: Path, cores: int, algorithm: str) -> dict[str, float | str]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--lake", str(lake), "--cores", str(cores), "--algorithm", algorithm]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    found: dict[str, float | str] = json.loads(ended.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Every size on every number of cores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--algorithm", default="HistGradientBoosting")
    parser.add_argument("--lake", type=Path, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.lake:
        print(json.dumps(measured(asked.lake, asked.cores[0], asked.algorithm)))
        return
    print(f"{dt.date.today()}: {asked.algorithm}")
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as lake:
            folder = Path(lake) / "rows"
            folder.mkdir()
            for part, start in enumerate(range(0, rows, PART)):
                made = table(np.random.default_rng(part), min(PART, rows - start))
                ids = np.arange(start, start + len(made))
                made.assign(id=ids).to_parquet(folder / f"{part}.parquet", index=False)
            found = [in_process(Path(lake), cores, asked.algorithm) for cores in asked.cores]
        show(list(found[0]), [[_text(value) for value in line.values()] for line in found])


if __name__ == "__main__":
    main()
