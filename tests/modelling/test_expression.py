"""A model as a statement of an engine, held against the compiled predictor."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evergreen.modelling.compiled import Compiled, compile_pipeline
from evergreen.modelling.expression import MOST_LEAVES, NoExpressionError, _as_float64, with_probability
from evergreen.modelling.predictor import LARGEST, Predictor
from evergreen.rows import canonical
from small_models import drawn, fitted

TOLERANCE = 1e-9


def expected(compiled: Compiled, rows: pd.DataFrame) -> np.ndarray:
    columns = {name: rows[name].tolist() for name in rows.columns}
    return Predictor(compiled.plan, compiled.arrays, canonical).probabilities(columns, len(rows))


def as_text(values: pd.Series) -> pd.Series:
    return values.map(lambda value: None if value is None else str(value))


@pytest.mark.parametrize("slope", [0.8, 1.0])
@pytest.mark.parametrize("name", ["HistGradientBoosting", "GradientBoosting", "RandomForest", "LogisticRegression"])
def test_a_statement_answers_as_the_predictor_does(name: str, slope: float) -> None:
    compiled = compile_pipeline(fitted(name, slope))
    rows = drawn(compiled, 1500)
    rows = rows.assign(city=as_text(rows["city"]), code=as_text(rows["code"]), row=np.arange(len(rows)))
    table = ibis.duckdb.connect().create_table("rows", pa.Table.from_pandas(rows, preserve_index=False))
    found = with_probability(table, compiled, name).order_by("row").to_pandas()
    assert found.columns.tolist() == [*rows.columns, "probability"]
    np.testing.assert_allclose(found["probability"], expected(compiled, rows), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("values", [[7, 8, None, 70], [7.0, 8.0, None, 70.0]])
def test_a_category_is_known_whatever_type_its_column_has(values: list[float | None]) -> None:
    compiled = compile_pipeline(fitted("LogisticRegression"))
    rows = pd.DataFrame({"price": 1.0, "age": [40, 41, 42, 43], "city": "A", "code": pd.array(values)})
    table = ibis.duckdb.connect().create_table("rows", pa.Table.from_pandas(rows, preserve_index=False))
    found = with_probability(table, compiled, "LogisticRegression").order_by("age").to_pandas()["probability"]
    as_trained = rows.assign(code=["7", "8", None, "70"])
    np.testing.assert_allclose(found, expected(compiled, as_trained), rtol=0, atol=TOLERANCE)


def test_a_threshold_for_unrounded_numbers_parts_them_as_their_float32_would_be() -> None:
    rng = np.random.default_rng(0)
    whole = np.arange(-50, 50).astype(np.float64)
    thresholds = np.concatenate([rng.normal(size=500), np.float32(rng.normal(size=500)), whole, [LARGEST / 2, 1e-30]])
    apart = _as_float64(thresholds)
    for numbers in (apart, np.nextafter(apart, np.inf), np.nextafter(apart, -np.inf), thresholds):
        as_trees_read = numbers.astype(np.float32).astype(np.float64) <= thresholds
        np.testing.assert_array_equal(numbers <= apart, as_trees_read)


@pytest.mark.parametrize("name", ["SVM", "NeuralNetwork"])
def test_a_model_without_a_statement_is_named_with_the_way_out(name: str) -> None:
    table = ibis.memtable({"price": [1.0], "age": [1.0], "city": ["A"], "code": ["7"]})
    with pytest.raises(NoExpressionError, match=rf"{name} .*`scoring_where` be auto"):
        with_probability(table, compile_pipeline(fitted(name)), name)


def test_trees_of_too_many_leaves_are_refused_with_their_number() -> None:
    whole = compile_pipeline(fitted("RandomForest"))
    left = np.full(MOST_LEAVES + 1, -1, np.int32)
    with pytest.raises(NoExpressionError, match=r"5,001 leaves, at most 5,000"):
        with_probability(
            ibis.memtable({"price": [1.0]}), Compiled(whole.plan, {**whole.arrays, "left": left}), "RandomForest"
        )
