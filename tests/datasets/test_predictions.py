"""Claims about predictions on disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from evergreen.datasets.predictions import PredictionsDataset
from evergreen.errors import EvergreenError
from evergreen.predictions import Predictions

DAY = dt.date(2026, 3, 1)


def batches(*sizes: int, broken: bool = False) -> Iterator[pd.DataFrame]:
    for size in sizes:
        yield pd.DataFrame({"entity_id": range(size), "probability": 0.5})
    if broken:
        raise EvergreenError("the model broke")


def test_batches_of_a_day_become_one_partition_that_the_next_run_replaces(tmp_path: Path) -> None:
    dataset = PredictionsDataset(str(tmp_path))
    dataset.save(Predictions(DAY, batches(3, 2)))
    dataset.save(Predictions(DAY + dt.timedelta(7), batches(4)))
    dataset.save(Predictions(DAY, batches(1)))
    assert dataset.load()["as_of"].astype("str").value_counts().to_dict() == {"2026-03-08": 4, "2026-03-01": 1}


def test_a_model_that_breaks_midway_leaves_the_former_predictions_and_nothing_else(tmp_path: Path) -> None:
    dataset = PredictionsDataset(str(tmp_path))
    dataset.save(Predictions(DAY, batches(3)))
    with pytest.raises(DatasetError):
        dataset.save(Predictions(DAY, batches(2, 2, broken=True)))
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["predictions.parquet"]
    assert len(dataset.load()) == 3


def test_nothing_to_score_is_a_sentence(tmp_path: Path) -> None:
    dataset = PredictionsDataset(str(tmp_path))
    with pytest.raises(DatasetError) as refused:
        dataset.save(Predictions(DAY, batches()))
    assert "the table to score holds no row" in str(refused.value)
    assert not dataset.exists()
