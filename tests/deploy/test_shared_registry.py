"""Services and a retraining on hosts of their own share MLflow on PostgreSQL and a bucket; a backup brings all back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deploy_tools import only_with_tools, tool
from shared_registry import Database, bucket, database, mlflow_server
from watching import ServedProject, wait_until

from local_server import free_port
from tests_support import ROOT, Project

pytestmark = only_with_tools

FIRST = "--pipelines=feature_engineering,training,evaluation,scoring,monitoring"
DECIDE = ("check_quality", "decide_trigger", "train_challenger")
PROMOTE = ("validate_challenger", "promote_challenger")
SERVED_WITHIN_SECONDS = 3


@dataclass
class Shared:
    """What the hosts share, and the hosts."""

    folder: Path
    store: Database
    bucket: str
    address: str
    server: ExitStack
    trainer: Project
    services: list[ServedProject]

    def run(self, *arguments: str) -> None:
        """``kedro run`` on the host that trains."""
        few = "--params=churn.training.algorithms=[LogisticRegression]"
        done = self.trainer.run(*arguments, few, MLFLOW_TRACKING_URI=self.address)
        assert done.returncode == 0, done.stdout + done.stderr

    def nodes(self, *names: str) -> None:
        """Some nodes of retraining."""
        self.run("--pipelines=retraining", "--nodes=" + ",".join(f"churn.retraining.{name}" for name in names))

    def told(self, what: str) -> Any:
        """What ``kedro models`` tells of the registry, on a host that has nothing else."""
        other = Project(self.folder / "another-host")
        done = other.kedro("models", what, "--use-case=churn", "--env=test", "--json", MLFLOW_TRACKING_URI=self.address)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def restart(self, store: Database) -> None:
        """Start MLflow's server at its former address, on another database."""
        port = int(self.address.rsplit(":", 1)[1])
        self.server.enter_context(mlflow_server(self.folder / "again", store, self.bucket, port))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A first champion, trained on one host and served on two others."""
    for needed in ("moto_server", "mlflow"):
        tool(needed)
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack, ExitStack() as server:
        store = stack.enter_context(database(folder))
        objects = stack.enter_context(bucket(folder))
        address = server.enter_context(mlflow_server(folder / "mlflow", store, objects, free_port()))
        trainer = Project(folder / "trainer")
        tests = {file.name: file.read_text() for file in (ROOT / "conf" / "test").iterdir()}
        conf = trainer.conf_with(folder, "watchful", {**tests, "serving.yml": "workers: 1\nwatch_seconds: 0.5\n"})
        options = (f"--conf-source={conf}", "--env=watchful")
        there = {"MLFLOW_TRACKING_URI": address}
        services = [ServedProject(Project(folder / name), "churn", options, there) for name in ("one", "two")]
        found = Shared(folder, store, objects, address, server, trainer, services)
        found.run(FIRST, "--namespaces=churn")
        for service in services:
            stack.callback(service.stop)
            service.start()
        yield found


def served(shared: Shared) -> list[str]:
    return [service.ask("/version")[1] for service in shared.services]


def test_a_promotion_on_one_host_is_served_by_both_others_within_three_seconds(shared: Shared) -> None:
    assert served(shared) == ["1", "1"]
    shared.nodes(*DECIDE)
    for service in shared.services:
        wait_until(lambda service=service: service.ask("/health")[1], lambda health: health.get("prepared") == "2")
    shared.nodes(*PROMOTE)
    moved = [line for line in shared.told("history") if line["to_version"] == "2"]
    ended = time.monotonic()
    wait_until(lambda: served(shared), lambda found: found == ["2", "2"])
    assert time.monotonic() - ended < SERVED_WITHIN_SECONDS
    assert [line["action"] for line in moved] == ["promote"]


def test_a_backup_of_the_database_brings_registry_audit_and_champion_back(shared: Shared) -> None:
    before = {what: shared.told(what) for what in ("list", "history")}
    assert before["history"] != []
    copy = str(shared.folder / "backup")
    shared.store.command("pg_dump", "--format=custom", f"--file={copy}", "mlflow")
    shared.server.close()
    assert [service.ask("/ready")[0] for service in shared.services] == [200, 200]
    with database(shared.folder / "another-database") as empty:
        empty.command("pg_restore", "--dbname=mlflow", copy)
        shared.restart(empty)
        assert {what: shared.told(what) for what in before} == before
        newcomer = ServedProject(
            Project(shared.folder / "three"), "churn", shared.services[0].options, shared.services[0].environment
        ).start()
        version = newcomer.ask("/version")[1]
        newcomer.stop()
        shared.server.close()
    assert version == served(shared)[0]
