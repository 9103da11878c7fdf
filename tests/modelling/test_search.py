from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.metrics import brier_score_loss, roc_auc_score

from evergreen.errors import EvergreenError
from evergreen.modelling import estimators
from evergreen.modelling.estimators import COMPETITORS
from evergreen.modelling.parameters import ThresholdPolicy
from evergreen.modelling.search import Candidate, TrainingParameters, train_candidate, train_candidates
from evergreen.modelling.tuning import fewest_rounds, prepare_matrices
from evergreen.rows import splits
from evergreen.rows.fingerprint import content_digest
from evergreen.rows.labels import fit_label_definition
from evergreen.rows.parameters import LabelPolicy, SplitParameters
from evergreen.rows.splits import block_share
from evergreen.schema import TableSpec

SPEC = TableSpec(
    entity="id",
    date="date",
    block=["store", "date"],
    target="amount",
    numeric=["a", "b", "noise"],
    categorical=["city"],
)
SPLIT = SplitParameters(history_days=5, test_days=20, folds=3)
GRIDS = {
    "HistGradientBoosting": {"max_iter": [5, 20], "max_leaf_nodes": [3, 7]},
    "GradientBoosting": {"n_estimators": [5, 20], "max_depth": [2, 3]},
    "LogisticRegression": {"C": [0.1, 1], "penalty": ["l1", "l2"], "solver": ["liblinear", "saga"]},
    "RandomForest": {"n_estimators": [10, 20], "max_depth": [3, None]},
    "NeuralNetwork": {"hidden_layer_sizes": [[5], [5, 3]]},
    "SVM": {"C": [0.1, 1], "kernel": ["rbf", "linear"], "gamma": ["scale", "auto"]},
}
FAST = ["HistGradientBoosting", "LogisticRegression"]
POLICY = TrainingParameters(algorithms=FAST, grids=GRIDS, search_rows=200, n_jobs=1)


@functools.cache
def sales(rows: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 80, rows), unit="D"),
            "store": rng.integers(0, 4, rows),
            "a": rng.normal(size=rows),
            "b": np.where(rng.random(rows) < 0.05, np.nan, rng.normal(size=rows)),
            "noise": rng.normal(size=rows),
            "city": rng.choice(["A", "B", None], rows),
        }
    )
    frame["amount"] = frame["a"] + frame["b"].fillna(0) + (frame["city"] == "A") + rng.normal(size=rows)
    return frame


def training_rows(frame: pd.DataFrame):
    share = block_share(frame[SPEC.block_columns])
    bounds = splits.timeline(frame["date"].min().date(), frame["date"].max().date(), SPLIT)
    train = splits.training_mask(frame["date"], share, bounds)
    X = frame[train]
    definition = fit_label_definition(X["amount"], SPEC, LabelPolicy())
    return X, definition.apply(X["amount"]), share[train], X["date"], bounds


def run(frame: pd.DataFrame, policy: TrainingParameters = POLICY, **options) -> list[Candidate]:
    X, y, share, dates, _ = training_rows(frame)
    return train_candidates(X, y, share, dates, SPEC, policy, SPLIT, **options)


def contents(candidates: list[Candidate], rows: pd.DataFrame) -> list[str]:
    """A digest per candidate of everything that it says and predicts."""
    return [
        content_digest(
            pd.DataFrame({"id": rows["id"].to_numpy(), "p": each.pipeline.predict_proba(rows)[:, 1]}).assign(
                params=str(each.best_params), threshold=each.threshold, cv=each.cv_roc_auc_mean
            )
        )
        for each in candidates
    ]


@pytest.fixture(scope="module")
def leaderboard() -> list[Candidate]:
    return run(sales(), POLICY.model_copy(update={"algorithms": COMPETITORS}))


def test_every_algorithm_trains_without_a_warning_and_the_best_stands_first(leaderboard):
    assert sorted(each.algorithm for each in leaderboard) == sorted(COMPETITORS)
    assert {each.error for each in leaderboard} == {None}
    means = [each.cv_roc_auc_mean for each in leaderboard]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.8
    assert leaderboard[-1].algorithm == "Prior"
    assert leaderboard[-1].cv_roc_auc_mean == pytest.approx(0.5)


def test_candidates_survive_skops_under_our_own_list_of_types(leaderboard, tmp_path):
    for candidate in leaderboard:
        skops.io.dump(candidate.pipeline, tmp_path / "model.skops")
        loaded = skops.io.load(tmp_path / "model.skops", trusted=estimators.trusted_types())
        np.testing.assert_array_equal(loaded.predict_proba(sales()), candidate.pipeline.predict_proba(sales()))


