"""Predictions that are made where the rows lie are those that this process would make."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Any

import bigquery_engine
import pandas as pd
import pytest
from engine_rows import DAY, ROWS, assert_same, scoring_of
from kedro.io import DatasetError

from evergreen.datasets import BigQueryPredictionsDataset, PredictionsDataset, SparkPredictionsDataset
from evergreen.predictions import Predictions
from small_models import SPEC


@pytest.mark.parametrize("name", ["HistGradientBoosting", "LogisticRegression"])
def test_a_statement_gives_the_predictions_on_every_engine(engine: Any, duckdb: Any, name: str) -> None:
    here = pd.concat(scoring_of(duckdb, name).batches())
    assert_same(scoring_of(engine, name).statement().to_pandas(), here, 1e-9)


@pytest.mark.parametrize(
    "policy", [{}, {"keep_features": False, "hash_entities": True}, {"spec": SPEC}]
)  # one without a date
def test_executors_make_the_predictions_that_this_process_makes(
    spark: Any, duckdb: Any, tmp_path: Path, policy: dict[str, Any]
) -> None:
    scoring = scoring_of(spark, "RandomForest", **policy)
    dataset = SparkPredictionsDataset(str(tmp_path / "predictions"))
    for _ in range(2):  # the second replaces the first
        dataset.save(Predictions(DAY, scoring.batches(), scoring))
    assert_same(dataset.load(), pd.concat(scoring_of(duckdb, "RandomForest", **policy).batches()), 1e-12)
    assert sorted(path.name for path in (tmp_path / "predictions").iterdir()) == [f"as_of={DAY}"]
    assert dataset.exists()
    assert len(dataset.preview(3)["data"]) == 3


def test_no_row_on_spark_leaves_the_former_predictions(spark: Any, tmp_path: Path) -> None:
    dataset = SparkPredictionsDataset(str(tmp_path))
    kept = scoring_of(spark, "LogisticRegression")
    dataset.save(Predictions(DAY, kept.batches(), kept))
    nothing = scoring_of(spark, "LogisticRegression", count=0)
    with pytest.raises(DatasetError, match="the table to score holds no row"):
        dataset.save(Predictions(DAY, nothing.batches(), nothing))
    assert len(PredictionsDataset(str(tmp_path)).load()) == ROWS
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"as_of={DAY}"]


def test_rows_that_lie_elsewhere_are_scored_here(spark: Any, duckdb: Any, tmp_path: Path) -> None:
    dataset = SparkPredictionsDataset(str(tmp_path))
    scoring = scoring_of(duckdb, "LogisticRegression", spec=SPEC)
    dataset.save(Predictions(DAY, scoring.batches(), scoring))
    assert len(dataset.load()) == ROWS


@pytest.fixture
def kept_in(emulator: str, bigquery: Any) -> Any:
    """Makes a dataset of predictions in the emulated warehouse whose connection is the engine's."""
    client = bigquery_engine.rest_client(emulator)

    def make(table: str, **settings: Any) -> BigQueryPredictionsDataset:
        connection = {"project": bigquery_engine.PROJECT, "dataset": "engines", "api_endpoint": emulator}
        settings["credentials"] = {"anonymous": True}
        client.delete_table(f"{bigquery_engine.PROJECT}.engines.{table}", not_found_ok=True)
        return BigQueryPredictionsDataset(table=table, connection={**connection, "storage_api": False}, **settings)

    return make


class _Beside:
    """Lays tables over the dataset's own connection, as the catalog's sources are."""

    def __init__(self, engine: Any, dataset: BigQueryPredictionsDataset) -> None:
        self.engine, self.dataset = engine, dataset

    def lay(self, tables: dict[str, Any]) -> dict[str, Any]:
        self.engine.lay(tables)
        return {name: self.dataset.connection.table(name) for name in tables}


@pytest.mark.parametrize("name", ["LogisticRegression", "SVM"])
def test_predictions_of_a_day_are_a_partition_that_the_next_run_replaces(
    kept_in: Any, emulator: str, bigquery: Any, duckdb: Any, name: str
) -> None:
    dataset = kept_in(f"predictions_{name}")
    engine = _Beside(bigquery, dataset)
    earlier = DAY - dt.timedelta(days=7)
    few = scoring_of(engine, name, count=10, as_of=earlier, keep_features=False)
    dataset.save(Predictions(earlier, few.batches(), few))
    for _ in range(2):
        scoring = scoring_of(engine, name)
        dataset.save(Predictions(DAY, scoring.batches(), scoring))
    here = pd.concat(scoring_of(duckdb, name).batches())
    kept = stored(emulator, f"predictions_{name}", [*here.columns, "as_of"])
    assert kept["as_of"].astype("str").value_counts().to_dict() == {str(DAY): ROWS, str(earlier): 10}
    assert_same(kept[kept["as_of"].astype("str") == str(DAY)], here, 1e-9)


def stored(address: str, table: str, columns: list[str]) -> pd.DataFrame:
    """What a query reads; the emulator's own list of a table's columns does not see those that were added."""
    client = bigquery_engine.rest_client(address)
    rows = client.query_and_wait(f"select {', '.join(columns)} from engines.{table}")
    return pd.DataFrame([tuple(row) for row in rows], columns=columns)


def test_a_model_without_a_statement_is_scored_here_and_uploaded_or_refused(
    kept_in: Any, bigquery: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dataset, strict = kept_in("predictions_auto", keep_days=400), kept_in("predictions_strict", where="warehouse")
    scoring = scoring_of(_Beside(bigquery, dataset), "SVM")
    with caplog.at_level(logging.WARNING, "evergreen.datasets"):
        dataset.save(Predictions(DAY, scoring.batches(), scoring))
    assert "SVM cannot be scored by a statement" in caplog.text
    assert dataset.load().count().to_pandas() == ROWS
    scoring = scoring_of(_Beside(bigquery, strict), "SVM")
    with pytest.raises(DatasetError, match="SVM cannot be scored by a statement"):
        strict.save(Predictions(DAY, scoring.batches(), scoring))
    assert not strict.exists()


def test_no_row_in_the_warehouse_is_a_sentence(kept_in: Any, bigquery: Any) -> None:
    dataset = kept_in("predictions_none")
    scoring = scoring_of(_Beside(bigquery, dataset), "LogisticRegression", count=0)
    with pytest.raises(DatasetError, match="the table to score holds no row"):
        dataset.save(Predictions(DAY, scoring.batches(), scoring))
    assert not dataset.exists()
