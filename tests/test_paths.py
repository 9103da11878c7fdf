"""Claims about paths: whatever characters they hold, they are names."""

from __future__ import annotations

from pathlib import Path

import ibis
import pandas as pd
import pytest
from kedro.io import DataCatalog

from evergreen.configuration import ConfigLoader
from evergreen.datasets import OwnTableDataset
from evergreen.datasets.lake import LakeDataset
from evergreen.paths import plain, sealed
from tests_support import ROOT

NAMES = ["a b", "what?", "s*r", "[z]", "a%20b", "{x}", "${y}", "#h", "{", "a%20d?x*y[z]{x}${y}#h"]
CONNECTION = {"backend": "duckdb", "database": ":memory:"}


@pytest.mark.parametrize("name", NAMES)
def test_a_path_comes_back_from_configuration_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from evergreen.settings import CONFIG_LOADER_ARGS

    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / name))
    loader = ConfigLoader(str(ROOT / "conf"), env="test", **CONFIG_LOADER_ARGS)
    catalog = DataCatalog.from_config(loader["catalog"], {})
    assert plain(loader["globals"]["data"]) == str(tmp_path / name)
    assert catalog["churn.predictions"].folder == tmp_path / name / "07_model_output" / "churn" / "predictions"
    for entry in ("churn.features", "churn.customers", "churn.model_card"):
        assert Path(catalog[entry]._filepath).is_relative_to(tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_file_is_read_and_not_its_neighbours(tmp_path: Path, name: str) -> None:
    for folder, value in ((name, 1), ("what!", 2), ("sor", 3), ("z", 4)):
        (tmp_path / folder).mkdir(exist_ok=True)
        OwnTableDataset(filepath=sealed(str(tmp_path / folder / "t.parquet")), connection=CONNECTION).save(
            ibis.memtable({"v": [value]})
        )
    mine = OwnTableDataset(filepath=sealed(str(tmp_path / name / "t.parquet")), connection=CONNECTION)
    assert mine.load().execute()["v"].tolist() == [1]
    assert [file.name for file in (tmp_path / name).iterdir()] == ["t.parquet"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["t.parquet", "t/part.parquet"])
def test_a_lake_is_read_and_not_its_neighbours(tmp_path: Path, name: str, place: str) -> None:
    for folder, value in ((name, 1), ("what!", 2), ("sor", 3), ("z", 4)):
        file = tmp_path / folder / place
        file.parent.mkdir(parents=True)
        pd.DataFrame({"v": [value]}).to_parquet(file)
    lake = LakeDataset(lake=sealed(str(tmp_path / name)), table="t", connection=CONNECTION)
    assert lake.load().execute()["v"].tolist() == [1]


def test_a_relative_data_folder_is_seen_from_where_the_command_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evergreen.settings import data_folder

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVERGREEN_DATA", "some/folder")
    assert data_folder() == str(tmp_path / "some" / "folder")