def test_out_of_fold_scores_are_one_a_training_row_and_honest(leaderboard):
    _, y, *_ = training_rows(sales())
    for candidate in leaderboard[:-1]:
        np.testing.assert_array_equal(candidate.out_of_fold_index, np.arange(len(y)))
        few_units = candidate.algorithm == "NeuralNetwork"  # stops elsewhere in each fold, on another scale
        near = pytest.approx(candidate.cv_roc_auc_mean, abs=0.08 if few_units else 0.04)
        assert roc_auc_score(y, candidate.out_of_fold) == near
        assert brier_score_loss(y, candidate.out_of_fold) < y.mean() * (1 - y.mean())


def test_selected_features_have_the_users_names(leaderboard):
    assert set(leaderboard[0].selected_features["feature"]) == {"a", "b", "noise", "city"}


def test_the_same_seed_gives_the_same_models_whatever_the_order_of_rows():
    shuffled = sales().sample(frac=1, random_state=3)
    assert contents(run(sales()), sales()) == contents(run(shuffled), sales())


def test_another_seed_gives_another_model():
    other = POLICY.model_copy(update={"seed": 1})
    assert contents(run(sales()), sales()) != contents(run(sales(), other), sales())


@pytest.mark.parametrize("parallel", [{"n_jobs": 2}, {"n_jobs": 2, "backend": "loky"}])
def test_parallel_fits_change_nothing(parallel):
    policy = POLICY.model_copy(update={"algorithms": ["LogisticRegression"], "strategy": "none"})
    alone = contents(run(sales(), policy), sales())
    assert contents(run(sales(), policy.model_copy(update=parallel)), sales()) == alone


def test_nothing_fitted_sees_a_test_row():
    frame = sales()
    *_, bounds = training_rows(frame)
    later = frame["date"] > pd.Timestamp(bounds.train_end)
    changed = frame.copy()
    changed.loc[later, ["a", "b", "noise"]] = 1e6
    changed.loc[later, "city"] = "never seen"
    changed.loc[later, "amount"] = -changed.loc[later, "amount"]
    assert later.sum() > 100
    assert contents(run(frame), frame) == contents(run(changed), frame)


def test_a_folds_preprocessing_sees_its_training_rows_only():
    X, y, share, dates, _ = training_rows(sales())
    folds = splits.fold_indices(share, y, dates, SPLIT, 0)
    valid = folds[0][1]
    changed = X[SPEC.features].reset_index(drop=True)
    changed.loc[valid, ["a", "b", "noise"]] = 1e6
    flipped = y.copy()
    flipped[valid] = 1 - flipped[valid]
    before = prepare_matrices(X[SPEC.features], y, None, folds, SPEC, POLICY)
    after = prepare_matrices(changed, flipped, None, folds, SPEC, POLICY)
    np.testing.assert_array_equal(before.folds[0].train.X, after.folds[0].train.X)
    assert not np.array_equal(before.folds[1].train.X, after.folds[1].train.X)


def test_a_failing_algorithm_is_a_row_with_its_error_and_not_the_end():
    grids = {**GRIDS, "HistGradientBoosting": {"learning_rate": [-1.0]}}
    seen: list[str] = []
    board = run(sales(), POLICY.model_copy(update={"grids": grids}), on_result=lambda each: seen.append(each.status))
    assert seen == ["failed", "ok"]
    assert [each.algorithm for each in board] == ["LogisticRegression", "HistGradientBoosting"]
    assert "learning_rate" in board[1].error
    assert board[1].pipeline is None


def test_all_algorithms_failing_is_an_error_with_every_reason():
    grids = {"HistGradientBoosting": {"learning_rate": [-1.0]}, "LogisticRegression": {"C": [-1.0]}}
    with pytest.raises(
        EvergreenError, match=r"no algorithm could be trained .*HistGradientBoosting: .*LogisticRegression: "
    ):
        run(sales(), POLICY.model_copy(update={"grids": grids}))


def test_the_exhaustive_grid_is_no_better_than_the_default_by_more_than_noise(leaderboard):
    X, y, share, dates, _ = training_rows(sales())
    default = {each.algorithm: each for each in leaderboard}
    for name in FAST:
        policy = POLICY.model_copy(update={"strategy": "grid"})
        exhaustive = train_candidate(name, X, y, share, dates, SPEC, policy, SPLIT)
        assert exhaustive.cv_roc_auc_mean - default[name].cv_roc_auc_mean < 0.01
        assert exhaustive.best_params.keys() == GRIDS[name].keys()


