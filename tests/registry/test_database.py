"""Claims about MLflow's tables on this machine: made whole or not at all, and not tied to where they were made."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from evergreen import registry
from evergreen.registry import database
from evergreen.registry.database import database_file, database_uri, is_whole, prepare_database
from versions import make_version

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose tables were made once; tests copy it."""
    folder = tmp_path_factory.mktemp("made")
    prepared(folder)
    return folder


def prepared(folder: Path) -> Path:
    file = folder / "mlflow" / "mlflow.db"
    prepare_database(file, (folder / "mlflow" / "artifacts").as_uri(), "evergreen")
    return file


@pytest.fixture
def tracking() -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


def test_a_making_that_fails_midway_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: Path, artifacts: str, experiment: str) -> None:
        with closing(sqlite3.connect(file)) as half:
            half.execute("create table entity_associations (id)")
        raise OSError(28, "No space left on device", str(file))

    with monkeypatch.context() as patched:
        patched.setattr(database, "_add", fail)
        with pytest.raises(OSError, match="No space left"):
            prepared(tmp_path)
    assert [file.name for file in (tmp_path / "mlflow").iterdir()] == [".database.lock"]
    assert is_whole(prepared(tmp_path))


def test_tables_that_a_killed_process_left_half_made_are_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "mlflow" / "mlflow.db"
    file.parent.mkdir()
    for name in (file, file.with_name(".mlflow.db.new")):
        with closing(sqlite3.connect(name)) as half, half:
            half.execute("create table entity_associations (id)")
    assert is_whole(prepared(tmp_path))
    assert not file.with_name(".mlflow.db.new").exists()


def test_of_two_first_runs_one_makes_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makings, add = [], database._add

    def counted(*arguments: str) -> None:
        makings.append(arguments)
        add(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "_add", counted)
    racers = [threading.Thread(target=prepared, args=(tmp_path,)) for _ in range(2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(makings) == 1
    assert is_whole(tmp_path / "mlflow" / "mlflow.db")


@pytest.mark.parametrize("name", ["with space", "what?", "a%20b", "{x}${y}", "[z]*", "a#b"])
def test_whatever_a_folder_is_called_its_database_is_found(made: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name / "mlflow.db"
    assert database_file(database_uri(file)) == file
    assert database_file("http://server") is None


@pytest.mark.usefixtures("tracking")
def test_versions_of_a_folder_that_was_moved_are_loaded_from_where_it_lies_now(made: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before?", tmp_path / "after %20"
    shutil.copytree(made, before)
    mlflow.set_tracking_uri(database_uri(prepared(before)))
    mlflow.set_experiment("evergreen")
    version = make_version("moved", tmp_path)
    assert registry.load("moved", version).folder.is_relative_to(before)
    before.rename(after)
    mlflow.set_tracking_uri(database_uri(prepared(after)))
    mlflow.set_experiment("evergreen")
    assert registry.load("moved", version).folder.is_relative_to(after)
    assert make_version("moved", tmp_path, "f2") == "2"
    assert not before.exists()
