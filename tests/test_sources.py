"""Claims about which tables a run takes for its sources."""

from __future__ import annotations

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, MemoryDataset

from evergreen.sources import same_tables, source_entries
from tests_support import ROOT

bootstrap_project(ROOT)


def test_sources_are_the_tables_that_features_are_made_from_and_nothing_else() -> None:
    assert source_entries(pipelines["churn"]) == ["churn.current", "churn.customers"]


@pytest.mark.parametrize("room", ["training", "evaluation", "scoring", "monitoring", "retraining"])
def test_what_lives_on_features_reads_no_source(room: str) -> None:
    assert source_entries(pipelines[room]) == []


@pytest.mark.parametrize(
    ("date", "newest", "sentence"),
    [
        (None, "customers.csv", "name a newer snapshot in the catalog entry churn.current"),
        ("day", "customers.csv", "name it once, as churn.rows, with {source: dated_table}"),
        (None, "current.csv", ""),
    ],
)
def test_a_snapshot_that_is_the_table_learnt_from_is_said(date: str | None, newest: str, sentence: str) -> None:
    entry = {"type": "evergreen.datasets.TableFileDataset", "file_format": "csv", "connection": {"backend": "duckdb"}}
    files = {"churn.customers": "customers.csv", "churn.current": newest}
    catalog = DataCatalog.from_config({name: {**entry, "filepath": file} for name, file in files.items()})
    catalog["params:churn.table"] = MemoryDataset({"entity": "id", "target": "left", "numeric": ["age"], "date": date})
    found = same_tables(pipelines["churn"], catalog)
    assert [sentence in each for each in found] == [True] * bool(sentence)
