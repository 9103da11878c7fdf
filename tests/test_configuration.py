"""Claims about how configuration is read: secrets, and globals."""

from __future__ import annotations

from pathlib import Path

import pytest
from kedro.config import MissingConfigException

from evergreen.configuration import ConfigLoader


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for env in ("base", "cloud", "bare", "local"):
        (tmp_path / env).mkdir()
    (tmp_path / "cloud" / "credentials.yml").write_text("warehouse: {}\nother: {key: from the environment}\n")
    return tmp_path


def credentials(conf: Path, env: str) -> dict[str, object]:
    return ConfigLoader(str(conf), env=env, base_env="base", default_run_env="local")["credentials"]


def test_this_machines_secrets_count_in_every_environment(conf: Path) -> None:
    (conf / "local" / "credentials.yml").write_text("warehouse: {key: of this machine}\n")
    assert credentials(conf, "cloud") == {
        "warehouse": {"key": "of this machine"},
        "other": {"key": "from the environment"},
    }
    assert credentials(conf, "bare") == {"warehouse": {"key": "of this machine"}}
    assert credentials(conf, "local") == {"warehouse": {"key": "of this machine"}}


def test_without_them_the_environments_own_are_read(conf: Path) -> None:
    assert credentials(conf, "cloud")["warehouse"] == {}
    with pytest.raises(MissingConfigException):
        credentials(conf, "bare")


def test_secrets_may_come_from_the_shell(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_THE_TEST", "from the shell")
    (conf / "local" / "credentials.yml").write_text("warehouse: {key: '${oc.env:KEY_OF_THE_TEST}'}\n")
    assert credentials(conf, "cloud")["warehouse"] == {"key": "from the shell"}


def test_each_loader_means_its_own_globals(conf: Path) -> None:
    for env, engine in (("base", "small"), ("cloud", "large")):
        (conf / env / "globals.yml").write_text(f"engine: {engine}\n")
        (conf / env / "parameters.yml").write_text("engine: ${globals:engine}\n")
    first, second = (
        ConfigLoader(str(conf), env=env, base_env="base", default_run_env="local") for env in ("cloud", "base")
    )
    assert [loader["parameters"]["engine"] for loader in (first, second)] == ["large", "small"]


def mlflow_settings(conf: Path, server: str, location: str) -> tuple[str, str | None]:
    (conf / "base" / "mlflow.yml").write_text(
        "server: {mlflow_tracking_uri: 'sqlite:////data/mlflow.db'}\n"
        f"tracking: {{experiment: {{create_experiment_kwargs: {{artifact_location: '{location}'}}}}}}\n"
    )
    (conf / "cloud" / "mlflow.yml").write_text(f"server: {{mlflow_tracking_uri: '{server}'}}\n")
    found = ConfigLoader(
        str(conf), env="cloud", base_env="base", default_run_env="local", config_patterns={"mlflow": ["mlflow*"]}
    )["mlflow"]
    created = found["tracking"]["experiment"]["create_experiment_kwargs"]
    return found["server"]["mlflow_tracking_uri"], created["artifact_location"]


@pytest.mark.parametrize("server", ["http://mlflow:5000", "https://user@mlflow.example.org", "databricks"])
def test_a_servers_artefacts_do_not_go_into_this_machines_folders(
    conf: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "")
    assert mlflow_settings(conf, server, "/data/artifacts") == (server.replace("user@", ""), None)


def test_other_places_of_artefacts_stay(conf: Path) -> None:
    assert mlflow_settings(conf, "http://mlflow:5000", "s3://bucket/artifacts")[1] == "s3://bucket/artifacts"
    assert mlflow_settings(conf, "postgresql://db/mlflow", "/data/artifacts")[1] == "/data/artifacts"
