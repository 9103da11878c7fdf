from __future__ import annotations

import functools
import warnings

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from evergreen.errors import EvergreenError
from evergreen.modelling.estimators import ALGORITHMS, make_estimator, make_pipeline, trusted_types
from evergreen.schema import TableSpec

SMALL = {
    "HistGradientBoosting": {"max_iter": 10},
    "RandomForest": {"n_estimators": 10},
    "GradientBoosting": {"n_estimators": 20},
}
INSTALLED = [name for name, algorithm in ALGORITHMS.items() if algorithm.installed]
SPEC = TableSpec(entity="id", target="y", numeric=["price", "age"], categorical=["city"])


def table(rows: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "price": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(size=rows)),
            "age": rng.normal(40, 10, rows),
            "city": rng.choice(["A", "B", None], rows),
        }
    )
    return frame, (frame["age"].to_numpy() + 10 * (frame["city"] == "A") + rng.normal(0, 5, rows) > 45).astype(np.int8)


@functools.cache
def fitted(name: str, calibrated: bool = True):
    X, y = table()
    pipeline = make_pipeline(name, SPEC, SMALL.get(name, {}), 0, price_column="price")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(X, y)
    if calibrated:
        pipeline["classifier"].set_params(slope=0.8, intercept=-0.1)
    return pipeline, X, y


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("name", INSTALLED)
def test_every_algorithm_survives_skops_under_our_own_list_of_types(name, calibrated):
    pipeline, X, _ = fitted(name, calibrated)
    loaded = skops.io.loads(skops.io.dumps(pipeline), trusted=trusted_types())
    np.testing.assert_array_equal(loaded.predict_proba(X), pipeline.predict_proba(X))
    assert loaded["columns"].get_feature_names_out().tolist() == ["price", "age", "price_tier", "city"]


def test_no_trusted_type_is_idle():
    X, y = table()
    many = make_pipeline("Prior", SPEC, {}, 0, few_levels=0).fit(X, y)
    all_fitted = [many, *(fitted(name)[0] for name in INSTALLED)]
    needed = set().union(*(skops.io.get_untrusted_types(data=skops.io.dumps(each)) for each in all_fitted))
    idle = {kind for name in set(ALGORITHMS) - set(INSTALLED) for kind in ALGORITHMS[name].trusted}
    assert needed == set(trusted_types()) - idle


@pytest.mark.parametrize("name", [name for name in INSTALLED if name != "Prior"])
def test_every_algorithm_learns_and_gives_probabilities(name):
    pipeline, X, y = fitted(name, calibrated=False)
    probability = pipeline.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (pipeline.predict(X) == y).mean() > 0.72


def test_the_prior_knows_the_base_rate_only():
    pipeline, X, y = fitted("Prior", calibrated=False)
    np.testing.assert_allclose(pipeline.predict_proba(X)[:, 1], y.mean())


@pytest.mark.parametrize("solver", ["liblinear", "saga"])
@pytest.mark.parametrize(("penalty", "l1_ratio"), [("l1", 1.0), ("l2", 0.0)])
def test_a_penalty_becomes_its_successor(solver, penalty, l1_ratio):
    model = make_estimator("LogisticRegression", {"penalty": penalty, "solver": solver, "C": 0.1}, 0)
    assert isinstance(model, LogisticRegression)
    assert (model.l1_ratio, model.penalty) == (l1_ratio, "deprecated")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    coefficients = model.fit(X, (X[:, 0] > 0).astype(int)).coef_
    assert (coefficients[0, 1:] == 0).any() == (penalty == "l1")


def test_an_unknown_algorithm_is_refused_with_the_known_ones():
    with pytest.raises(EvergreenError, match=r"unknown algorithm 'XGB': choose among HistGradientBoosting"):
        make_estimator("XGB", {}, 0)
