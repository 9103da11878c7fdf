"""Claims about SHAP values and importances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.evaluation import explainers
from evergreen.evaluation.explanation import Explanation, explain
from evergreen.evaluation.importance import (
    importance_table,
    mean_absolute,
    permutation_importance_interval,
)
from evergreen.modelling.estimators import ALGORITHMS, make_pipeline
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", target="bought", positive=1, numeric=["price", "age", "noise"], categorical=["region"])
SMALL = {
    "RandomForest": {"n_estimators": 20, "max_depth": 5},
    "GradientBoosting": {"n_estimators": 20},
    "HistGradientBoosting": {"max_iter": 20},
}
EXPECTED = {
    "RandomForest": ("tree", "probability"),
    "GradientBoosting": ("tree", "log-odds"),
    "HistGradientBoosting": ("tree", "log-odds"),
    "LogisticRegression": ("linear", "log-odds"),
    "SVM": ("permutation", "probability"),
    "NeuralNetwork": ("permutation", "probability"),
    "Prior": ("permutation", "probability"),
    "LightGBM": ("tree", "log-odds"),
    "XGBoost": ("permutation", "probability"),  # its trees add up in float32
}
INSTALLED = [name for name in EXPECTED if ALGORITHMS[name].installed]


def customers(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The outcome depends on price, age and region; noise is noise."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "price": rng.gamma(2, 10, rows),
            "age": rng.normal(40, 12, rows),
            "noise": rng.normal(size=rows),
            "region": rng.choice(["north", "south", "west"], rows),
        }
    )
    margin = 0.08 * (frame["price"] - 20) - 0.06 * (frame["age"] - 40) + 1.5 * (frame["region"] == "west") - 0.5
    return frame, (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int8).to_numpy()


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    frame, y = customers(600, seed=0)
    frame.loc[:20, "age"] = np.nan
    return {
        name: make_pipeline(name, SPEC, SMALL.get(name, {}), seed=0, price_column="price").fit(frame, y)
        for name in INSTALLED
    }


@pytest.fixture(scope="module")
def unseen() -> tuple[pd.DataFrame, np.ndarray]:
    return customers(1500, seed=1)


def calibrated(pipeline: Pipeline, slope: float, intercept: float) -> Pipeline:
    """The same fitted pipeline under another sigmoid; set back by the caller."""
    pipeline[-1].set_params(slope=slope, intercept=intercept)
    return pipeline


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.7, -0.4), (2.5, 0.3)])
@pytest.mark.parametrize("name", INSTALLED)
def test_values_add_up_to_the_pipelines_own_probability(name, slope, intercept, pipelines, unseen):
    rows, _ = unseen
    pipeline = calibrated(pipelines[name], slope, intercept)
    found = explain(pipeline, rows, SPEC, background=rows, max_rows=60)
    probabilities = pipeline.predict_proba(rows.iloc[found.index])[:, 1]
    calibrated(pipeline, 1.0, 0.0)

    assert (found.explainer, found.units) == EXPECTED[name]
    assert found.note is None
    assert len(found.shap_values) == 60
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-6 if name == "XGBoost" else 1e-9)
    assert found.additivity_error <= explainers.TOLERANCE


def test_values_of_a_row_do_not_depend_on_the_company_it_is_in(pipelines, unseen):
    rows, _ = unseen
    for name in ("RandomForest", "GradientBoosting", "HistGradientBoosting", "LogisticRegression"):
        many = explain(pipelines[name], rows, SPEC, background=rows, max_rows=30)
        alone = explain(pipelines[name], rows.iloc[[many.index[7]]], SPEC, background=rows)
        np.testing.assert_allclose(alone.shap_values[0], many.shap_values[7], atol=1e-9)
        assert alone.data.loc[0, "region"] == rows.loc[many.index[7], "region"]


def test_linear_values_agree_with_shap(pipelines, unseen):
    shap = pytest.importorskip("shap")
    rows, _ = unseen
    pipeline = pipelines["LogisticRegression"]
    found = explain(pipeline, rows.iloc[:40], SPEC, background=rows.iloc[:100])
    matrix = pipeline[:-1].transform(rows[SPEC.features])
    masker = shap.maskers.Independent(matrix[:100], max_samples=100)
    theirs = shap.LinearExplainer(pipeline[-1].estimator_, masker).shap_values(matrix[:40])
    np.testing.assert_allclose(found.shap_values[:, 1:3], theirs[:, [1, 2]], atol=1e-9)
    np.testing.assert_allclose(found.shap_values[:, 3], theirs[:, 4:].sum(axis=1), atol=1e-9)  # a level each
    np.testing.assert_allclose(found.shap_values[:, 0], theirs[:, [0, 3]].sum(axis=1), atol=1e-9)


def test_permutation_values_agree_with_exact_shapley_values_of_an_additive_model(pipelines, unseen):
    """Of an additive function every permutation gives the exact value: coefficient × distance from the mean."""

    class Additive:
        estimator_ = object()

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.column_stack([1 - X @ [0.1, 0.2, -0.1], X @ [0.1, 0.2, -0.1]])

    rng = np.random.default_rng(0)
    X, reference = rng.random((5, 3)), rng.random((30, 3))
    found = explainers.attribute(Additive(), X, reference, seed=0)
    exact = (X - reference.mean(axis=0)) * [0.1, 0.2, -0.1]
    np.testing.assert_allclose(found.attribution.amounts, exact, atol=1e-12)


def test_permutation_values_are_close_to_exact_ones_under_interactions():
    """Product of two features against a background of zeros: each gets half; of three, a third in expectation."""

    class Product:
        estimator_ = object()

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            score = X.prod(axis=1)
            return np.column_stack([1 - score, score])

    pair = explainers.attribute(Product(), np.ones((4, 2)), np.zeros((40, 2)), seed=0)
    np.testing.assert_allclose(pair.attribution.amounts, 0.5, atol=1e-12)
    triple = explainers.attribute(Product(), np.ones((50, 3)), np.zeros((40, 3)), seed=0)
    np.testing.assert_allclose(triple.attribution.amounts.mean(axis=0), 1 / 3, atol=0.03)


def test_the_price_tier_counts_to_its_source_and_a_dropped_feature_to_nothing(unseen):
    frame, y = customers(600, seed=0)
    rows, labels = unseen
    pipeline = make_pipeline("GradientBoosting", SPEC, {"n_estimators": 20}, seed=0, k=2, price_column="price")
    pipeline.fit(frame, y)
    found = explain(pipeline, rows, SPEC, background=rows, max_rows=50)
    assert found.features == ("price", "age", "noise", "region")
    assert np.count_nonzero(np.abs(found.shap_values).sum(axis=0)) <= 2
    permuted = permutation_importance_interval(pipeline, rows, labels, SPEC, repeats=2)
    dropped = np.abs(found.shap_values).sum(axis=0) == 0
    assert dropped.any()
    assert (permuted.loc[dropped, ["importance", "low", "high"]] == 0).all(axis=None)


def test_native_categories_that_the_tree_explainer_misreads_are_explained_by_permutations():
    rng = np.random.default_rng(0)
    spec = TableSpec(entity="id", target="bought", positive=1, numeric=["code", "age"])
    frame = pd.DataFrame({"code": rng.integers(0, 12, 800).astype(float), "age": rng.normal(40, 12, 800)})
    y = ((frame["code"] % 3 == 0) ^ (rng.random(800) < 0.1)).astype(np.int8).to_numpy()
    pipeline = make_pipeline("HistGradientBoosting", spec, {"max_iter": 20, "categorical_features": [0]}, seed=0)
    pipeline.fit(frame, y)
    found = explain(pipeline, frame, spec, background=frame, max_rows=20)
    assert found.explainer == "permutation"
    assert found.additivity_error <= explainers.TOLERANCE
    np.testing.assert_allclose(found.outputs, pipeline.predict_proba(frame.iloc[found.index])[:, 1], atol=1e-9)


def test_an_explainer_that_does_not_add_up_leaves_the_task_to_the_next(monkeypatch, pipelines, unseen):
    def wrong(classifier, X, reference, seed):
        found = by_tree(classifier, X, reference, seed)
        return found._replace(amounts=found.amounts + 3)

    by_tree = explainers._by_tree
    monkeypatch.setattr(explainers, "_by_tree", wrong)
    rows, _ = unseen
    pipeline = pipelines["HistGradientBoosting"]
    found = explain(pipeline, rows, SPEC, background=rows, max_rows=20)
    assert found.explainer == "permutation"
    assert found.units == "probability"
    assert "tree explainer missed the model's output by" in found.note
    np.testing.assert_allclose(
        found.outputs, pipeline.predict_proba(rows.iloc[found.index])[:, 1], atol=explainers.TOLERANCE
    )


def test_a_forest_too_large_for_the_tree_explainer_is_explained_by_permutations(monkeypatch, pipelines, unseen):
    monkeypatch.setattr(explainers, "_LEAF_VISITS", 1e4)
    rows, _ = unseen
    found = explain(pipelines["RandomForest"], rows, SPEC, background=rows, max_rows=20)
    assert found.explainer == "permutation"
    assert "could have afforded" in found.note
    assert found.note in found.basis


def test_scores_that_change_from_call_to_call_are_refused():
    class Restless:
        estimator_ = object()
        rng = np.random.default_rng(0)

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return self.rng.random((len(X), 2))

    with pytest.raises(EvergreenError, match="can't be explained"):
        explainers.attribute(Restless(), np.ones((4, 2)), np.zeros((4, 2)), seed=0)


def test_the_same_seed_gives_the_same_values(pipelines, unseen):
    rows, _ = unseen
    one, two = (explain(pipelines["NeuralNetwork"], rows, SPEC, background=rows, max_rows=5) for _ in "ab")
    np.testing.assert_array_equal(one.shap_values, two.shap_values)
    np.testing.assert_array_equal(one.index, two.index)


def test_no_rows_are_refused(pipelines, unseen):
    rows, _ = unseen
    with pytest.raises(EvergreenError, match="found 0 and 1500 rows"):
        explain(pipelines["Prior"], rows.iloc[:0], SPEC, background=rows)


def test_log_odds_are_those_of_the_calibrated_probability(pipelines, unseen):
    rows, _ = unseen
    pipeline = calibrated(pipelines["GradientBoosting"], 0.5, 1.0)
    found = explain(pipeline, rows, SPEC, background=rows, max_rows=10)
    expected = logit(pipeline.predict_proba(rows.iloc[found.index])[:, 1])
    calibrated(pipeline, 1.0, 0.0)
    np.testing.assert_allclose(found.outputs, expected, atol=1e-9)


def test_mean_absolute_ranks_features():
    explanation = Explanation(
        features=("a", "b", "c"), shap_values=np.array([[1.0, -3.0, 0.0], [-1.0, 1.0, 0.0]]), base_values=np.zeros(2),
        data=pd.DataFrame(), encoded=np.zeros((2, 3)), units="log-odds", explainer="tree", index=np.arange(2),
        available=2, additivity_error=0.0,
    )  # fmt: skip
    table = mean_absolute(explanation)
    assert table["feature"].tolist() == ["b", "a", "c"]
    assert table["mean_abs_shap"].tolist() == [2.0, 1.0, 0.0]
    assert table["rank"].tolist() == [1, 2, 3]
    assert set(table["units"]) == {"log-odds"}


@pytest.mark.parametrize("name", ["GradientBoosting", "LogisticRegression", "RandomForest", "NeuralNetwork"])
def test_noise_is_not_above_its_permutation_interval_and_signal_is(name, pipelines, unseen):
    rows, y = unseen
    table = permutation_importance_interval(pipelines[name], rows, y, SPEC, repeats=5).set_index("feature")
    assert table.loc["noise", "low"] <= 0 <= table.loc["noise", "high"]
    assert (table.loc[["price", "age", "region"], "low"] > 0).all()
    shap = mean_absolute(explain(pipelines[name], rows, SPEC, background=rows, max_rows=100)).set_index("feature")
    assert shap.loc["noise", "rank"] >= (3 if name == "NeuralNetwork" else 4)  # a small network learns a little noise


def test_the_permutation_interval_of_noise_covers_zero_as_often_as_it_says(unseen):
    """The model relies on noise by construction; dealing it anew costs nothing on average."""
    frame, y = customers(600, seed=0)
    pipeline = make_pipeline("LogisticRegression", SPEC, {}, seed=0).fit(frame, y)
    pipeline[-1].estimator_.coef_[0, 2] = 0.5
    covered = []
    for seed in range(60):
        rows, labels = customers(400, seed=100 + seed)
        table = permutation_importance_interval(pipeline, rows, labels, SPEC, repeats=3, seed=seed)
        noise = table.set_index("feature").loc["noise"]
        covered.append(noise["low"] <= 0 <= noise["high"])
    assert np.mean(covered) >= 0.88


def test_importance_is_missing_where_a_class_is_too_rare(pipelines, unseen):
    rows, _ = unseen
    table = permutation_importance_interval(pipelines["LogisticRegression"], rows.iloc[:10], np.zeros(10), SPEC)
    assert table[["importance", "low", "high"]].isna().all(axis=None)


def test_the_importance_table_joins_both(pipelines, unseen):
    rows, y = unseen
    pipeline = pipelines["LogisticRegression"]
    table = importance_table(
        explain(pipeline, rows, SPEC, background=rows, max_rows=50),
        permutation_importance_interval(pipeline, rows, y, SPEC, repeats=2, max_rows=300),
    )
    assert list(table.columns) == [
        "feature", "mean_abs_shap", "units", "rank", "explainer", "rows", "auc_loss", "auc_loss_low", "auc_loss_high",
    ]  # fmt: skip
    assert sorted(table["feature"]) == sorted(SPEC.features)
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table.notna().all(axis=None)
