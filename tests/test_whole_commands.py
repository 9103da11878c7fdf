"""Claims about whole commands: whatever file or value they are given, they end non-zero in at most three lines."""

from __future__ import annotations

import gzip
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tests_support import ROOT

ROWS = pd.DataFrame(
    {
        "id": [f"k{number}" for number in range(200)],
        "income": np.linspace(1, 2, 200),
        "city": ["Köln", "Ulm"] * 100,
        "gone": [0, 0, 1, 1] * 50,
    }
)
CSV = ROWS.to_csv(index=False)


def as_parquet(rows: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    rows.to_parquet(file)
    return file.getvalue()


PARQUET = as_parquet(ROWS)
FILES: dict[str, bytes] = {
    "empty.parquet": b"",
    "blank.parquet": b" \n" * 40,
    "text.parquet": CSV.encode(),
    "without_its_end.parquet": PARQUET[:-9],
    "without_its_beginning.parquet": PARQUET[400:],
    "half.parquet": PARQUET[: len(PARQUET) // 2],
    "zeros_at_the_end.parquet": PARQUET[:-600] + bytes(600),
    "packed_once_more.parquet": gzip.compress(PARQUET),
    "no_row.parquet": as_parquet(ROWS.head(0)),
    "one_row.parquet": as_parquet(ROWS.head(1)),
    "ten_rows.parquet": as_parquet(ROWS.head(10)),
    "one_class.parquet": as_parquet(ROWS.assign(gone=1)),
    "three_classes.parquet": as_parquet(ROWS.assign(gone=[0, 1, 2, 1] * 50)),
    "no_outcome_known.parquet": as_parquet(ROWS.assign(gone=pd.array([None] * 200, dtype="Int64"))),
    "repeated_keys.parquet": as_parquet(ROWS.assign(id="k")),
    "only_keys.parquet": as_parquet(ROWS[["id", "gone"]]),
    "lists.parquet": as_parquet(ROWS[["id", "gone"]].assign(income=[[1.0]] * 200)),
    "structures.parquet": as_parquet(ROWS[["id", "gone"]].assign(income=[{"a": 1.0}] * 200)),
    "moments_in_lists.parquet": as_parquet(ROWS[["id", "gone"]].assign(when=[[pd.Timestamp("2026-01-01")]] * 200)),
    "durations.parquet": as_parquet(ROWS[["id", "gone"]].assign(took=pd.to_timedelta(range(200), unit="s"))),
    "empty.csv": b"",
    "header_alone.csv": b"id,income,city,gone\n",
    "binary.csv": bytes(range(256)) * 40,
    "zeros.csv": bytes(4000),
    "latin_1.csv": CSV.encode("latin-1"),
    "utf_16.csv": CSV.encode("utf-16"),
    "utf_16_without_a_mark.csv": CSV.encode("utf-16-le"),
    "parquet.csv": PARQUET,
    "page.csv": b"<!doctype html><html><body>Sign in</body></html>",
    "two_of_a_name.csv": CSV.replace("city", "income").encode(),
    "cut_short.csv.gz": gzip.compress(CSV.encode())[:-40],
    "no_archive.csv.gz": CSV.encode(),
    "of_another_tool.feather": b"ARROW1" + bytes(40),
    "database.sqlite": b"SQLite format 3\x00" + bytes(84),
}
VALUES = (
    "as_of=30.2.2026",
    "as_of=0000-00-00",
    "as_of=[2026-01-01]",
    "as_of=9999-99-99",
    "mlflow_server.first_answer_seconds=-1",
    "mlflow_server=off",
    "churn=5",
    "churn.table=customers",
    "churn.table.entity=5",
    "churn.table.numeric=income",
    "churn.window_days=1.5",
    "churn.window_days=99999999999999999999",
    "churn.split.test_share=1e400",
    "churn.split.folds=many",
    "churn.training.n_jobs=0",
    "churn.training.algorithms=[]",
    "churn.training.algorithms=[os.system]",
    "churn.training.k=-3",
    "churn.training.seed=1e9999",
    "churn.training.max_rows=1e308",
    "churn.training.trainig=1",
    "churn.evaluation.promotion.alpha=0",
    "churn.evaluation.promotion.min_improvement=nan",
    "churn.monitoring.drift.q=2",
    "churn.monitoring.quality.max_null_share=-0.1",
    "churn.monitoring.window_days=0",
    "churn.retraining.trigger.rules=[nothing]",
    "churn.scoring.batch_rows=0",
    "churn.scoring.retention_days=soon",
    "chrun=3",
    "=",
)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))


@pytest.fixture
def kedro(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """A command of the project, in this process, on a data folder that nothing lies in."""
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    from evergreen.cli import cli

    before = mlflow.get_tracking_uri()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / "data"))
    yield lambda *words: CliRunner().invoke(cli, words)
    mlflow.set_tracking_uri(before)


def assert_one_sentence(result: Result) -> str:
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    sentence = result.output[result.output.index("Error: ") :]
    assert sentence.count("\n") <= 3
    return sentence


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(Path(at) / name): Path(at, name).read_bytes() for at, _, names in os.walk(folder) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_written(
    kedro: Callable[..., Result], conf: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    before = files_below(conf)
    described = ["--entity=id", "--target=gone", f"--conf-source={conf}"]
    sentence = assert_one_sentence(kedro("use-case", "add", "mine", f"--table={tmp_path / name}", *described))
    assert name.partition(".")[0] in sentence or "gone" in sentence or "id" in sentence
    assert files_below(conf) == before
    assert not (tmp_path / "data").exists()


def test_an_address_of_mlflow_of_no_known_kind_is_refused(
    kedro: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evergreen.settings._NAMED_AT_THE_START", "nonsense://ann:sw0rd@host/x")
    sentence = assert_one_sentence(kedro("run", "--env=test", "--pipelines=feature_engineering"))
    assert "MLflow cannot keep runs at nonsense://" in sentence
    assert "sw0rd" not in sentence


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES)
def test_a_parameter_that_cannot_be_is_named_before_anything_is_made(
    kedro: Callable[..., Result], tmp_path: Path, value: str
) -> None:
    sentence = assert_one_sentence(kedro("run", "--env=test", "--pipelines=feature_engineering", f"--params={value}"))
    assert value.partition("=")[0].rpartition(".")[2] in sentence
    assert [file for file in (tmp_path / "data").rglob("*") if file.suffix in (".parquet", ".json", ".new")] == []
