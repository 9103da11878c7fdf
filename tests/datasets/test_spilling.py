"""Claims about rows that do not fit into memory: they lie among the copies that no process outlives for long."""

from __future__ import annotations

from pathlib import Path

import pytest

from evergreen import scratch
from evergreen.datasets.own_table import OwnTableDataset

CONNECTION = {"backend": "duckdb", "database": ":memory:", "memory_limit": "60MB", "threads": 1}


def test_rows_are_spilled_where_copies_are_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_roots", [tmp_path / "copies"])
    monkeypatch.setattr(OwnTableDataset, "_connections", {})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    connection = OwnTableDataset(filepath=str(tmp_path / "table.parquet"), connection=CONNECTION).connection
    connection.raw_sql("create table rows as select range as id, hash(range) as value from range(6000000)")
    spilled = [file for file in (tmp_path / "copies").rglob("*.tmp") if file.is_file()]
    assert spilled != []
    assert list((tmp_path / "here").iterdir()) == []
    assert list((tmp_path / "copies").glob("*.lock")) != []


def test_a_folder_that_the_connection_names_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OwnTableDataset, "_connections", {})
    named = {**CONNECTION, "temp_directory": str(tmp_path / "mine")}
    connection = OwnTableDataset(filepath=str(tmp_path / "table.parquet"), connection=named).connection
    assert connection.raw_sql("select current_setting('temp_directory')").fetchall() == [(str(tmp_path / "mine"),)]
