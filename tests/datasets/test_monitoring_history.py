"""Claims about the history of windows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evergreen.datasets.monitoring_history import CountsDataset, HistoryDataset


def window(end: str, version: str, effect: float) -> pd.DataFrame:
    return pd.DataFrame({"window_end": [pd.Timestamp(end)] * 2, "version": version, "effect": [effect, 0.0]})


def test_before_the_first_window_it_is_empty(tmp_path: Path) -> None:
    history = HistoryDataset(str(tmp_path / "history"))
    assert history.exists()
    assert list(history.load()) == ["window_end"]
    assert len(history.load()) == 0


def test_looking_again_replaces_a_window_and_keeps_the_others(tmp_path: Path) -> None:
    history = HistoryDataset(str(tmp_path))
    for rows in (window("2026-03-08", "1", 0.1), window("2026-03-01", "1", 0.2), window("2026-03-08", "1", 0.3)):
        history.save(rows)
    found = history.load()
    assert found["window_end"].dt.day.tolist() == [1, 1, 8, 8]
    assert found["effect"].tolist() == [0.2, 0.0, 0.3, 0.0]


def test_two_champions_of_one_day_keep_a_file_each_and_nothing_stays_behind(tmp_path: Path) -> None:
    history = HistoryDataset(str(tmp_path))
    history.save(pd.concat([window("2026-03-01", "1", 0.1), window("2026-03-01", "2", 0.2)]))
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["2026-03-01-version-1.parquet", "2026-03-01-version-2.parquet"]


def test_counts_of_all_windows_lie_in_one_file_that_is_empty_before_the_first(tmp_path: Path) -> None:
    counts = CountsDataset(str(tmp_path / "window_counts.parquet"))
    assert counts.exists()
    assert counts.load().empty
    kept = pd.DataFrame({"window_end": [pd.Timestamp("2026-03-01")], "column": ["x"], "counts": [[1, 2]]})
    counts.save(kept)
    assert [list(found) for found in counts.load()["counts"]] == [[1, 2]]
    assert [file.name for file in tmp_path.iterdir()] == ["window_counts.parquet"]
