"""Small fitted pipelines of every algorithm, and rows where a difference between two forms of one would show."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from evergreen.modelling.compiled import Compiled
from evergreen.modelling.estimators import make_pipeline
from evergreen.modelling.parity import draw_rows
from evergreen.schema import TableSpec

SMALL = {
    "HistGradientBoosting": {"max_iter": 15},
    "RandomForest": {"n_estimators": 10},
    "GradientBoosting": {"n_estimators": 15},
}
SPEC = TableSpec(entity="id", target="y", numeric=["price", "age"], categorical=["city", "code"])


@functools.cache
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "price": np.where(rng.random(400) < 0.1, np.nan, rng.lognormal(size=400)),
            "age": rng.normal(40, 10, 400),
            "city": rng.choice(["A", "B", None], 400),
            "code": rng.choice(["7", "8", "9"], 400),
        }
    )
    return frame, (frame["age"].to_numpy() + 10 * (frame["city"] == "A") + rng.normal(0, 5, 400) > 45).astype(np.int8)


@functools.cache
def fitted(name: str, slope: float = 0.8, few_levels: int = 12) -> Pipeline:
    X, y = table()
    pipeline = make_pipeline(name, SPEC, SMALL.get(name, {}), 0, price_column="price", few_levels=few_levels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(X, y)
    return pipeline.set_params(classifier__slope=slope, classifier__intercept=0.0 if slope == 1 else -0.1)


def drawn(compiled: Compiled, rows: int) -> pd.DataFrame:
    X, _ = table()
    quantiles = {name: X[name].dropna().to_numpy() for name in SPEC.numeric}
    return draw_rows(compiled, quantiles, {"city": ["A", "B"], "code": ["7", "8", "9"]}, rows)
