"""Default search against the exhaustive grids and, with ``--peers``, against FLAML at the default's CPU budget.

    python benchmarks/training.py [--datasets retail churn] [--rows 1500] [--peers]

Every side trains on the same rows and is scored once on the same held-out rows; intervals are DeLong's, differences
are paired. CPU seconds include children; FLAML's start-up and its import are not counted.
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

import numpy as np
import pandas as pd
from scipy.special import expit

from evergreen.modelling.comparison import delong_test
from evergreen.modelling.delong import auc_covariance, auc_interval
from evergreen.modelling.search import Candidate, TrainingPolicy, train_candidates
from evergreen.modelling.splits import SplitPolicy, block_share
from evergreen.schema import TableSpec

GRIDS = {
    "HistGradientBoosting": {
        "max_iter": [25, 50, 100, 200],
        "learning_rate": [0.05, 0.1],
        "max_leaf_nodes": [7, 15, 31],
    },
    "LogisticRegression": {"C": [0.1, 1, 10], "penalty": ["l1", "l2"], "solver": ["liblinear", "saga"]},
    "RandomForest": {
        "n_estimators": [100, 200, 300],
        "max_depth": [10, 20, None],
        "min_samples_split": [2, 5, 10],
    },
    "GradientBoosting": {"n_estimators": [100, 200], "learning_rate": [0.1, 0.01], "max_depth": [3, 5, 7]},
    "NeuralNetwork": {
        "hidden_layer_sizes": [[50], [100], [50, 30]],
        "activation": ["relu", "tanh"],
        "alpha": [0.0001, 0.001],
    },
    "SVM": {"C": [0.1, 1, 10], "kernel": ["rbf", "linear"], "gamma": ["scale", "auto"]},
}
TEST_ROWS = 20_000
FOLDS = 3
FLAML_PACKAGES = ["flaml[automl]==2.7.0", "pandas", "pyarrow", "scikit-learn"]
FLAML = """
import resource, sys, time
import pandas as pd

folder, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
train, test = (pd.read_parquet(f"{folder}/{name}.parquet") for name in ("train", "test"))
texts = train.select_dtypes(exclude="number").columns
train, test = (each.astype(dict.fromkeys(texts, "category")) for each in (train, test))

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)

time.time = cpu  # so that FLAML's budget, meant in wall time, counts CPU seconds on a busy machine, too
from flaml import AutoML

start = cpu()
model = AutoML()
model.fit(
    train.drop(columns="y"), train["y"], task="classification", metric="roc_auc", time_budget=seconds, n_jobs=1,
    seed=seed, verbose=0,
)
used = cpu() - start
probability = model.predict_proba(test.drop(columns="y"))[:, 1]
pd.DataFrame({"probability": probability}).to_parquet(f"{folder}/flaml.parquet")
print(used, model.best_estimator)
"""


@dataclass(frozen=True)
class Side:
    """One search's winner on one dataset: its scores of the test rows, and what finding it cost."""

    name: str
    winner: str
    scores: np.ndarray
    cpu_seconds: float


