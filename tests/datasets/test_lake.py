"""Claims about tables in a parquet lake, and about files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import ibis
import pandas as pd
import pytest
from kedro.io import DatasetError

from evergreen.datasets import FrameDataset, HistoryDataset, LakeDataset, PageDataset, TableDataset

ROWS = pd.DataFrame({"id": [1, 2, 3], "month": ["01", "01", "02"]})


def load(lake: Path) -> pd.DataFrame:
    return LakeDataset(lake=str(lake), table="sales").load().order_by("id").to_pyarrow().to_pandas()


def test_a_table_may_be_one_file(tmp_path: Path) -> None:
    ROWS.to_parquet(tmp_path / "sales.parquet")
    assert load(tmp_path)["id"].tolist() == [1, 2, 3]


def test_a_table_may_be_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "sales").mkdir()
    for name, part in ROWS.groupby("month"):
        part.to_parquet(tmp_path / "sales" / f"{name}.parquet")
    assert load(tmp_path)["id"].tolist() == [1, 2, 3]


def test_a_table_may_be_hive_partitions_and_keeps_the_partition_column(tmp_path: Path) -> None:
    ROWS.to_parquet(tmp_path / "sales", partition_cols=["month"])
    found = load(tmp_path)
    assert found["id"].tolist() == [1, 2, 3]
    assert found["month"].astype(int).tolist() == [1, 1, 2]


def test_a_missing_table_is_told_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"neither sales\.parquet nor a folder sales/"):
        LakeDataset(lake=str(tmp_path), table="sales").load()


def test_a_table_that_may_be_absent_is_empty_and_typed_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="evergreen")
    optional = LakeDataset(lake=str(tmp_path), table="sales", when_absent={"id": "int64", "month": "date"})
    found = optional.load()
    assert dict(found.schema().items()) == {"id": ibis.dtype("int64"), "month": ibis.dtype("date")}
    assert found.to_pyarrow().num_rows == 0
    assert [record.getMessage() for record in caplog.records if record.name.startswith("evergreen")] == [
        f"The lake {tmp_path} has no table sales: columns made from it stay empty."
    ]
    ROWS.to_parquet(tmp_path / "sales.parquet")
    assert optional.load().count().to_pyarrow().as_py() == 3


def test_a_lake_is_not_written_to(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is a source and is not written to"):
        LakeDataset(lake=str(tmp_path), table="sales").save(ROWS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "name"), [(FrameDataset, "x.parquet"), (TableDataset, "x.csv")])
def test_a_save_that_breaks_leaves_the_former_file(tmp_path: Path, kind: type, name: str) -> None:
    dataset = kind(filepath=str(tmp_path / "deep" / name))
    dataset.save(ROWS)
    with pytest.raises((DatasetError, AttributeError)):
        dataset.save(object())
    assert dataset.load()["id"].tolist() == [1, 2, 3]
    assert [file.name for file in (tmp_path / "deep").iterdir()] == [name]


def test_a_page_reads_back(tmp_path: Path) -> None:
    dataset = PageDataset(filepath=str(tmp_path / "card.md"))
    dataset.save("# Card")
    assert dataset.load() == "# Card"


def test_a_window_of_the_history_is_replaced_by_a_second_look_at_it(tmp_path: Path) -> None:
    dataset = HistoryDataset(str(tmp_path))
    assert dataset.load().empty
    for day, version, effect in (("07", "1", 0.1), ("14", "1", 0.2), ("14", "1", 0.3), ("14", "2", 0.0)):
        window = {"window_end": [pd.Timestamp(f"2026-01-{day}")], "version": [version], "effect": [effect]}
        dataset.save(pd.DataFrame(window))
    assert dataset.load()["effect"].tolist() == [0.1, 0.3, 0.0]
