"""Claims about state in buckets of Google and Azure: two clean folders share it and a server of MLflow alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import fsspec
import pytest
from clouds import azure, google
from deploy_tools import only_with_tools

from local_server import free_port, running
from tests_support import Project

pytestmark = only_with_tools

FEW = "--params=mlflow_server.first_answer_seconds=60,churn.training.algorithms=[LogisticRegression]"
Cloud = Callable[[Path], AbstractContextManager[dict[str, str]]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    places = [f"--backend-store-uri=sqlite:///{folder}/mlflow.db", f"--artifacts-destination={folder}/artifacts"]
    command = [sys.executable, "-m", "mlflow", "server", f"--port={port}", "--workers=1", *places]
    with running(command, f"http://127.0.0.1:{port}", folder):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("cloud", [google, azure])
def test_one_folder_trains_and_another_scores_and_monitors(
    server: str, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cloud(tmp_path) as surroundings:
        for name, pipelines in {
            "trains": "feature_engineering,training,evaluation",
            "scores": "scoring,monitoring",
        }.items():
            clean = Project(tmp_path / name)
            there = {**surroundings, "EVERGREEN_LOCAL": str(clean.data), "MLFLOW_TRACKING_URI": server}
            done = clean.kedro("run", "--env=test", "--namespaces=churn", f"--pipelines={pipelines}", FEW, **there)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "ERROR" not in done.stderr
            assert [file for file in clean.data.rglob("*") if file.is_file()] == []
        for variable, value in surroundings.items():
            monkeypatch.setenv(variable, value)
        files, root = fsspec.core.url_to_fs(surroundings["EVERGREEN_DATA"])
        records = {
            name: json.loads(files.cat(f"{root}/08_reporting/churn/{name}.json")) for name in ("serving", "monitoring")
        }
        assert records["serving"]["version"] == "1"
        assert records["monitoring"]["status"] in ("drift", "performance", "ok")
        assert [Path(file).name for file in files.find(f"{root}/07_model_output/churn/predictions")] != []
