"""The DAG under a real Airflow with SQLite, on the project's test environment: ``make test-airflow``."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from listeners import mail_server, webhook

from tests_support import ROOT, Project

VENV = os.environ.get("AIRFLOW_VENV")
pytestmark = pytest.mark.skipif(VENV is None, reason="needs Airflow: make test-airflow")

DAGS = ROOT / "deploy" / "airflow"
LIFECYCLE = "feature_engineering,training,evaluation,scoring,monitoring"
SKIPPED_WITHOUT_REASON = ("check_quality", "train_challenger", "validate_challenger", "promote_challenger")


@dataclass(frozen=True)
class Airflow:
    """A real Airflow beside a checkout of the project, both of their own."""

    folder: Path
    project: Project

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of Airflow's virtual environment."""
        surroundings = {
            **os.environ,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "EVERGREEN_HOME": str(self.folder / "checkout"),
            "EVERGREEN_DATA": str(self.project.data),
            "EVERGREEN_RETRIES": "0",
            **environment,
        }
        program = [f"{VENV}/bin/{arguments[0]}", *arguments[1:]]
        return subprocess.run(program, env=surroundings, capture_output=True, text=True, timeout=900, check=False)

    def run_dag(self, *options: str, params: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the DAG once, to its end."""
        conf = json.dumps(params)
        return self.command("airflow", "dags", "test", "evergreen_retraining", "-c", conf, *options, **environment)

    def last_run(self) -> tuple[str, dict[str, str], dict[str, int]]:
        """Id of the newest run, and the state and number of tries of its tasks."""
        with sqlite3.connect(self.folder / "airflow.db") as database:
            (run_id,) = database.execute("select run_id from dag_run order by id desc limit 1").fetchone()
            rows = database.execute("select task_id, state, try_number from task_instance where run_id = ?", (run_id,))
            found = rows.fetchall()
        return run_id, {task: state for task, state, _ in found}, {task: tries for task, _, tries in found}


def checkout(folder: Path, project: Project) -> Path:
    """The project as Airflow's worker sees it, with one more environment, whose gate nothing passes."""
    folder.mkdir()
    shutil.copytree(ROOT / "src", folder / "src")  # Kedro takes no link that leads out of the project
    for name in (".venv", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    files = {file.name: file.read_text() for file in (ROOT / "conf" / "test").iterdir()}
    parameters = yaml.safe_load(files["parameters.yml"])
    parameters["churn"]["retraining"] = {"gate": {"min_rows": 1_000_000}}
    files["parameters.yml"] = yaml.safe_dump(parameters)
    return project.conf_with(folder, "impossible_gate", files)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """Champions of both use cases, and a DAG that Airflow could import."""
    folder = tmp_path_factory.mktemp("airflow")
    project = Project(folder / "data")
    lived = project.run(f"--pipelines={LIFECYCLE}")
    assert lived.returncode == 0, lived.stdout + lived.stderr
    checkout(folder / "checkout", project)
    ready = Airflow(folder, project)
    migrated = ready.command("airflow", "db", "migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    return ready


def mlflow_rows(project: Project, query: str) -> list[Any]:
    with sqlite3.connect(project.data / "mlflow" / "mlflow.db") as database:
        return database.execute(query).fetchall()


def test_a_failed_gate_fails_the_run_after_its_retry_and_tells_webhook_and_mailbox_once(airflow: Airflow) -> None:
    champions = mlflow_rows(airflow.project, "select * from registered_model_aliases")
    with webhook() as (web_port, posts), mail_server() as (mail_port, mails):
        ended = airflow.run_dag(
            "--mark-success-pattern=churn.(collect_predictions|experiments|features|monitoring)",  # for the gate alone
            params={"use_case": "churn", "environment": "impossible_gate"},
            EVERGREEN_RETRIES="1",
            EVERGREEN_RETRY_SECONDS="1",
            EVERGREEN_WEBHOOK_URL=f"http://127.0.0.1:{web_port}/hooks/not-for-logs",
            EVERGREEN_ALERT_EMAIL="owner@example.org",
            AIRFLOW_CONN_SMTP_DEFAULT=f"smtp://127.0.0.1:{mail_port}"
            "?disable_ssl=true&disable_tls=true&from_email=airflow@example.org",
        )
    run_id, states, tries = airflow.last_run()
    output = ended.stdout + ended.stderr
    assert ended.returncode != 0, output
    assert states["churn.check_quality"] == "failed", output
    assert tries["churn.check_quality"] == 2
    assert {states[f"churn.{task}"] for task in ("decide_trigger", "has_reason")} == {"success"}
    assert {states[f"churn.{task}"] for task in SKIPPED_WITHOUT_REASON[1:]} == {"upstream_failed"}
    assert [(post["task_id"], post["dag_run_id"], post["tries"]) for post in posts] == [
        ("churn.check_quality", run_id, 2)
    ]
    assert posts[0]["path"] == "/hooks/not-for-logs"
    assert (
        "the quality gate stopped retraining because rows is 3,000 (allowed: at least 1,000,000)" in posts[0]["error"]
    )
    assert len(mails) == 1
    assert "Subject: Evergreen: churn.check_quality failed" in mails[0]
    assert "not-for-logs" not in output
    assert mlflow_rows(airflow.project, "select * from registered_model_aliases") == champions


def test_without_drift_nothing_is_trained(airflow: Airflow) -> None:
    ended = airflow.run_dag(params={"use_case": "high_value_sales", "environment": "test"})
    _, states, _ = airflow.last_run()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {states[f"high_value_sales.{task}"] for task in SKIPPED_WITHOUT_REASON} == {"skipped"}
    assert states["high_value_sales.decide_trigger"] == "success"
    assert airflow.project.record("high_value_sales", "trigger")["fired"] is False
    assert states["churn.features"] == "skipped"


def test_drift_ends_in_a_promotion_whose_mlflow_runs_carry_the_dag_run_id(airflow: Airflow) -> None:
    ended = airflow.run_dag(params={"use_case": "churn", "environment": "test"})
    run_id, states, _ = airflow.last_run()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {states[f"churn.{task}"] for task in SKIPPED_WITHOUT_REASON} == {"success"}
    record = airflow.project.record("churn", "retraining")
    assert record["status"] == "promoted"
    champion = mlflow_rows(
        airflow.project, "select version from registered_model_aliases where name = 'churn' and alias = 'champion'"
    )
    assert [(int(record["champion"]["after"]),)] == champion
    tagged = mlflow_rows(airflow.project, "select value from tags where key = 'dag_run_id'")
    slices = [task for task, state in states.items() if task.startswith("churn.") and state == "success"]
    assert tagged.count((run_id,)) >= len(slices) - 2  # every task but the two that only read


CLUSTER = """{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}],
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], contexts: [{name: c, context: {cluster: c, user: u}}]}
"""


def test_with_an_image_the_slices_are_pods_of_it(airflow: Airflow, tmp_path: Path) -> None:
    (tmp_path / "cluster").write_text(CLUSTER)
    told = airflow.command(
        "python",
        "-c",
        "import json, evergreen_retraining as dags\n"
        "task = dags.in_pod('registry.invalid/evergreen:run', 'train_challenger', ['--pipelines=retraining'])\n"
        "pod = task.build_pod_request_obj().to_dict()\n"
        "container = pod['spec']['containers'][0]\n"
        "security = container['security_context']\n"
        "print(json.dumps([container['image'], container['args'], security['read_only_root_filesystem']]))\n",
        PYTHONPATH=str(DAGS),
        EVERGREEN_IMAGE="registry.invalid/evergreen:run",
        KUBECONFIG=str(tmp_path / "cluster"),
    )
    assert told.returncode == 0, told.stderr
    image, arguments, read_only = json.loads(told.stdout.splitlines()[-1])
    assert image == "registry.invalid/evergreen:run"
    assert arguments == ["run", "--env={{ params.environment }}", "--pipelines=retraining"]
    assert read_only is True


def test_an_environment_that_could_be_read_as_another_option_is_refused(airflow: Airflow) -> None:
    ended = airflow.run_dag(params={"use_case": "churn", "environment": "test --conf-source=/elsewhere"})
    assert ended.returncode != 0
    assert "does not match" in ended.stdout + ended.stderr


def test_a_channel_out_of_order_is_logged_without_its_address(airflow: Airflow) -> None:
    told = airflow.command(
        "python",
        "-c",
        "from evergreen_retraining import report_failure\n"
        "from types import SimpleNamespace as Task\n"
        "task = Task(dag_id='d', run_id='r', task_id='churn.features', try_number=1, log_url='')\n"
        "report_failure({'task_instance': task, 'params': {'environment': 'test'}, 'exception': None})\n",
        PYTHONPATH=str(DAGS),
        EVERGREEN_WEBHOOK_URL="http://127.0.0.1:1/hooks/not-for-logs",
        AIRFLOW_VAR_EVERGREEN_ALERT_EMAIL="",
    )
    output = told.stdout + told.stderr
    assert told.returncode == 0, output
    assert "post_to_webhook did not deliver: URLError." in output
    assert "not-for-logs" not in output
