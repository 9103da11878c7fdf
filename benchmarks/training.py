"""Default search against the exhaustive grids and, with ``--peers``, against FLAML at the default's CPU budget.

    python benchmarks/training.py [--datasets retail churn] [--rows 1500] [--peers]
    python benchmarks/training.py --datasets churn --rows 1000000 --skip-grid --three-fits

Every side trains on the same rows and is scored once on the same held-out rows; intervals are DeLong's, differences
are paired. CPU seconds include children; FLAML's start-up and its import are not counted. FLAML's budget is meant in
wall time: it gets the default's CPU seconds on one thread, so run it on a quiet machine, where both are the same.
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

import ibis
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.datasets.synthetic.dataset import write_recipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.evaluation.auc import auc_covariance, auc_interval
from evergreen.evaluation.comparison import delong_test
from evergreen.modelling.search import Candidate, TrainingParameters, train_candidates
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import block_share
from evergreen.schema import TableSpec
from retail_star import retail_features

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
SALES_LINES = 100_000
FOLDS = 3
FLAML_PACKAGES = ["flaml[automl]==2.7.0", "pandas", "pyarrow", "scikit-learn"]
FLAML = """
import resource, sys
import pandas as pd

folder, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
train, test = (pd.read_parquet(f"{folder}/{name}.parquet") for name in ("train", "test"))
texts = train.select_dtypes(exclude="number").columns
train, test = (each.astype(dict.fromkeys(texts, "category")) for each in (train, test))

from flaml import AutoML

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)

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


def retail(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The built-in star schema: features of sales lines as training sees them, and whether the amount is large."""
    with tempfile.TemporaryDirectory() as folder:
        con = ibis.duckdb.connect()
        tables = []
        for table in ("fact_sales", "dim_product", "dim_store"):
            write_recipe(RetailRecipe(table=table, size=SALES_LINES, seed=seed), Path(folder) / f"{table}.parquet")
            tables.append(con.read_parquet(f"{folder}/{table}.parquet"))
        features = retail_features(*tables).to_pandas()
    settled = features[features["date"] >= features["date"].min() + pd.Timedelta(days=90)]
    sample = settled.sort_values("sales_id").sample(rows, random_state=seed).reset_index(drop=True)
    amount = sample["sales_amount"]
    return sample.drop(columns=NO_FEATURES), (amount > amount.quantile(0.8)).to_numpy(dtype=np.int8)


def churn(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The built-in customers: ten columns, nearly linear, much noise."""
    recipe = ChurnRecipe(table="customers", size=rows, seed=seed)
    customers = pd.concat([chunk.to_pandas() for chunk in recipe.chunks()], ignore_index=True)
    outcome = customers["churned"].to_numpy(dtype=np.int8)
    return customers.drop(columns=["customer_id", "churned", "snapshot_date"]), outcome


NO_FEATURES = ["sales_id", "date", "store_id", "product_id", "retailer_id", "sales_amount", "sales_quantity"]
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
    policy = TrainingParameters(strategy=strategy, grids=GRIDS, seed=seed)

    def tell(each: Candidate) -> None:
        say(f"  {strategy} {each.algorithm}: CV AUC {each.cv_roc_auc_mean:.4f}, {each.fit_seconds:.0f} s of wall time")

    before = cpu_seconds()
    board = train_candidates(X, y, share, None, spec, policy, SplitParameters(folds=FOLDS), on_result=tell)
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


def three_fits(X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, seed: int) -> Side:
    """scikit-learn's boosted trees as they come, fitted three times on all rows."""
    texts = X.select_dtypes(exclude="number").columns
    encoder = make_column_transformer((OrdinalEncoder(), list(texts)), remainder="passthrough")
    before = cpu_seconds()
    for _ in range(3):
        model = make_pipeline(encoder, HistGradientBoostingClassifier(random_state=seed)).fit(X, y)
    used = cpu_seconds() - before
    return Side("three fits of scikit-learn's default", "HistGradientBoosting", model.predict_proba(X_test)[:, 1], used)


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
    parser.add_argument("--three-fits", action="store_true", help="beside three plain fits on all rows")
    parser.add_argument("--peers", action="store_true", help="set FLAML up in a temporary environment and run it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = peer_python(folder) if arguments.peers else None
        for name in arguments.datasets:
            say(name)
            X, y = DATASETS[name](arguments.rows + TEST_ROWS, arguments.seed)
            train, test = slice(arguments.rows), slice(arguments.rows, None)
            given = (X[train], y[train], X[test], arguments.seed)
            sides = [evergreen("default", *given)]
            if python is not None:
                say(f"  FLAML, {sides[0].cpu_seconds:.0f} s of CPU")
                sides.append(flaml(python, *given, sides[0].cpu_seconds))
            if arguments.three_fits:
                sides.append(three_fits(*given))
            if not arguments.skip_grid:
                sides.append(evergreen("grid", *given))
            print_table(name, arguments.rows, y[test], sides)


if __name__ == "__main__":
    main()
