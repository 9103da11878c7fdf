"""Scoring a million rows beside the least that it can cost (reading, ``predict_proba``, writing) and beside MLflow.

    python benchmarks/scoring.py [--rows 1000000] [--algorithm HistGradientBoosting]

About two minutes on two cores. Evergreen and the plain side read the same parquet file, score it with the same fitted
pipeline and write keys, features and probability as parquet, each in a process of its own. The plain side holds the
whole table in memory; Evergreen works in batches and adds the other columns of ``predictions``. ``mlflow models
predict`` reads the same rows as CSV, which somebody wrote for it, and writes probabilities as JSON; its imports count.
Prints CPU and wall seconds, peak memory and Evergreen's part of the others'.
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

import ibis
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from drift_tables import show, table
from evergreen.datasets.predictions import PredictionsDataset
from evergreen.modelling.estimators import make_pipeline
from evergreen.modelling.parameters import ScoringParameters
from evergreen.modelling.scoring import TableScoring
from evergreen.predictions import Predictions, ScoredBy
from evergreen.registry.artefacts import save_model
from evergreen.schema import TableSpec

SPEC = TableSpec(
    entity="id",
    target="y",
    positive=1,
    numeric=[f"x{i}" for i in range(10)],
    categorical=[f"c{i}" for i in range(5)],
)
PROCESSES = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
BY = ScoredBy("benchmark", "1", threshold=0.5, as_of=dt.date(2026, 2, 28))


def fitted(algorithm: str) -> Pipeline:
    """The same pipeline in every process."""
    rng = np.random.default_rng(0)
    rows = table(rng, 5_000)
    y = (rows["x0"] + rows["x1"] + rng.normal(size=len(rows)) > 0).to_numpy().astype(int)
    return make_pipeline(algorithm, SPEC, {}, seed=0).fit(rows[SPEC.features], y)


def plain(pipeline: Pipeline, source: Path, target: Path) -> None:
    """Everything in memory, once."""
    rows = pd.read_parquet(source)
    rows["probability"] = pipeline.predict_proba(rows[SPEC.features])[:, 1]
    rows.to_parquet(target / "predictions.parquet", index=False)


def evergreen(pipeline: Pipeline, source: Path, target: Path) -> None:
    """What ``kedro run --pipeline=scoring`` does with the whole table."""
    connection = ibis.duckdb.connect(threads=2, memory_limit="2GB", preserve_insertion_order=False)
    rows = connection.read_parquet(str(source))
    scoring = TableScoring(rows, SPEC, lambda frame: pipeline.predict_proba(frame)[:, 1], BY, ScoringParameters())
    PredictionsDataset(str(target)).save(Predictions(BY.as_of, scoring.batches()))


def mlflow_predict(pipeline: Pipeline, source: Path, target: Path) -> None:
    """What a batch job of ``mlflow models predict`` does."""
    model, answers = target / "model", target / "answers.json"
    save_model(pipeline, pd.read_parquet(source).head()[SPEC.features], model)
    mlflow = Path(sys.executable).with_name("mlflow")
    command = [mlflow, "models", "predict", "--env-manager", "local", "-t", "csv", "-m", model, "-o", answers]
    subprocess.run([*command, "-i", source.with_suffix(".csv")], check=True, stdout=sys.stderr)
    assert answers.stat().st_size > source.stat().st_size / 100


SIDES = {"reading, predict_proba, writing": plain, "mlflow models predict": mlflow_predict, "evergreen": evergreen}


def measured(side: str, algorithm: str, source: Path) -> dict[str, float]:
    """One side in this process."""
    pipeline = fitted(algorithm)
    with tempfile.TemporaryDirectory() as target:
        cpu, wall = spent(), time.perf_counter()
        SIDES[side](pipeline, source, Path(target))
        found = {"CPU s": spent() - cpu, "wall s": time.perf_counter() - wall}
    return found | {"peak MB": max(resource.getrusage(who).ru_maxrss for who in PROCESSES) / 1024}


def spent() -> float:
    """CPU seconds of this process and of those that it waited for."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, PROCESSES))


def main(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "rows.parquet"
        rows = table(np.random.default_rng(1), args.rows).assign(id=np.arange(args.rows), y=0)
        rows.to_parquet(source, index=False)
        rows[SPEC.features].to_csv(source.with_suffix(".csv"), index=False)
        del rows
        found = {}
        for side in SIDES:
            command = [sys.executable, __file__, "--algorithm", args.algorithm, "--side", side, "--source", str(source)]
            told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            found[side] = json.loads(told.splitlines()[-1])
    lines = [[side, *(f"{value:,.1f}" for value in of_side.values())] for side, of_side in found.items()]
    ours = found["evergreen"]
    others = [side for side in SIDES if side != "evergreen"]
    lines += [[f"evergreen / {side}", *(f"{ours[name] / found[side][name]:.2f}" for name in ours)] for side in others]
    show([f"{args.rows:,} rows × 15, {args.algorithm}", *ours], lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--algorithm", default="HistGradientBoosting")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        print(json.dumps(measured(chosen.side, chosen.algorithm, chosen.source)))
    else:
        main(chosen)
