"""Fixtures that every test room shares."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from evergreen import invocation
from tests_support import ROOT, Project

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests' workers share the cores already
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # as the project does before it imports MLflow

PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeated", derandomize=True, database=None, **PATIENT)  # the same examples in every run
settings.register_profile("random", print_blob=True, **PATIENT)
settings.load_profile("repeated")

SHARED = ROOT.parent / "shared"
Made = Callable[[str, Callable[[Path], None]], Path]


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collections, which some libraries ask for at every call."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests on it skip where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("no real data beside the project")
    return folder


@pytest.fixture(autouse=True)
def _no_invocation() -> None:
    """Each test begins as a process that nobody gave options."""
    invocation.remember(invocation.Invocation())


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Folders that are filled once for all workers: by the first that asks, while the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def folder_of(name: str, fill: Callable[[Path], None]) -> Path:
        folder, filled = base / name, base / f"{name}.filled"
        with FileLock(base / f"{name}.lock"):
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def lived(made_once: Made) -> Iterator[Project]:
    """A project in which the whole lifecycle ran once, to be read; a test that runs it again takes `relived`."""

    def live(folder: Path) -> None:
        first = Project(folder).kedro_from_cold("run", "--env=test")
        assert first.returncode == 0, first.stdout + first.stderr
        (folder / "first_run.txt").write_text(first.stdout + first.stderr)

    project = Project(made_once("lived", live))
    before = project.files()
    yield project
    assert project.files() == before, "a test changed the project that all tests read"


@pytest.fixture(scope="module")
def relived(lived: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the lived project, for tests that run commands on it which leave its records as they were."""
    return lived.copy(tmp_path_factory.mktemp("relived") / "data")


@pytest.fixture(scope="session")
def lived_twice(lived: Project, made_once: Made) -> Project:
    """A lived project on which training and evaluation ran once more, without a new row."""

    def live_again(folder: Path) -> None:
        folder.rmdir()
        again = lived.copy(folder).run("--pipelines=training,evaluation")
        assert again.returncode == 0, again.stderr

    return Project(made_once("lived_twice", live_again))


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty tracking and registry database, used by this process from here on."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("evergreen", artifact_location=str(folder / "artifacts"))
    mlflow.set_experiment("evergreen")
    return folder
