"""An exported version as a service of its own, without a registry."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from small_service import USE_CASE

from evergreen.errors import EvergreenError
from evergreen.serving import served
from evergreen.serving.exported import Exported
from evergreen.serving.served import Served
from evergreen.serving.standalone import export_standalone
from serving_load import Load, ask, request

ROW = b'{"age": 50, "income": 1.5, "city": "A"}'


@pytest.fixture(scope="module")
def exported(versions: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_standalone(USE_CASE, versions.trees, folder)
    return folder


def test_numpy_walks_the_trees_where_numba_is_missing(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (version,) = exported.iterdir()
    row = {"age": [50.0, 30.0], "income": [1.5, None], "city": ["A", "?"]}
    by_numba = Served(version).probabilities(row, 2)
    monkeypatch.setattr(served, "tree_kernel", lambda _: None)
    assert Served(version).probabilities(row, 2).tolist() == by_numba.tolist()


def test_it_answers_where_mlflow_cannot_be_imported_and_ends_on_sigterm(exported: Path, tmp_path: Path) -> None:
    for absent in ("mlflow", "pandas", "sklearn", "kedro", "pyarrow"):
        (tmp_path / f"{absent}.py").write_text("raise ImportError")
    surroundings = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "evergreen.serving.exported", str(exported), "--port=0", "--workers=1"]
    with subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        found = re.search(r"served on (\S+) by", told)
        assert found, told + process.stderr.read()
        with urllib.request.urlopen(f"{found[1]}/predict", ROW, timeout=20) as answer:
            assert b'"model_version":"2"' in answer.read()
        process.terminate()
        assert process.wait(30) == 0
    assert {file.name for file in exported.iterdir()} == {next(exported.iterdir()).name}


def test_sigterm_under_load_loses_no_request_and_every_answer_is_in_the_log(exported: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evergreen.serving.exported", str(exported), "--port=0", f"--log={tmp_path}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r":(\d+) by", process.stderr.readline())
        assert found

        answers: list[str] = []

        async def stop_under_load() -> Load:
            bodies, over = [request("/predict", ROW)], process.poll
            check = lambda _, answer: answers.append(answer["request_id"])  # noqa: E731
            asking = ask(int(found[1]), bodies, check=check, pause=0.002, until=lambda: over() is not None)
            loading = asyncio.create_task(asking)
            while len(answers) < 100:  # every client is connected
                await asyncio.sleep(0.01)
            process.terminate()
            return await loading

        load = asyncio.run(stop_under_load())
    lines = [json.loads(line) for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert (load.failed, load.refused, load.closed, process.returncode) == (0, [], 8, 0)
    assert sorted(answers) == sorted(line["request_id"] for line in lines)


def test_a_folder_with_no_version_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EvergreenError, match="holds 0 exported versions; exactly one is served"):
        Exported(tmp_path)
