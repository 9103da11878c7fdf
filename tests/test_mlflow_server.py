"""Claims about a real MLflow server: it keeps everything, any machine goes on from there, and nothing stays behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_server import free_port, running
from tests_support import Project


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    places = [f"--backend-store-uri=sqlite:///{folder}/mlflow.db", f"--artifacts-destination={folder}/artifacts"]
    command = [sys.executable, "-m", "mlflow", "server", f"--port={port}", "--workers=1", *places]
    with running(command, address, folder):
        yield address


def test_another_machine_goes_on_where_the_first_one_stopped(server: str, tmp_path: Path) -> None:
    here, there, scratch = Project(tmp_path / "here"), Project(tmp_path / "there"), tmp_path / "scratch"
    scratch.mkdir()
    surroundings = {"MLFLOW_TRACKING_URI": server, "TMPDIR": str(scratch)}
    ran = here.run("--namespaces=churn", "--params=churn.training.algorithms=[LogisticRegression]", **surroundings)
    assert ran.returncode == 0, ran.stderr
    assert "churn: version 1 promoted." in ran.stdout + ran.stderr
    assert "Downloading" not in ran.stderr
    assert not (here.data / "mlflow").exists()

    named = ["--use-case=churn", "--env=test", "--reason=the old world is back"]
    rolled_back = there.kedro("models", "rollback", *named, **surroundings)
    assert rolled_back.returncode == 0, rolled_back.stderr
    assert "churn: champion 2 → 1" in rolled_back.stdout
    assert [place.name for place in scratch.iterdir() if place.is_dir()] == []
