"""Claims about records and predictions on disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from evergreen.datasets import PredictionsDataset, RecordDataset
from evergreen.errors import EvergreenError
from evergreen.modelling.record import TrainingRecord
from evergreen.predictions import Predictions

DAY = dt.date(2026, 2, 28)


TRAINED = TrainingRecord(
    use_case="churn", as_of=DAY, status="trained", version="1", algorithm="SVM", n_train=3, leaderboard=[]
)


def training(folder: Path, **options: bool) -> RecordDataset:
    return RecordDataset(str(folder / "training.json"), made_by="kedro run --pipeline=training", **options)


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    dataset = training(tmp_path / "deep")
    dataset.save(TRAINED)
    assert dataset.load() == TRAINED
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["training.json"]


def test_a_record_may_lie_under_another_name(tmp_path: Path) -> None:
    dataset = RecordDataset(str(tmp_path / "x.json"), made_by="kedro run", record="training")
    dataset.save(TRAINED)
    assert dataset.load() == TRAINED


def test_a_missing_record_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="run `kedro run --pipeline=training` first"):
        training(tmp_path).load()


def test_a_record_of_another_version_names_the_command_that_makes_it_anew(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text('{"use_case": "churn"}')
    with pytest.raises(DatasetError, match=r"as_of: Field required\): run `kedro run --pipeline=training` again"):
        training(tmp_path).load()


def test_an_optional_record_is_none_where_it_is_missing_or_of_another_version(tmp_path: Path) -> None:
    dataset = training(tmp_path, optional=True)
    assert dataset.load() is None
    (tmp_path / "training.json").write_text('{"use_case": "churn"}')
    assert dataset.load() is None


def test_a_kind_of_record_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvergreenError, match="no record of the kind 'x'; set `record` to one of training, evaluation"):
        RecordDataset(str(tmp_path / "x.json"), made_by="kedro run")


def batches(*sizes: int, fail: bool = False) -> Iterator[pd.DataFrame]:
    for size in sizes:
        yield pd.DataFrame({"probability": [0.5] * size})
    if fail:
        raise RuntimeError("the model broke")


def test_scoring_an_as_of_again_replaces_it_and_leaves_the_others(tmp_path: Path) -> None:
    dataset = PredictionsDataset(str(tmp_path))
    dataset.save(Predictions(DAY, batches(3, 2)))
    dataset.save(Predictions(DAY - dt.timedelta(days=7), batches(1)))
    dataset.save(Predictions(DAY, batches(4)))
    assert dataset.load().groupby("as_of", observed=True).size().to_dict() == {"2026-02-21": 1, "2026-02-28": 4}


def test_a_scoring_that_breaks_leaves_the_former_predictions(tmp_path: Path) -> None:
    dataset = PredictionsDataset(str(tmp_path))
    dataset.save(Predictions(DAY, batches(3)))
    with pytest.raises(DatasetError):
        dataset.save(Predictions(DAY, batches(5, fail=True)))
    assert len(dataset.load()) == 3
    assert len(list(tmp_path.rglob("*"))) == 2


def test_a_table_without_rows_leaves_the_former_predictions_and_says_so(tmp_path: Path) -> None:
    dataset = PredictionsDataset(str(tmp_path))
    dataset.save(Predictions(DAY, batches(3)))
    with pytest.raises(DatasetError, match="holds no row"):
        dataset.save(Predictions(DAY, batches()))
    assert len(dataset.load()) == 3
