"""Claims about what a challenger learns from, and about retraining over simulated weeks."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import ibis
import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.modelling.parameters import TrainingParameters
from evergreen.retraining.contenders import RowPool, champions_recipe, train_contenders
from evergreen.retraining.parameters import CandidatePolicy
from evergreen.retraining.row_pool import challenger_bounds, count_new_labelled, select_pool
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds, block_share, training_mask, undated
from evergreen.schema import TableSpec

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "retraining.py"
TODAY = dt.date(2026, 3, 1)
SPEC = TableSpec(entity="id", date="day", target="gone", positive=1, numeric=["a", "b"])
SNAPSHOTS = SPEC.model_copy(update={"date": None, "snapshot_date": "taken"})
LABEL = LabelDefinition(target="gone", kind="positive", positive=1)
SPLIT = SplitParameters(history_days=0, test_days=30)
FAST = TrainingParameters(algorithms=["LogisticRegression"], strategy="none", n_jobs=1)
CHAMPION = Bounds(
    dated=True,
    train_start=dt.date(2025, 9, 1),
    train_end=dt.date(2026, 1, 30),
    test_end=TODAY,
    judging_share=0.3,
)


def stream(rows: int = 4000, changed_share: float = 0.0) -> pd.DataFrame:
    """Half a year of rows; the last ``changed_share`` of them live in a world where ``a`` works the other way."""
    rng = np.random.default_rng(0)
    day = pd.Timestamp(TODAY) - pd.to_timedelta(np.sort(rng.integers(0, 180, rows))[::-1], unit="D")
    a, b = rng.normal(size=(2, rows))
    sign = np.where(np.arange(rows) < rows * (1 - changed_share), 1, -1)
    gone = (2 * sign * a + b + rng.logistic(size=rows) > 0).astype(int)
    return pd.DataFrame({"id": np.arange(rows), "day": day, "a": a, "b": b, "gone": gone})


def pool(frame: pd.DataFrame, days: int = 28) -> RowPool:
    bounds = challenger_bounds(CHAMPION, TODAY, SPLIT)
    share = block_share(frame[["id"]])
    rows = LabelledRows(frame, frame["gone"].to_numpy(), share, SPEC, LABEL, bounds, TODAY)
    age = (pd.Timestamp(TODAY) - frame["day"]).dt.days.to_numpy(dtype=float)
    keep = training_mask(frame["day"], share, bounds)
    return RowPool(rows.where(keep), (age < days)[keep], age[keep])


@pytest.fixture(scope="module")
def retraining_benchmark() -> ModuleType:
    found = importlib.util.spec_from_file_location("retraining_benchmark", BENCHMARK)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["retraining_benchmark"] = module
    found.loader.exec_module(module)
    return module


def test_after_a_concept_change_recent_rows_teach_best() -> None:
    ranked = train_contenders(pool(stream(changed_share=28 / 180)), CandidatePolicy(), FAST, SPLIT)
    assert ranked[0].choice == "recent"
    assert {each.choice for each in ranked} == {"all", "recency_weighted", "recent", "newest"}
    by_choice = {each.choice: each.recent_roc_auc for each in ranked}
    assert by_choice["recent"] > by_choice["recency_weighted"] > by_choice["all"]
    assert ranked[0].recent.all()


def test_a_change_within_the_recent_window_is_learnt_from_its_newer_half() -> None:
    ranked = train_contenders(pool(stream(changed_share=14 / 180)), CandidatePolicy(), FAST, SPLIT)
    assert ranked[0].choice == "newest"
    assert ranked[0].newest.all()


def test_recent_rows_of_one_day_have_no_newer_half() -> None:
    dated = pool(stream(1500))
    snapshot = RowPool(dated.rows, dated.recent, np.where(dated.recent, 0.0, 90.0))
    found = {each.choice for each in train_contenders(snapshot, CandidatePolicy(), FAST, SPLIT)}
    assert found == {"all", "recency_weighted", "recent"}


def test_without_a_change_more_rows_teach_no_worse() -> None:
    by_choice = {
        each.choice: each.recent_roc_auc for each in train_contenders(pool(stream()), CandidatePolicy(), FAST, SPLIT)
    }
    assert by_choice["all"] >= by_choice["recent"] - 0.01


def test_the_same_rows_make_the_same_challenger() -> None:
    one, two = (train_contenders(pool(stream(1500)), CandidatePolicy(), FAST, SPLIT) for _ in range(2))
    assert [(each.choice, each.recent_roc_auc) for each in one] == [(each.choice, each.recent_roc_auc) for each in two]


def test_a_choice_of_rows_that_cannot_be_trained_leaves_the_others() -> None:
    few = pool(stream(), days=28)
    none_recent = RowPool(few.rows, np.arange(len(few.recent)) == 0, few.age_days)
    ranked = train_contenders(none_recent, CandidatePolicy(), FAST, SPLIT)
    assert ranked[-1].choice == "recent"
    assert ranked[-1].error
    with pytest.raises(EvergreenError, match="no challenger could be trained: recent: "):
        train_contenders(none_recent, CandidatePolicy(candidates=("recent",)), FAST, SPLIT)


def test_the_champions_recipe_is_a_search_of_one_point() -> None:
    recipe = champions_recipe(TrainingParameters(strategy="grid"), "RandomForest", {"max_depth": 5, "n_estimators": 50})
    assert recipe.algorithms == ["RandomForest"]
    assert recipe.grids == {"RandomForest": {"max_depth": [5], "n_estimators": [50]}}


def test_a_dated_challenger_learns_from_every_known_row_and_a_panels_judging_entities_never() -> None:
    frame = stream()
    share = block_share(frame[["id"]])
    everyone = training_mask(frame["day"], share, challenger_bounds(CHAMPION, TODAY, SPLIT))
    assert everyone[frame["day"] >= "2025-09-02"].all()
    panel = CHAMPION.model_copy(update={"panel": True})
    trained = training_mask(frame["day"], share, challenger_bounds(panel, TODAY, SPLIT))
    np.testing.assert_array_equal(trained, everyone & (share >= SPLIT.judging_share))


def test_immature_rows_neither_train_nor_count_as_new() -> None:
    late = SPLIT.model_copy(update={"label_delay_days": 10})
    bounds = challenger_bounds(CHAMPION, TODAY, late)
    assert bounds.train_end == dt.date(2026, 2, 19)
    table = ibis.memtable(stream())
    frame = stream()
    mature = (frame["day"] > "2026-01-30") & (frame["day"] <= "2026-02-19")
    assert count_new_labelled(table, SPEC, CHAMPION, TODAY, late, None) == mature.sum()


def snapshot(start: int, taken: str, rows: int = 300) -> pd.DataFrame:
    frame = stream(rows).drop(columns="day").assign(taken=pd.Timestamp(taken))
    return frame.assign(id=np.arange(start, start + rows))


def test_without_dates_the_newest_snapshot_is_recent_and_no_entity_stands_on_two_sides() -> None:
    older, newest = snapshot(0, "2025-12-01"), snapshot(150, "2026-03-01")
    bounds = undated(SPLIT)
    found = select_pool(
        ibis.memtable(older), ibis.memtable(newest), SNAPSHOTS, bounds, TODAY, LABEL, TODAY, dt.date(2025, 12, 1)
    )
    assert found.rows.share.min() >= SPLIT.judging_share
    assert set(found.age_days[found.recent]) == {0.0}
    assert set(found.age_days[~found.recent]) == {90.0}
    assert found.recent.sum() == (block_share(newest[["id"]]) >= SPLIT.judging_share).sum()


def test_a_snapshot_that_the_champion_learnt_from_holds_no_new_rows() -> None:
    table = ibis.memtable(snapshot(0, "2026-03-01"))
    assert count_new_labelled(table, SNAPSHOTS, undated(SPLIT), TODAY, SPLIT, None) == 300
    assert count_new_labelled(table, SNAPSHOTS, undated(SPLIT), TODAY, SPLIT, TODAY) == 0
    unlabelled = table.drop("gone")
    assert count_new_labelled(unlabelled, SNAPSHOTS, undated(SPLIT), TODAY, SPLIT, None) == 0


@pytest.mark.slow
def test_weeks_without_change_keep_the_champion_and_a_concept_change_replaces_it(
    retraining_benchmark: ModuleType,
) -> None:
    lived = retraining_benchmark
    quiet = lived.live(lived.Evergreen(), lived.simulate_year(0, 8, None, history_weeks=12))
    moved = lived.live(lived.Evergreen(), lived.simulate_year(1, 9, 2, history_weeks=12))
    assert quiet.promotions == 0
    assert moved.promotions >= 1
    assert moved.windows is not None
    assert moved.windows <= 4
    assert moved.gap < 0.03
