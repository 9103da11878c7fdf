"""Claims about what is said where Spark, or the Java that it runs on, is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from evergreen.datasets import SparkLakeDataset
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
