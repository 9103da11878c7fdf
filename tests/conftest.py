"""Fixtures that every test room shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from evergreen import invocation
from tests_support import ROOT, Project

SHARED = ROOT.parent / "shared"


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
def lived(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the whole lifecycle ran once; tests may read it and run it again."""
    project = Project(tmp_path_factory.mktemp("lived"))
    first = project.run()
    assert first.returncode == 0, first.stdout + first.stderr
    (project.data / "first_run.txt").write_text(first.stdout + first.stderr)
    return project


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty tracking and registry database, used by this process from here on."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("evergreen", artifact_location=str(folder / "artifacts"))
    mlflow.set_experiment("evergreen")
    return folder
