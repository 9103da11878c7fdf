"""Claims about scoring a table batch by batch."""

from __future__ import annotations

import datetime as dt
import pickle

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evergreen.modelling import compiled_model
from evergreen.modelling.compiled import compile_pipeline
from evergreen.modelling.compiled_model import CompiledModel
from evergreen.modelling.parameters import ScoringParameters
from evergreen.modelling.scoring import TableScoring
from evergreen.predictions import ScoredBy
from evergreen.schema import TableSpec
from small_models import SPEC as FITTED_ON
from small_models import fitted, table

SPEC = TableSpec(entity="id", target="y", positive=1, numeric=["a"], categorical=["colour"])
BY = ScoredBy("churn", "3", threshold=0.5, as_of=dt.date(2026, 2, 28))
ROWS = pd.DataFrame({"id": np.arange(1000), "a": np.linspace(0, 1, 1000), "colour": "red", "y": 0})
SCHEMA = [
    "request_id", "entity_id", "timestamp", "use_case", "model_version", "variant",
    "a", "colour", "probability", "prediction", "latency_ms",
]  # fmt: skip


def scored(**policy: object) -> list[pd.DataFrame]:
    rows = ibis.memtable(pa.Table.from_pandas(ROWS, preserve_index=False))
    predict = lambda frame: frame["a"].to_numpy()  # noqa: E731
    return list(TableScoring(rows, SPEC, predict, BY, ScoringParameters(**policy)).batches())  # type: ignore[arg-type]


def test_predictions_do_not_depend_on_the_size_of_a_batch() -> None:
    whole = pd.concat(scored()).drop(columns="latency_ms")
    batches = scored(batch_rows=100)
    assert max(map(len, batches)) <= 1000
    parts = pd.concat(batches).drop(columns="latency_ms")
    order = "request_id"
    pd.testing.assert_frame_equal(
        whole.sort_values(order, ignore_index=True), parts.sort_values(order, ignore_index=True)
    )


def test_a_prediction_has_the_agreed_columns() -> None:
    (batch,) = scored()
    assert list(batch.columns) == SCHEMA
    assert batch["request_id"].iloc[0] == "churn-20260228-0"
    assert (batch["prediction"] == (batch["probability"] >= 0.5)).all()


def test_features_stay_out_where_they_must() -> None:
    (batch,) = scored(keep_features=False)
    assert not {"a", "colour"} & set(batch.columns)


def test_entities_can_be_hashed_and_stay_distinct() -> None:
    (batch,) = scored(hash_entities=True)
    assert batch["entity_id"].is_unique
    assert batch["entity_id"].str.len().eq(32).all()
    assert not batch["request_id"].str.endswith("-0").any()


def test_executors_without_numba_walk_trees_by_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = table()
    model = CompiledModel(compile_pipeline(fitted("RandomForest")), FITTED_ON)
    expected = model(X)
    monkeypatch.setattr(compiled_model, "tree_kernel", lambda _: None)
    found = pickle.loads(pickle.dumps(model))(X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
