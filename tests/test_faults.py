"""Claims about faults of the outside world: one sentence, at most three lines, non-zero, nothing half-written."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import duckdb
import mlflow
import omegaconf
import pyarrow.parquet as pq
import pytest
import requests
import sqlalchemy
import yaml
from click.testing import CliRunner, Result
from kedro.io import DatasetError
from mlflow.exceptions import MlflowException

from evergreen.errors import EvergreenError
from evergreen.faults import OURS, explain, name_node, one_sentence, server_failed
from evergreen.interruption import Terminated
from evergreen.registry import database
from tests_support import ROOT

pytestmark = pytest.mark.slow

RUN = "run --env=test --namespaces=churn --pipeline=feature_engineering"


@pytest.fixture
def _mlflow_as_before() -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def kedro(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _mlflow_as_before: None) -> Callable[[str], Result]:
    """A command of the project, in this process, on a data folder of its own."""
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    from evergreen.cli import cli

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path))
    return lambda line: CliRunner().invoke(cli, line.split())


def assert_one_sentence(result: Result, sentence: str) -> None:
    errors = result.output[result.output.index("Error: ") :]
    assert sentence in errors
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert errors.count("\n") <= 3


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("run --runner=ParallelRunner", "--runner=ParallelRunner cannot run these pipelines"),
        ("run --runner=ThreadRunner", "--runner=ThreadRunner cannot run these pipelines"),
        ("run --runner=no.such.Runner", "--runner=no.such.Runner cannot run these pipelines"),
        ("run --async", "--async cannot run these pipelines"),
        ("run --env=nonsense", "environment nonsense is no folder of conf; there are base, bigquery"),
        ("run --env=test --params=churn=5", "parameter churn is 5: a block of parameters is needed"),
        ("run --env=test --params=churn.training=5", "parameter churn.training is 5"),
        ("run --env=test --params=churn.training.n_jobs=0", "parameter churn.training.n_jobs is 0"),
        ("run --env=test --params=churn.training.backend=none-such", "parameter churn.training.backend is 'none-such'"),
        ("run --env=test --params=mlflow_server.retries=-1", "parameter mlflow_server.retries is -1"),
        ("run --env=parquet --params=lake=foo://x", "the lake foo://x begins with foo://, which is no known place"),
    ],
)
def test_what_a_command_asks_for_wrongly_is_refused_before_anything_is_made(
    kedro: Callable[[str], Result], tmp_path: Path, line: str, sentence: str
) -> None:
    assert_one_sentence(kedro(line), sentence)
    assert not (tmp_path / "04_feature").exists()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("run --env=test --tags=nothing", "Pipeline contains no nodes after applying all provided filters"),
        ("run --env=test --from-nodes=nothing", "Pipeline does not contain nodes named ['nothing']"),
        ("run --env=test --pipelines=monitoring,ab_testing", "two of the chosen pipelines write the same datasets"),
        ("run --env=test --nodes=churn.training.train", "churn.training_plan', which an earlier node hands over"),
    ],
)
def test_nodes_that_cannot_be_run_alone_are_named(kedro: Callable[[str], Result], line: str, sentence: str) -> None:
    assert_one_sentence(kedro(line), sentence)


def a_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("in the way")


def a_file_in_the_way(folder: Path) -> None:
    (folder / "04_feature").write_text("in the way")


def no_database(folder: Path) -> None:
    (folder / "mlflow").mkdir()
    (folder / "mlflow" / "mlflow.db").write_text("no database at all " * 200)


def a_folder_as_database(folder: Path) -> None:
    (folder / "mlflow" / "mlflow.db").mkdir(parents=True)


def a_folder_as_table(folder: Path) -> None:
    (folder / "01_raw" / "customers.parquet").mkdir(parents=True)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (a_file, "mlflow: Not a directory; what was there before is unchanged: move away the file"),
        (a_file_in_the_way, "04_feature/churn: Not a directory; what was there before is unchanged"),
        (no_database, "mlflow.db: file is not a database: it was damaged or replaced: restore it"),
        (a_folder_as_database, "Is a directory; what was there before is unchanged"),
        (a_folder_as_table, "customers.parquet: Is a directory; what was there before is unchanged"),
    ],
)
def test_what_stands_in_the_way_on_disk_is_named(
    kedro: Callable[[str], Result], tmp_path: Path, fault: Callable[[Path], None], sentence: str
) -> None:
    fault(tmp_path)
    assert_one_sentence(kedro(RUN), sentence)
    assert not list(tmp_path.rglob("*.new"))


def test_a_disk_that_is_full_while_tables_are_made_is_one_sentence_without_mlflows_own_log(
    kedro: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        logging.getLogger("mlflow.store.db.utils").error("Traceback: the following exception is caught")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database, "_add", full)
    logged: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: logged.append(record.getMessage()))
    logging.getLogger("mlflow").addHandler(handler)
    result = kedro(RUN)
    logging.getLogger("mlflow").removeHandler(handler)
    assert_one_sentence(result, "mlflow.db: database or disk is full: free some space and run again.")
    assert logged == []


def caught(doing: Callable[[], object]) -> BaseException:
    try:
        doing()
    except BaseException as error:
        return error
    raise AssertionError("nothing went wrong")


def locked(folder: Path) -> object:
    file = folder / "some.db"
    with closing(sqlite3.connect(file)) as holder, closing(sqlite3.connect(file, timeout=0)) as other:
        holder.execute("begin exclusive")
        return other.execute("create table x (y)")


def unreachable_database(_: Path) -> object:
    return sqlalchemy.create_engine("sqlite:////no/such/folder/mlflow.db").connect()


def broken_parquet(folder: Path) -> object:
    (folder / "x.parquet").write_bytes(b"PAR1 and nothing else")
    return pq.read_table(folder / "x.parquet")


FAULTS: dict[str, Callable[[Path], object]] = {
    "x.json: No such file or directory": lambda folder: (folder / "x.json").read_text(),
    "Is a directory": lambda folder: folder.write_text("x"),
    "database is locked: another process holds it": locked,
    "unable to open database file: let the user": unreachable_database,
    "DuckDB could not go on (IO Error: No files found": lambda folder: duckdb.sql(f"from '{folder}/x.parquet'"),
    "a file cannot be read or written (Could not open Parquet": broken_parquet,
    "http://127.0.0.1 did not answer (ConnectionError): what was recorded": lambda _: requests.get(
        "http://127.0.0.1:9", timeout=5
    ),
    "the configuration cannot be read (while parsing": lambda _: yaml.safe_load("a: [1"),
    "the configuration cannot be read (Interpolation key": lambda _: omegaconf.OmegaConf.create({"a": "${b}"}).a,
    "the configuration cannot be read ('utf-8' codec": lambda _: b"\xff".decode(),
    "a package is missing (No module named 'no_such": lambda _: __import__("no_such_package"),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_of_the_outside_world_is_a_sentence(tmp_path: Path, sentence: str) -> None:
    assert sentence in str(explain(caught(lambda: FAULTS[sentence](tmp_path))))


def test_the_cause_is_told_and_not_what_was_made_of_it() -> None:
    full = OSError(28, "No space left on device", "/data/x.parquet")
    wrapped = DatasetError("churn.features: Failed while saving data")
    wrapped.__cause__ = full
    name_node(wrapped, "churn.scoring.score")
    assert explain(wrapped) == (
        "churn.scoring.score: /data/x.parquet: No space left on device; what was there before is unchanged: "
        "free some space and run again."
    )


def test_a_sentence_that_was_written_for_the_user_comes_first() -> None:
    error = EvergreenError("churn has no champion yet.")
    error.__cause__ = OSError(2, "No such file or directory")
    assert explain(error) == "churn has no champion yet."


def test_a_server_that_fails_midway_is_named_without_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "http://ann:swordfish@host:5000")
    error = MlflowException("API request to http://ann:swordfish@host:5000/api failed with exception: refused")
    assert server_failed(error)
    assert str(explain(error)).startswith("MLflow at http://host:5000 could not do it (API request to http://host:5000")


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), AssertionError(), ZeroDivisionError()])
def test_a_fault_of_ours_is_no_sentence(error: Exception) -> None:
    assert explain(error) is None


def command_that(raises: BaseException) -> click.Command:
    def fail() -> None:
        with one_sentence(click.get_current_context()):
            raise raises

    return click.Command("fail", callback=fail)


def test_a_fault_of_ours_ends_with_its_traceback_and_how_to_report_it() -> None:
    ended = CliRunner().invoke(command_that(KeyError("x")))
    assert ended.exit_code == 1
    assert "Traceback" in ended.output
    assert ended.output.endswith(f"{OURS}\n")


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_a_command_that_is_stopped_says_so_in_one_line(stop: BaseException, code: int) -> None:
    ended = CliRunner().invoke(command_that(stop))
    assert ended.exit_code == code
    assert ended.output.count("\n") == 1


def test_sigterm_ends_a_run_like_an_interruption_and_marks_it_as_killed(tmp_path: Path) -> None:
    code = """
import os, signal, click, mlflow
from evergreen.faults import one_sentence
from evergreen.registry.database import database_uri, prepare_database
from pathlib import Path
folder = Path(os.environ["FOLDER"])
prepare_database(folder / "mlflow.db", folder.as_uri(), "evergreen")
mlflow.set_tracking_uri(database_uri(folder / "mlflow.db"))
mlflow.set_experiment("evergreen")
def work():
    with one_sentence(click.get_current_context()):
        for nested in (False, True):
            mlflow.start_run(nested=nested)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
click.Command("work", callback=work)()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"FOLDER": str(tmp_path)}
    )
    assert done.returncode == 143, done.stderr
    told = done.stderr.splitlines()[-1]
    assert told == "Terminated: nothing was left half-written; the same command goes on from there."
    assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        states = [state for (state,) in database.execute("select status from runs")]
    assert json.dumps(states) == '["KILLED", "KILLED"]'
