"""Claims about the rows that a backtest reads: all of them once, the newest afterwards, all again where need be."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from evergreen.modelling.parameters import TrainingParameters
from evergreen.pipelines.policy_backtest.history import find_history, replayed
from evergreen.retraining.backtest.cells import COLUMNS, fill_cells
from evergreen.retraining.backtest.models import MODEL_COLUMNS, models_table
from evergreen.retraining.contenders import champions_recipe
from evergreen.retraining.forward_contenders import recipe_fit
from evergreen.retraining.parameters import BacktestPolicy
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

FIRST = dt.date(2026, 1, 1)
SPEC = TableSpec(entity="id", date="day", target="gone", positive=1, numeric=["a", "b"])
LABEL = LabelDefinition(target="gone", kind="positive", positive=1)
POLICY = BacktestPolicy(cell_rows=100, first_days=28)
SPLIT = SplitParameters(label_delay_days=7)
CHAMPION = SimpleNamespace(
    use_case="shop",
    version="1",
    manifest=SimpleNamespace(bounds=Bounds(dated=True, train_start=FIRST, judging_share=0.3), spec=SPEC, label=LABEL),
)
RECIPE = champions_recipe(TrainingParameters(strategy="none", n_jobs=1), "LogisticRegression", {"C": 1.0})


def table(days: int, per_day: int = 30) -> ibis.Table:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(days, per_day)).ravel()
    return ibis.memtable(
        pd.DataFrame({
            "id": np.arange(len(a)), "day": np.repeat(pd.date_range(FIRST, periods=days), per_day), "a": a,
            "b": rng.normal(size=len(a)), "gone": (rng.random(len(a)) < 1 / (1 + np.exp(-a))).astype(int),
        })
    )  # fmt: skip


def run(days: int, cells: pd.DataFrame, models: pd.DataFrame, recipe: TrainingParameters = RECIPE):
    today = FIRST + dt.timedelta(days=days - 1)
    history = find_history(CHAMPION, table(days), SPEC, SPLIT, POLICY, today)
    found = replayed(CHAMPION, history, cells, models, SPEC, SPLIT, recipe, POLICY)
    cells, fitted = fill_cells(
        found.rows, found.windows, recipe_fit(recipe), "1", found.recipe, POLICY.cell_rows, cells, 1, found.models
    )
    return found, cells, models_table(found.models, fitted, "1", found.recipe), fitted


@pytest.fixture(scope="module")
def first():
    nothing = (pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(MODEL_COLUMNS)))
    return run(140, *nothing)


def test_a_week_later_few_days_are_read_and_the_cells_are_those_of_all_days(first):
    whole, cells, models, _ = first
    later, longer, _, fitted = run(147, cells, models)
    assert len(whole.windows.ends) == (140 - 7 - 28 - 7) // 7
    assert len(later.windows.ends) == len(whole.windows.ends) + 1
    assert len(fitted) == 1
    assert len(later.rows.y) < 0.3 * len(whole.rows.y)
    newest = longer[longer["window_end"] == longer["window_end"].max()]
    assert len(newest) == len(later.windows.ends)
    assert newest["auc"].between(0.55, 0.95).all()
    assert (newest["rows"] > 60).all()
    assert (newest["drift"] > 0).all()
    learnt_until = later.windows.learnt_until(len(later.windows.ends) - 1)
    assert (later.rows.day_numbers <= learnt_until).sum() >= POLICY.cell_rows


def test_another_recipe_or_lost_cells_read_all_days_again(first):
    whole, cells, models, _ = first
    other = champions_recipe(TrainingParameters(strategy="none", n_jobs=1), "LogisticRegression", {"C": 0.1})
    assert len(run(147, cells, models, other)[0].rows.y) > 0.9 * len(whole.rows.y)
    found, longer, _, fitted = run(147, cells.iloc[:-5], models)
    assert len(found.rows.y) > 0.9 * len(whole.rows.y)
    assert len(longer) == len(found.windows.ends) * (len(found.windows.ends) + 1) // 2
    assert len(fitted) == 1
