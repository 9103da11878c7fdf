"""Clean folders train, score and retrain and share a bucket and an MLflow server alone; the server dies midway."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deploy_tools import only_with_tools, tool
from shared_registry import BUCKET, SECRETS, bucket, database, mlflow_server

from evergreen.paths import place
from local_server import free_port
from tests_support import Project

pytestmark = only_with_tools

DATA = f"s3://{BUCKET}/team one"
FEW = "--params=mlflow_server.first_answer_seconds=60,churn.training.algorithms=[LogisticRegression]"
FIRST_ANSWER_SECONDS = 10


@dataclass
class Elsewhere:
    """Where all state lies."""

    folder: Path
    bucket: str
    address: str
    server: ExitStack
    database: str

    def kedro(self, name: str, *arguments: str, **environment: str) -> Any:
        """A command in a folder of its own, which ends with nothing in it."""
        clean = Project(self.folder / name)
        there = {
            **SECRETS, "AWS_ENDPOINT_URL": self.bucket, "EVERGREEN_DATA": DATA, "EVERGREEN_LOCAL": str(clean.data),
            "MLFLOW_TRACKING_URI": self.address,
        }  # fmt: skip
        return clean.kedro(*arguments, **{**there, **environment})

    def run(self, name: str, pipelines: str) -> str:
        """``kedro run`` in a clean folder; returns what it printed."""
        done = self.kedro(name, "run", "--env=test", "--namespaces=churn", f"--pipelines={pipelines}", FEW)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [file for file in (self.folder / name).rglob("*") if file.is_file()] == []
        return str(done.stdout)

    def stored(self, path: str) -> Path:
        """Something in the bucket."""
        login = {"key": SECRETS["AWS_ACCESS_KEY_ID"], "secret": SECRETS["AWS_SECRET_ACCESS_KEY"]}
        return place(f"{DATA}/{path}", login, {"endpoint_url": self.bucket})

    def record(self, name: str) -> dict[str, Any]:
        """A record of the last run."""
        return dict(json.loads(self.stored(f"08_reporting/churn/{name}.json").read_text()))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    for needed in ("moto_server", "mlflow"):
        tool(needed)
    pytest.importorskip("s3fs")
    folder = tmp_path_factory.mktemp("state")
    with ExitStack() as stack, ExitStack() as server:
        store = stack.enter_context(database(folder))
        objects = stack.enter_context(bucket(folder))
        address = server.enter_context(mlflow_server(folder / "mlflow", store, objects, free_port()))
        yield Elsewhere(folder, objects, address, server, store.address)


def test_one_folder_trains_another_scores_and_monitors_a_third_retrains(elsewhere: Elsewhere) -> None:
    elsewhere.run("trains", "feature_engineering,training,evaluation")
    assert elsewhere.record("serving")["version"] == "1"
    elsewhere.run("scores", "scoring,monitoring")
    assert elsewhere.record("monitoring")["status"] in ("drift", "performance", "ok")
    assert [file.name for file in elsewhere.stored("07_model_output/churn/predictions").rglob("*.parquet")] == [
        "predictions.parquet"
    ]
    elsewhere.run("retrains", "retraining")
    assert elsewhere.record("retraining")["status"] == "promoted"
    listed = elsewhere.kedro("looks", "models", "list", "--use-case=churn", "--env=test", "--json")
    assert {row["version"]: row["aliases"] for row in json.loads(listed.stdout)} == {"2": ["champion"], "1": []}
    rolled = elsewhere.kedro("looks", "models", "rollback", "--use-case=churn", "--env=test", "--reason=by hand")
    assert rolled.returncode == 0, rolled.stderr
    assert elsewhere.record("serving")["version"] == "1"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"EVERGREEN_DATA": "s3://no-such-bucket/x"}, "does not exist: nothing was run"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, ": nothing was run; correct EVERGREEN_DATA"),
        ({"MLFLOW_TRACKING_URI": "postgresql://ann:sw%40rdfish@127.0.0.1:9/x"}, "Connection refused): nothing was run"),
    ],
)
def test_what_is_out_of_reach_ends_the_run_in_a_sentence(
    elsewhere: Elsewhere, change: dict[str, str], sentence: str
) -> None:
    began = time.monotonic()
    ended = elsewhere.kedro("refused", "run", "--env=test", "--pipelines=scoring", **change)
    assert sentence in ended.stderr
    assert (ended.returncode, ended.stderr.count("\n") <= 3, "rdfish" in ended.stdout + ended.stderr) == (
        1,
        True,
        False,
    )
    assert time.monotonic() - began < FIRST_ANSWER_SECONDS + 30


def test_a_server_that_dies_midway_ends_the_run_in_a_sentence_within_the_deadline(elsewhere: Elsewhere) -> None:
    before = elsewhere.record("training")
    features = elsewhere.stored("04_feature/churn/features.parquet")
    written, ended = features.stat().st_mtime, []

    def train() -> None:
        line = ("run", "--env=test", "--namespaces=churn", "--pipelines=feature_engineering,training,evaluation")
        ended.append(
            elsewhere.kedro("dies", *line, "--params=mlflow_server.first_answer_seconds=60,churn.training.seed=5")
        )

    run = threading.Thread(target=train)
    run.start()
    while run.is_alive() and features.stat().st_mtime == written:
        time.sleep(0.05)
    died = time.monotonic()
    elsewhere.server.close()
    run.join()
    seconds = time.monotonic() - died
    print(f"the run ended {seconds:.1f} s after its server")
    assert (ended[0].returncode, "Traceback" in ended[0].stderr) == (1, False)
    last = ended[0].stderr[ended[0].stderr.index("Error: ") :]
    assert "what was recorded before stays as it is; run again once it answers." in last
    assert last.count("\n") <= 3
    assert elsewhere.record("training") == before
    assert seconds < 60
