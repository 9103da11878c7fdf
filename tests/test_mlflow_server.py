"""Claims about a real MLflow server: it keeps everything, any machine goes on from there, and nothing stays behind."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from local_server import free_port, running
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    places = [f"--backend-store-uri=sqlite:///{folder}/mlflow.db", f"--artifacts-destination={folder}/artifacts"]
    command = [sys.executable, "-m", "mlflow", "server", f"--port={port}", "--workers=1", *places]
    with running(command, address, folder):
        yield address, folder


SECRETS = {
    "mlflow": "sw@rd/f%sh:3",
    "webhook": "T0k3n-of-the-hook",
    "mail": "m4il-p4ssw0rd",
    "bucket": "bucket-s3cret-key",
}
ALERTS = """
churn.webhook: {type: evergreen.datasets.WebhookDataset, credentials: webhook, attempts: 1}
churn.mail: {type: evergreen.datasets.EmailDataset, host: 127.0.0.1, port: 9, sender: a@example.org,
  recipients: [b@example.org], attempts: 1, credentials: mail}
"""
CREDENTIALS = f"""
webhook: {{url: 'http://127.0.0.1:9/services/{SECRETS["webhook"]}'}}
mail: {{username: ann, password: {SECRETS["mail"]}}}
"""


def secretive(project: Project, folder: Path) -> Path:
    """Configuration like that of the tests, with receivers that nobody listens at and their secrets."""
    tests = {file.name: file.read_text() for file in (ROOT / "conf" / "test").glob("*.yml")}
    more = {"catalog.yml": tests["catalog.yml"] + ALERTS, "credentials.yml": CREDENTIALS}
    return project.conf_with(folder, "secretive", tests | more)


def files_that_hold(secret: str, folders: list[Path]) -> list[Path]:
    forms = {secret, quote(secret), quote(secret, safe=""), b64encode(f"ann:{secret}".encode()).decode()}
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if any(form.encode() in file.read_bytes() for form in forms)]


def test_another_machine_goes_on_where_the_first_one_stopped_and_no_secret_is_written(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    here, there, scratch = Project(tmp_path / "here"), Project(tmp_path / "there"), tmp_path / "scratch"
    scratch.mkdir()
    address = server[0].replace("://", f"://ann:{quote(SECRETS['mlflow'], safe='')}@")
    surroundings = {
        "MLFLOW_TRACKING_URI": address, "TMPDIR": str(scratch), "AWS_SECRET_ACCESS_KEY": SECRETS["bucket"],
    }  # fmt: skip
    conf = secretive(here, tmp_path)
    given = f"churn.training.algorithms=[LogisticRegression],lake=s3://key:{SECRETS['bucket']}@bucket"
    ran = here.run("--namespaces=churn", f"--conf-source={conf}", f"--params={given}", env="secretive", **surroundings)
    assert ran.returncode == 0, ran.stderr
    assert "churn: version 1 promoted." in ran.stdout + ran.stderr
    assert "Downloading" not in ran.stderr
    assert not (here.data / "mlflow").exists()

    named = ["--use-case=churn", "--env=test", "--reason=the old world is back"]
    rolled_back = there.kedro("models", "rollback", *named, **surroundings)
    assert rolled_back.returncode == 0, rolled_back.stderr
    assert "churn: champion 2 → 1" in rolled_back.stdout
    assert [place.name for place in scratch.iterdir() if place.is_dir()] == []

    assert "did not take an alert" in ran.stdout
    for secret in SECRETS.values():
        assert secret not in ran.stdout + ran.stderr + rolled_back.stdout + rolled_back.stderr
        assert files_that_hold(secret, [here.data, there.data, scratch, server[1]]) == []
