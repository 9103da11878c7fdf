"""Features are computed where something that they are made of has changed; what is read is always the whole table."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from kedro.io import DatasetError

from evergreen.datasets import FeaturesDataset
from evergreen.features import reuse
from evergreen.features.making import star_in_parts
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema

DUCKDB = {"backend": "duckdb", "database": ":memory:", "preserve_insertion_order": False}
SPEC = TableSpec(entity="id", date="day", target="x", numeric=["h_avg_x"])
FIRST = dt.date(2025, 11, 3)


@pytest.fixture(autouse=True)
def _few_lines_have_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_FEWEST_LINES", 50)


def sales(days: int = 140) -> pd.DataFrame:
    """A line a day of each of two shops."""
    lines = [(shop, FIRST + dt.timedelta(days=day), float(day % 7)) for day in range(days) for shop in "ab"]
    return pd.DataFrame(lines, columns=["shop", "day", "x"]).assign(id=range(len(lines)))


def star(history_days: int = 9) -> StarSchema:
    history = {"keys": ["shop"], "measures": {"x": ["avg", "std"]}}
    facts = {"table": "sales", "key": "id", "date": "day", "keys": ["shop"]}
    described = {"facts": facts, "measures": {"x": "x"}, "histories": {"h": history}, "history_days": history_days}
    return StarSchema.model_validate(described)


def kept(place: Path | str) -> FeaturesDataset:
    return FeaturesDataset(filepath=str(place), connection=DUCKDB, made_by="kedro run")


def save(dataset: FeaturesDataset, rows: pd.DataFrame, rules: StarSchema | None = None) -> ir.Table:
    table = dataset.connection.create_table(ibis.util.gen_name("sales"), rows)
    features = star_in_parts({"sales": table}, rules or star(), SPEC)
    dataset.save(features)
    return features


def rows_of(table: ir.Table) -> pd.DataFrame:
    return table.to_pandas().sort_values("id", ignore_index=True)


def require_whole(dataset: FeaturesDataset, features: ir.Table) -> None:
    pd.testing.assert_frame_equal(rows_of(dataset.load()), rows_of(features), check_exact=True)


def files(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): each.stat().st_mtime_ns for each in folder.rglob("*") if each.is_file()}


def parts(folder: Path) -> dict[str, int]:
    return {name: at for name, at in files(folder).items() if name.endswith(".parquet")}


def test_nothing_is_computed_where_nothing_has_changed(tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    for rows in (sales(), sales(20)):
        require_whole(dataset, save(dataset, rows))
        before = parts(tmp_path)
        save(kept(tmp_path / "f.parquet"), rows.sample(frac=1, random_state=1))
        assert parts(tmp_path) == before


def test_one_more_week_leaves_all_but_the_newest_part(tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales(140))
    before = parts(tmp_path)
    require_whole(dataset, save(dataset, sales(147)))
    assert len(before) == 2
    assert len(set(before.items()) & set(parts(tmp_path).items())) == 1


def test_months_become_parts_of_their_own(tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    for days in (120, 150, 181):  # until February, March and May
        require_whole(dataset, save(dataset, sales(days)))
    assert len(parts(tmp_path)) == 4


@pytest.mark.parametrize(("day", "still"), [(0, 1), (80, 0)])
def test_a_late_line_is_in_all_that_it_is_seen_by(day: int, still: int, tmp_path: Path) -> None:
    dataset, rows = kept(tmp_path / "f.parquet"), sales()
    save(dataset, rows)
    before = parts(tmp_path)
    late = pd.DataFrame({"shop": ["a"], "day": [FIRST + dt.timedelta(days=day)], "x": [99.0], "id": [9_999]})
    require_whole(dataset, save(dataset, pd.concat([rows, late])))
    assert len(set(before.items()) & set(parts(tmp_path).items())) == still


@pytest.mark.parametrize("days", [20, 140])
def test_other_rules_have_everything_computed(days: int, tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales(days))
    before = parts(tmp_path)
    require_whole(dataset, save(dataset, sales(days), star(5)))
    assert not set(before.items()) & set(parts(tmp_path).items())


def _overwritten(file: Path) -> None:
    pd.read_parquet(file).assign(x=0.0).to_parquet(file)


def _broken(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


@pytest.mark.parametrize("days", [20, 140])
@pytest.mark.parametrize("harm", [_overwritten, _broken, Path.unlink])
def test_files_that_are_not_as_they_were_written_are_computed_again(
    harm: Callable[[Path], object], days: int, tmp_path: Path
) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales(days))
    harm(sorted(tmp_path.rglob("*.parquet"))[0])
    require_whole(dataset, save(dataset, sales(days)))


@pytest.mark.parametrize(
    "text", ["", '{"cuts": [24', "[]", '{"cuts": []}', '{"cuts": [null], "files": {}}', "\x00\x00"]
)
@pytest.mark.parametrize("days", [20, 140])
def test_a_broken_list_of_parts_has_everything_computed(text: str, days: int, tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales(140))
    (tmp_path / "f.parts" / "parts.json").write_text(text)
    with pytest.raises(DatasetError, match="does not exist yet: run `kedro run` first"):
        dataset.load()
    require_whole(dataset, save(dataset, sales(days)))


def test_only_parts_that_were_not_computed_are_said_to_be_those_of_the_last_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales())
    sorted(tmp_path.rglob("*.parquet"))[0].unlink()
    with caplog.at_level("INFO"):
        save(dataset, sales())
    assert "1 of 2 parts of the features are those of the last run" in caplog.text


@pytest.mark.parametrize("rows", [(20, 140, 20), (140, 20, 140)])
def test_a_table_grows_into_parts_and_shrinks_to_a_file(rows: tuple[int, ...], tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    for days in rows:
        require_whole(dataset, save(dataset, sales(days)))
        assert dataset.exists()
        assert (tmp_path / "f.parquet").exists() == (days == 20)
        assert (tmp_path / "f.parts").exists() == (days == 140)


@pytest.mark.parametrize("before", [20, 130])
def test_a_run_that_breaks_off_leaves_the_former_table(
    before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = kept(tmp_path / "f.parquet")
    former = save(dataset, sales(before))
    written: list[Any] = []

    def once(*found: Any, **more: Any) -> None:
        written.append(found)
        if len(written) > 1:
            raise OSError("no space left on device")
        write(*found, **more)

    write = type(dataset.connection).to_parquet
    monkeypatch.setattr(type(dataset.connection), "to_parquet", once)
    with pytest.raises(DatasetError, match="no space left"):
        save(dataset, sales(), star(4))
    monkeypatch.undo()
    require_whole(dataset, former)
    assert not [name for name in files(tmp_path) if name.endswith(".new")]


def test_without_the_memory_to_look_for_changes_all_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(_: ir.Table) -> None:
        raise duckdb.OutOfMemoryException("failed to allocate")

    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales())
    monkeypatch.setattr("evergreen.datasets.features.months_of", too_large)
    require_whole(dataset, save(dataset, sales(147)))


def test_what_killed_runs_left_goes(tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales())
    (tmp_path / "f.parts" / ".x.parquet.elsewhere.123.new").touch()
    (tmp_path / "f.parts" / "x.parquet").touch()
    old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC).timestamp()
    os.utime(tmp_path / "f.parts" / ".x.parquet.elsewhere.123.new", (old, old))
    save(dataset, sales(147))
    assert len(files(tmp_path)) == 3


def test_parts_lie_in_a_bucket() -> None:
    dataset = kept("memory://bucket/features/f.parquet")
    for days in (20, 140, 147, 20):
        features = save(dataset, sales(days))
        assert dataset.exists()
        require_whole(dataset, features)


def test_a_table_without_parts_is_written_as_it_is(tmp_path: Path) -> None:
    dataset = kept(tmp_path / "f.parquet")
    save(dataset, sales())
    plain = ibis.memtable(pd.DataFrame({"id": [1, 2]}))
    dataset.save(plain)
    require_whole(dataset, plain)
