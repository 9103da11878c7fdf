"""Claims about disks, permissions and other users: a sentence, non-zero, no traceback, nothing half-written."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import mlflow
import pytest
from click.testing import CliRunner, Result

from constrained import files_at_most, given_to_nobody, needs_root, permissions_count, small_disk
from evergreen import registry
from evergreen.registry.database import database_uri, is_whole, prepare_database
from tests_support import ROOT
from versions import make_version

pytestmark = pytest.mark.slow

RUN = "run --env=test --namespaces=churn --pipeline=feature_engineering"
MODELS = "--use-case=churn --env=test"
PROMOTE = f"models promote --version=1 --reason=test --yes {MODELS}"
ROLLBACK = f"models rollback --reason=test {MODELS}"
LIST = f"models list {MODELS}"
KB = 1024


@pytest.fixture(autouse=True)
def _mlflow_as_before() -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def kedro(line: str) -> Result:
    from evergreen.cli import cli

    return CliRunner().invoke(cli, line.split())


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two versions of churn, of which the second serves, and tables of features."""
    folder, before = tmp_path_factory.mktemp("lived"), mlflow.get_tracking_uri()
    file = folder / "mlflow" / "mlflow.db"
    prepare_database(file, (folder / "mlflow" / "artifacts").as_uri(), "evergreen")
    mlflow.set_tracking_uri(database_uri(file))
    mlflow.set_experiment("evergreen")
    first, second = (make_version("churn", folder / "made", mark, complete=True) for mark in ("f1", "f2"))
    registry.move_champion("churn", first, None, "first")
    registry.move_champion("churn", second, first, "better")
    shutil.rmtree(folder / "made")
    mlflow.set_tracking_uri(before)
    return folder


def read_only(data: Path) -> AbstractContextManager[None]:
    data.chmod(0o555)
    return permissions_count()


def read_only_tables(data: Path) -> AbstractContextManager[None]:
    (data / "01_raw").mkdir()
    (data / "01_raw").chmod(0o555)
    return permissions_count()


def read_only_registry(data: Path) -> AbstractContextManager[None]:
    (data / "mlflow").chmod(0o555)
    (data / "mlflow" / "mlflow.db").chmod(0o444)
    return permissions_count()


def of_another_user(data: Path) -> AbstractContextManager[None]:
    given_to_nobody(data)
    return permissions_count()


def secret_of_another_user(data: Path) -> AbstractContextManager[None]:
    given_to_nobody(data)
    (data / "mlflow").chmod(0o700)
    return permissions_count()


def small_files(size: int) -> Callable[[Path], AbstractContextManager[None]]:
    return lambda _: files_at_most(size)


@contextmanager
def full_disk(data: Path) -> Iterator[None]:
    for name in ("filling", "rest"):
        fill(data / name)
    yield


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as growing:
        try:
            while growing.write(b"0" * KB):
                pass
        except OSError:
            return


@contextmanager
def locked(data: Path) -> Iterator[None]:
    with closing(sqlite3.connect(data / "mlflow" / "mlflow.db")) as holder:
        holder.execute("begin exclusive")
        yield


FIRST_RUNS = {
    "read-only folder": (read_only, "Permission denied; what was there before is unchanged"),
    "read-only tables": (read_only_tables, "Permission denied"),
    "files of 100 KB": (small_files(100 * KB), "ulimit -f"),
    "full disk": (full_disk, "free some space"),
    "another user's": (of_another_user, "Permission denied; what was there before is unchanged"),
}
CHANGES = {
    "read-only registry": (read_only_registry, "readonly database: let the user who runs it write to that file"),
    "another user's registry": (of_another_user, "Permission denied"),
    "files of 10 KB": (small_files(10 * KB), "ulimit -f"),
    "full disk": (full_disk, "free some space"),
    "database locked": (locked, "database is locked: another process holds it"),
}


def assert_one_sentence(result: Result, sentence: str) -> None:
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    errors = result.output[result.output.index("Error: ") :]
    assert sentence in errors
    assert errors.count("\n") <= 3


@needs_root
@pytest.mark.parametrize("fault", FIRST_RUNS)
def test_a_first_run_that_cannot_write_says_so_and_leaves_nothing_half_made(data: Path, fault: str) -> None:
    make, sentence = FIRST_RUNS[fault]
    with small_disk(data, 2 * KB * KB):
        with make(data):
            result = kedro(RUN)
        left = [file.name for file in data.rglob("*") if file.suffix in (".new", ".parquet")]
        databases = [is_whole(file) for file in data.rglob("*.db")]
    assert_one_sentence(result, sentence)
    assert left == []
    assert all(databases)


@needs_root
@pytest.mark.parametrize(
    ("fault", "line"),
    [*((fault, PROMOTE) for fault in CHANGES), ("full disk", ROLLBACK)],
)
def test_a_change_that_cannot_be_written_says_so_and_leaves_the_champion(
    data: Path, lived: Path, fault: str, line: str
) -> None:
    make, sentence = CHANGES[fault]
    with small_disk(data, 4 * KB * KB):
        shutil.copytree(lived, data, dirs_exist_ok=True)
        assert kedro(LIST).exit_code == 0  # artefacts are found where the folder lies now
        began = time.monotonic()
        with make(data):
            result = kedro(line)
        seconds = time.monotonic() - began
        champion = registry.aliases_of("churn")["champion"]
    assert_one_sentence(result, sentence)
    assert champion == "2"
    assert seconds < 60


@needs_root
def test_another_user_who_may_not_even_read_the_registry_is_told_so(data: Path, lived: Path) -> None:
    shutil.copytree(lived, data, dirs_exist_ok=True)
    with secret_of_another_user(data):
        result = kedro(LIST)
    assert_one_sentence(result, "let the user who runs it read and write")
