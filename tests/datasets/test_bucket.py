"""Claims about data in a bucket: the same as on this machine, whole or not at all, without a name for the login."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from kedro.io import AbstractDataset, DatasetError

from evergreen.bucket import ask_bucket
from evergreen.configuration import ConfigLoader
from evergreen.datasets import (
    CsvDataset,
    FeaturesDataset,
    FrameDataset,
    HistoryDataset,
    LakeDataset,
    PageDataset,
    PredictionLogDataset,
    PredictionsDataset,
    RecordDataset,
    ServicePredictionsDataset,
    SyntheticDataset,
)  # fmt: skip
from evergreen.datasets.prediction_log.collection import CollectionRecord
from evergreen.datasets.prediction_log.segments import CLOSED
from evergreen.errors import EvergreenError
from evergreen.mlflow_setup import prepare_mlflow
from evergreen.modelling.parameters import ScoringParameters
from evergreen.paths import place
from evergreen.predictions import Predictions
from evergreen.registry.prune import prune_predictions
from evergreen.schema import TableSpec
from evergreen.settings import CONFIG_LOADER_ARGS
from tests_support import ROOT

upath = pytest.importorskip("upath")
fsspec = pytest.importorskip("fsspec")

BUCKET = "memory://bucket/team"
ROWS = pd.DataFrame({"id": [1, 2, 3], "month": ["01", "01", "02"]})
DUCKDB = {"backend": "duckdb", "database": ":memory:"}


@pytest.fixture(autouse=True)
def bucket() -> Iterator[Any]:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    yield memory
    memory.store.clear()


def a_collection(rows: int) -> CollectionRecord:
    return CollectionRecord(
        use_case="churn", as_of=dt.date(2026, 1, 1), status="collected", rows=rows, days=(), removed_days=()
    )


def predictions(day: int) -> Predictions:
    return Predictions(dt.date(2026, 1, day), iter([ROWS, ROWS]))


def window(effect: float) -> pd.DataFrame:
    return pd.DataFrame({"window_end": [pd.Timestamp("2026-01-07")], "version": ["1"], "effect": [effect]})


def a_table(rows: int) -> ibis.Table:
    return ibis.memtable(ROWS.head(rows))


DATASETS: dict[str, tuple[AbstractDataset[Any, Any], Any, Any]] = {
    "record": (RecordDataset(f"{BUCKET}/collection.json", "x"), lambda: a_collection(3), lambda: a_collection(4)),
    "page": (PageDataset(filepath=f"{BUCKET}/{{x}} y/card.md"), lambda: "# Card", lambda: "# Other"),
    "csv": (CsvDataset(filepath=f"{BUCKET}/x.csv", save_args={"index": False}), lambda: ROWS, lambda: ROWS.head(1)),
    "frame": (FrameDataset(filepath=f"{BUCKET}/x.parquet"), lambda: ROWS, lambda: ROWS.head(2)),
    "history": (HistoryDataset(f"{BUCKET}/history"), lambda: window(0.1), lambda: window(0.2)),
    "predictions": (PredictionsDataset(f"{BUCKET}/predictions"), lambda: predictions(1), lambda: predictions(2)),
    "features": (
        FeaturesDataset(filepath=f"{BUCKET}/f.parquet", connection=DUCKDB), lambda: a_table(3), lambda: a_table(2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DATASETS)
def test_what_was_saved_last_in_a_bucket_is_read(kind: str, bucket: Any) -> None:
    dataset, first, second = DATASETS[kind]
    dataset.save(first())
    assert dataset.exists()
    dataset.save(second())
    found = dataset.load()
    expected = {
        "record": 4, "page": 7, "csv": 1, "frame": 2, "history": 1, "predictions": 12, "features": 2,
    }  # fmt: skip
    length = found.rows if kind == "record" else found.count().execute() if kind == "features" else len(found)
    assert length == expected[kind]
    assert not [path for path in bucket.find("/") if path.endswith(".new")]


def test_an_upload_that_fails_leaves_the_former_file(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = RecordDataset(f"{BUCKET}/collection.json", "x")
    dataset.save(a_collection(3))
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "put_file", _refuse)
    with pytest.raises(DatasetError, match="no such bucket"):
        dataset.save(a_collection(4))
    assert dataset.load().rows == 3


def _refuse(*_: object, **__: object) -> None:
    raise OSError("no such bucket")


def test_a_table_that_fails_midway_leaves_the_former_file() -> None:
    dataset = FeaturesDataset(filepath=f"{BUCKET}/f.parquet", connection=DUCKDB)
    dataset.save(a_table(3))
    breaking = a_table(2).mutate(x=ibis.literal("no number").cast("int64"))
    with pytest.raises(DatasetError, match="Conversion"):
        dataset.save(breaking)
    assert dataset.load().count().execute() == 3


def test_synthetic_tables_are_made_once_and_read_from_the_bucket() -> None:
    dataset = SyntheticDataset(
        filepath=f"{BUCKET}/customers.parquet", source="churn", table="customers", size=50, connection=DUCKDB
    )
    assert dataset.load().count().execute() == 50
    written = place(f"{BUCKET}/customers.parquet").stat()
    assert dataset.load().count().execute() == 50
    assert place(f"{BUCKET}/customers.parquet").stat() == written


def test_a_lake_of_partitions_lies_in_a_bucket_beside_other_tables(tmp_path: Path, bucket: Any) -> None:
    ROWS.to_parquet(tmp_path / "sales", partition_cols=["month"])
    bucket.put(str(tmp_path / "sales"), "/bucket/lake/sales", recursive=True)
    bucket.pipe("/bucket/lake/other.parquet", ROWS.to_parquet())
    tables = [LakeDataset(lake="memory://bucket/lake", table=name, connection=DUCKDB) for name in ("sales", "other")]
    sales, other = (table.load() for table in tables)
    assert sales.join(other, "id").count().execute() == 3


def test_the_log_of_a_service_is_collected_into_a_bucket_and_leaves_no_line_twice(tmp_path: Path) -> None:
    line = {"request_id": "r", "entity_id": "7", "timestamp": "2026-01-05T10:00:00", "features": {"age": 40.0}}
    line |= {"use_case": "churn", "model_version": "1", "variant": "", "probability": 0.5, "prediction": 1}
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / f"one{CLOSED}").write_text(json.dumps({**line, "latency_ms": 1.0}) + "\n")
    where = f"{BUCKET}/service_predictions"
    log = PredictionLogDataset(str(tmp_path / "log"), where).load()
    spec = TableSpec(entity="customer_id", target="churned", numeric=["age"])
    for _ in range(2):
        log.collect(spec, ScoringParameters(), dt.date(2026, 1, 6))
    found = ServicePredictionsDataset(where).load()
    assert found.count().execute() == 1
    log.collect(spec, ScoringParameters(retention_days=1), dt.date(2026, 3, 1))
    assert ServicePredictionsDataset(where).load() is None


def test_predictions_beyond_their_retention_leave_the_bucket() -> None:
    dataset = PredictionsDataset(f"{BUCKET}/predictions")
    for day in (1, 20):
        dataset.save(predictions(day))
    gone = prune_predictions(dataset.folder, 10, dt.date(2026, 1, 25), dry_run=False)
    assert [removal.name for removal in gone] == ["2026-01-01"]
    assert set(dataset.load()["as_of"].astype(str)) == {"2026-01-20"}


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ConfigLoader:
    monkeypatch.setenv("EVERGREEN_DATA", BUCKET)
    monkeypatch.setenv("EVERGREEN_LOCAL", str(tmp_path))
    return ConfigLoader(str(ROOT / "conf"), env="test", **CONFIG_LOADER_ARGS)


def test_every_own_entry_lies_in_the_bucket_and_logs_in_as_configured(
    loader: ConfigLoader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loader["credentials"] = {"data": {"token": "secret"}}
    loader["globals"] = {**loader["globals"], "fs_args": {"project": "p"}}
    entry = loader["catalog"]["{use_case}.evaluation"]
    assert entry["filepath"].startswith(BUCKET)
    assert (entry["credentials"], entry["fs_args"]) == ("data", {"project": "p"})
    log = loader["catalog"]["{use_case}.prediction_log"]
    assert (log["filepath"].startswith(str(tmp_path)), log["table"].startswith(BUCKET)) == (True, True)
    assert loader["mlflow"]["server"]["mlflow_tracking_uri"].startswith("sqlite:///")


def test_data_in_a_bucket_needs_a_server_for_mlflow(loader: ConfigLoader, tmp_path: Path) -> None:
    with pytest.raises(EvergreenError, match="let MLFLOW_TRACKING_URI name an MLflow server"):
        prepare_mlflow(loader)
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_not_there_is_named_before_anything_runs(loader: ConfigLoader) -> None:
    with pytest.raises(EvergreenError, match="the bucket of memory://bucket/team does not exist: nothing was run"):
        ask_bucket(loader)


def test_an_address_of_no_known_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERGREEN_DATA", "floppy://a")
    with pytest.raises(Exception, match="EVERGREEN_DATA floppy://a begins with floppy://, which is no known place"):
        ConfigLoader(str(ROOT / "conf"), env="test", **CONFIG_LOADER_ARGS)["globals"]