def retail(rows: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Shaped like retail features: heavy tails, many categories, steps and interactions."""
    frame = pd.DataFrame({f"average_{i}": rng.lognormal(3, 0.8, rows) for i in range(6)})
    frame["deviation"] = frame["average_0"] * rng.lognormal(-1, 0.5, rows)
    frame["frequency"] = rng.poisson(12, rows).astype(float)
    frame["month"] = rng.integers(1, 13, rows).astype(float)
    frame["day_of_week"] = rng.integers(0, 7, rows).astype(float)
    for i in range(6):
        frame[f"noise_{i}"] = rng.normal(size=rows)
    levels = {"brand": 60, "category": 12, "format": 4, "city": 25}
    codes = {name: rng.integers(0, count, rows) for name, count in levels.items()}
    effects = {name: np.random.default_rng(count).normal(0, 0.5, count) for name, count in levels.items()}
    logs = np.log(frame[["average_0", "average_1", "average_2"]].to_numpy()) - 3
    weekend = frame["day_of_week"].to_numpy() >= 5
    margin = (
        -2
        + 1.4 * logs[:, 0]
        + 0.8 * logs[:, 1] * logs[:, 2]
        + 0.8 * (frame["frequency"].to_numpy() > 14)
        + 0.9 * weekend * (codes["format"] == 1)
        + 0.5 * np.cos(2 * np.pi * frame["month"].to_numpy() / 12)
        + sum(effects[name][codes[name]] for name in levels)
    )
    frame.loc[rng.random(rows) < 0.05, "average_1"] = np.nan
    for name, code in codes.items():
        frame[name] = np.char.add(f"{name} ", code.astype(str))
    return frame, (rng.random(rows) < expit(margin)).astype(np.int8)


def churn(rows: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Shaped like customers: ten columns, nearly linear, much noise."""
    frame = pd.DataFrame(
        {
            "age": rng.normal(35, 12, rows).clip(18, 80),
            "income": rng.lognormal(10.5, 0.6, rows),
            "credit_score": rng.normal(650, 100, rows).clip(300, 850),
            "balance": rng.lognormal(8, 1.5, rows),
            "frequency": rng.poisson(25, rows).astype(float),
            "average_transaction": rng.lognormal(4, 0.8, rows),
            "months": rng.exponential(24, rows).clip(1, 120),
            "products": rng.poisson(2.5, rows).clip(1, 10).astype(float),
            "engagement": rng.beta(3, 2, rows),
            "region": rng.choice(["North", "South", "East", "West"], rows, p=[0.3, 0.25, 0.25, 0.2]),
        }
    )
    margin = (
        -0.02 * (frame["age"] - 35)
        - 0.3 * (frame["credit_score"] - 650) / 100
        - 0.02 * np.log(frame["balance"] + 1)
        + 0.1 * (frame["frequency"] - 25) / 25
        - 0.3 * frame["engagement"]
    )
    return frame, (margin + rng.normal(0, 0.5, rows) > 0.06).to_numpy(dtype=np.int8)


DATASETS = {"retail": retail, "churn": churn}


def cpu_seconds() -> float:
    """CPU seconds of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def evergreen(strategy: str, X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, seed: int) -> Side:
    """Train under a strategy, every algorithm but the baseline."""
    numeric = list(X.select_dtypes("number"))
    spec = TableSpec(entity="row", target="y", numeric=numeric, categorical=[name for name in X if name not in numeric])
    share = block_share(pd.DataFrame({"row": np.arange(len(X))}))
    policy = TrainingPolicy(strategy=strategy, grids=GRIDS, seed=seed)

    def tell(each: Candidate) -> None:
        say(f"  {strategy} {each.algorithm}: CV AUC {each.cv_roc_auc_mean:.4f}, {each.fit_seconds:.0f} s of wall time")

    before = cpu_seconds()
    board = train_candidates(X, y, share, None, spec, policy, SplitPolicy(folds=FOLDS), on_result=tell)
    used = cpu_seconds() - before
    return Side(f"Evergreen, {strategy}", board[0].algorithm, board[0].pipeline.predict_proba(X_test)[:, 1], used)


def flaml(python: Path, X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, seed: int, budget: float) -> Side:
    """FLAML's search in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        X.assign(y=y).to_parquet(f"{folder}/train.parquet")
        X_test.assign(y=0).to_parquet(f"{folder}/test.parquet")
        command = [python, "-W", "ignore", "-c", FLAML, folder, budget, seed]
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1"}
        told = subprocess.run(
            list(map(str, command)), check=True, env=surroundings, stdout=subprocess.PIPE, text=True
        ).stdout.split()
        return Side("FLAML", told[-1], pd.read_parquet(f"{folder}/flaml.parquet")["probability"], float(told[-2]))


def peer_python(folder: str) -> Path:
    """A fresh virtual environment with FLAML."""
    say("setting FLAML up")
    python = Path(folder) / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--clear", folder], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *FLAML_PACKAGES], check=True)
    return python


def print_table(name: str, rows: int, y: np.ndarray, sides: list[Side]) -> None:
    ours = sides[0]
    print(f"\n{name}: {rows:,} training rows, {len(y):,} test rows\n")
    print("| search | winner | test AUC (95 %) | its AUC minus the default's (95 %) | CPU s | CPU, default = 1 |")
    print("|---|---|---|---|---|---|")
    for side in sides:
        found = auc_covariance(y, side.scores)
        low, high = auc_interval(found)[0]
        versus = ""
        if side is not ours:
            test = delong_test(y, ours.scores, side.scores)
            versus = f"{test.difference:+.4f} ({test.ci[0]:+.4f} to {test.ci[1]:+.4f})"
        auc, ratio = f"{found.aucs[0]:.4f} ({low:.4f} to {high:.4f})", side.cpu_seconds / ours.cpu_seconds
        print(f"| {side.name} | {side.winner} | {auc} | {versus} | {side.cpu_seconds:.1f} | {ratio:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--rows", type=int, default=1_500, help="training rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip-grid", action="store_true", help="leave the exhaustive grids out")
    parser.add_argument("--peers", action="store_true", help="set FLAML up in a temporary environment and run it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = peer_python(folder) if arguments.peers else None
        for name in arguments.datasets:
            say(name)
            X, y = DATASETS[name](arguments.rows + TEST_ROWS, np.random.default_rng(arguments.seed))
            train, test = slice(arguments.rows), slice(arguments.rows, None)
            given = (X[train], y[train], X[test], arguments.seed)
            sides = [evergreen("default", *given)]
            if python is not None:
                say(f"  FLAML, {sides[0].cpu_seconds:.0f} s of CPU")
                sides.append(flaml(python, *given, sides[0].cpu_seconds))
            if not arguments.skip_grid:
                sides.append(evergreen("grid", *given))
            print_table(name, arguments.rows, y[test], sides)


if __name__ == "__main__":
    main()
