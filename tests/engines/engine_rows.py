"""Rows to score, put into an engine, and the predictions that this process makes of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from evergreen.modelling.compiled import compile_pipeline
from evergreen.modelling.compiled_model import CompiledModel
from evergreen.modelling.parameters import ScoringParameters
from evergreen.modelling.scoring import TableScoring
from evergreen.predictions import ScoredBy
from evergreen.schema import TableSpec
from small_models import SPEC, drawn, fitted

DAY = dt.date(2026, 3, 1)
DATED = SPEC.model_copy(update={"date": "day"})
ROWS = 400


def rows_to_score(compiled: Any) -> pa.Table:
    """Rows with known, unseen, missing and extreme values."""
    found = drawn(compiled, ROWS)
    texts = {name: found[name].map(lambda value: None if value is None else str(value)) for name in SPEC.categorical}
    days = pd.date_range("2026-02-01", periods=ROWS, freq="h").date
    table = found.assign(**texts, id=np.arange(ROWS), day=days)
    return pa.Table.from_pandas(table, preserve_index=False)


def scoring_of(
    engine: Any, name: str, spec: TableSpec = DATED, count: int = ROWS, as_of: dt.date = DAY, **policy: Any
) -> TableScoring:
    """How the first ``count`` rows become predictions of a small model."""
    pipeline = fitted(name)
    compiled = CompiledModel(compile_pipeline(pipeline), spec)
    table = engine.lay({"to_score": rows_to_score(compiled.compiled)})["to_score"]

    def predict(frame: pd.DataFrame) -> np.ndarray:
        with np.errstate(all="ignore"):  # values at the end of the range overflow on scikit-learn's way
            return np.asarray(pipeline.predict_proba(frame[spec.features])[:, 1])

    by = ScoredBy("churn", "3", threshold=0.5, as_of=as_of)
    rows = table.filter(table.id < count)
    return TableScoring(rows, spec, predict, by, ScoringParameters(**policy), compiled, name)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame, tolerance: float) -> None:
    """Equal predictions, whatever their order."""
    found, expected = _in_order(found), _in_order(expected)
    assert found.columns.tolist() == expected.columns.tolist()
    assert len(found) == len(expected) == ROWS
    np.testing.assert_allclose(found["probability"], expected["probability"], rtol=0, atol=tolerance)
    for name in set(found.columns) - {"probability", "price", "age"}:
        ours, theirs = (each[name].fillna("").astype("str").tolist() for each in (found, expected))
        assert ours == theirs, name


def _in_order(found: pd.DataFrame) -> pd.DataFrame:
    return found.drop(columns=["latency_ms", "as_of"], errors="ignore").sort_values("request_id", ignore_index=True)
