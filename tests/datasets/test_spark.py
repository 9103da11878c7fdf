"""Claims about what is said where Spark, its Java or one type a column is missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evergreen.datasets import SparkLakeDataset, SparkTableDataset
from evergreen.datasets import spark as room
from evergreen.errors import EvergreenError


def found(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Only these packages are installed, and no Java."""
    monkeypatch.setattr(room.importlib.util, "find_spec", lambda name: object() if name in packages else None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")


def test_without_pyspark_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found(monkeypatch)
    (tmp_path / "sales.parquet").touch()
    dataset = SparkLakeDataset(lake=str(tmp_path), table="sales", connection={"backend": "pyspark"})
    with pytest.raises(Exception, match=r"pip install 'evergreen\[spark\]'"):
        dataset.load()


def test_without_java_both_ways_to_get_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, "pyspark")
    with pytest.raises(EvergreenError, match=r"openjdk-17-jre-headless.*evergreen\[spark\]"):
        room.find_java()


def test_a_java_that_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch)
    monkeypatch.setenv("JAVA_HOME", "/opt/java")
    room.find_java()


def parts(folder: Path, *columns: pa.Array) -> SparkLakeDataset:
    (folder / "sales").mkdir()
    for i, column in enumerate(columns):
        pq.write_table(pa.table({"amount": column}), folder / "sales" / f"{i}.parquet")
    return SparkLakeDataset(lake=str(folder), table="sales", connection={"backend": "pyspark"})


@pytest.mark.parametrize(
    ("later", "kind"),
    [(pa.array([1.5]), "DOUBLE"), (pa.array(["2"]), "VARCHAR"), (pa.array([2], "i4"), "INTEGER")],
)
def test_files_with_two_types_of_a_column_are_refused_before_spark_reads_them(
    tmp_path: Path, later: pa.Array, kind: str
) -> None:
    found = rf"sales: column amount is BIGINT in sales/0.parquet but {kind} in sales/1.parquet"
    lake = parts(tmp_path, pa.array([1]), later)
    with pytest.raises(EvergreenError, match=found):
        lake._require_one_type_a_column()


def test_files_with_one_type_a_column_pass(tmp_path: Path) -> None:
    parts(tmp_path, pa.array([1]), pa.array([2]))._require_one_type_a_column()


LOCAL_SPARK = {"backend": "pyspark", "spark.master": "local[2]"}


@pytest.mark.parametrize("make", [partial(SparkLakeDataset, table="sales"), SparkTableDataset])
def test_a_bucket_that_spark_on_this_machine_does_not_know_is_refused_at_the_start(
    make: Callable[..., Any],
) -> None:
    named = "lake" if isinstance(make, partial) else "filepath"
    with pytest.raises(EvergreenError, match=r"the table sales lies in s3://.*folders of this machine alone: let"):
        make(**{named: "s3://bucket/sales"}, connection=LOCAL_SPARK)


@pytest.mark.parametrize(
    "more", [{"spark.master": "spark://cluster:7077"}, {"spark.jars.packages": "org.apache.hadoop:hadoop-aws:3.4.1"}]
)
def test_a_spark_that_may_know_the_bucket_is_asked(more: dict[str, str]) -> None:
    assert SparkTableDataset("s3://bucket/sales", connection={**LOCAL_SPARK, **more})._fs_prefix == "s3://"