def test_without_a_search_the_built_in_parameters_run():
    candidates = run(sales(), POLICY.model_copy(update={"strategy": "none"}))
    assert candidates[0].status == "ok"
    assert all("max_leaf_nodes" not in each.best_params for each in candidates)


def test_row_caps_hold_and_are_reported():
    X, y, share, dates, _ = training_rows(sales())
    policy = POLICY.model_copy(update={"row_caps": {"LogisticRegression": 150}})
    assert train_candidate("LogisticRegression", X, y, share, dates, SPEC, policy, SPLIT).train_rows == 150
    assert train_candidate("HistGradientBoosting", X, y, share, dates, SPEC, policy, SPLIT).train_rows == len(y)


def test_weights_decide_which_world_is_learnt():
    X, y, share, dates, _ = training_rows(sales())
    half = np.arange(len(y)) % 2 == 0
    mixed = np.where(half, y, 1 - y)
    weight = np.where(half, 1.0, 0.01)
    policy = POLICY.model_copy(update={"strategy": "none"})
    candidate = train_candidate("LogisticRegression", X, mixed, share, dates, SPEC, policy, SPLIT, sample_weight=weight)
    assert roc_auc_score(y, candidate.pipeline.predict_proba(X)[:, 1]) > 0.8
    assert candidate.cv_roc_auc_mean > 0.8


def test_timeline_folds_leave_the_first_days_without_out_of_fold_scores():
    X, y, share, dates, _ = training_rows(sales())
    split = SPLIT.model_copy(update={"fold_order": "timeline"})
    candidate = train_candidate("LogisticRegression", X, y, share, dates, SPEC, POLICY, split)
    left_out = np.setdiff1d(np.arange(len(y)), candidate.out_of_fold_index)
    assert dates.iloc[left_out].max() < dates.iloc[candidate.out_of_fold_index].min()


def test_scores_that_are_already_calibrated_are_left_alone_and_others_are_scaled(leaderboard):
    for candidate in leaderboard:
        classifier = candidate.pipeline[-1]
        assert candidate.calibrated == ((classifier.slope, classifier.intercept) != (1.0, 0.0))


def test_a_fixed_threshold_reaches_the_candidate():
    policy = POLICY.model_copy(update={"threshold": ThresholdPolicy(method="fixed", fixed=0.35)})
    assert {each.threshold for each in run(sales(), policy)} == {0.35}


def test_more_rounds_must_earn_their_cost():
    assert fewest_rounds(np.array([0.70, 0.7996, 0.80])) == 1
    assert fewest_rounds(np.array([0.70, 0.71, 0.80])) == 2


def test_infinite_features_are_refused_by_name():
    frame = sales().assign(a=lambda table: table["a"].where(table["id"] != 5, np.inf))
    frame["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["id"] % 40, unit="D")
    frame.loc[frame.index[-1], "date"] = pd.Timestamp("2025-03-20")
    with pytest.raises(EvergreenError, match=r"infinite values in numeric features: 'a' \(1 of"):
        run(frame)


def test_an_unknown_algorithm_stops_before_any_work():
    with pytest.raises(EvergreenError, match="unknown algorithm 'XGB'"):
        run(sales(), POLICY.model_copy(update={"algorithms": ["XGB", "LogisticRegression"]}))


def test_a_misspelt_setting_is_refused():
    with pytest.raises(ValueError, match="algorithm"):
        TrainingParameters.model_validate({"algorithm": ["SVM"]})


def test_a_model_that_tells_no_row_from_another_stands_last_and_alone_warns(caplog):
    policy = POLICY.model_copy(update={"algorithms": ["Prior", "LogisticRegression"]})
    assert [each.algorithm for each in run(sales(300), policy)] == ["LogisticRegression", "Prior"]
    noise = sales(300).assign(amount=np.random.default_rng(5).permutation(300))
    worse = run(noise[["id", "date", "store", "a", "b", "noise", "city", "amount"]], policy)
    assert worse[-1].algorithm == "Prior"  # though an AUC below .5 is possible
    assert not caplog.records
    alone = run(sales(300), POLICY.model_copy(update={"algorithms": ["Prior"]}))
    assert alone[0].is_constant
    assert "these rows teach nothing about amount" in caplog.text
