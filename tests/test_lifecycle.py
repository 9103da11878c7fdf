"""The project as a user meets it: commands, what they print, what they leave on disk."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from dbt_target import Target, node
from local_server import free_port
from tests_support import USE_CASES, Project


def test_the_first_run_ends_with_a_champion_per_use_case(lived: Project) -> None:
    told = (lived.data / "first_run.txt").read_text()
    assert "Traceback" not in told
    for use_case in USE_CASES:
        assert f"{use_case}: version 1 trained." in told
        assert f"{use_case}: version 1 promoted." in told
        training, evaluation = lived.record(use_case, "training"), lived.record(use_case, "evaluation")
        assert training["version"] == "1"
        assert training["n_train"] > 1000
        assert evaluation["promotion"]["champion_after"] is not None
        assert evaluation["metrics"]["test"]["roc_auc"]["value"] > 0.7
    assert "HistGradientBoosting" in told
    assert "test AUC" in told


def test_every_record_names_use_case_date_and_status(lived: Project) -> None:
    for use_case in USE_CASES:
        records = sorted((lived.data / "08_reporting" / use_case).glob("*.json"))
        assert {"training", "evaluation", "monitoring"} <= {file.stem for file in records}
        for file in records:
            record = json.loads(file.read_text())
            assert record["use_case"] == use_case
            assert record["as_of"]
            assert record["status"]
            assert "NaN" not in file.read_text()


def test_the_leaderboard_has_one_row_per_algorithm(lived: Project) -> None:
    rows = lived.record("churn", "training")["leaderboard"]
    assert {row["algorithm"] for row in rows} == {"HistGradientBoosting", "LogisticRegression"}
    fields = "algorithm status cv_roc_auc_mean cv_roc_auc_std fit_seconds train_rows best_params model_uri error"
    assert set(fields.split()) <= set(rows[0])
    assert all(row["status"] == "ok" and row["error"] is None and row["model_uri"] for row in rows)


def test_training_tells_of_each_algorithm_as_it_is_ready(lived: Project) -> None:
    told = (lived.data / "first_run.txt").read_text()
    for use_case in USE_CASES:
        progress = re.findall(
            rf"^{use_case}: (\w+): CV AUC 0\.\d{{4}} on [\d,]+ rows in \d+\.\d s$", told, re.MULTILINE
        )
        assert set(progress) == {"HistGradientBoosting", "LogisticRegression"}


def test_predictions_carry_the_agreed_columns(lived: Project) -> None:
    found = pd.read_parquet(lived.data / "07_model_output" / "churn" / "predictions")
    head = ["request_id", "entity_id", "timestamp", "use_case", "model_version", "variant"]
    assert list(found.columns[:6]) == head
    assert list(found.columns[-4:]) == ["probability", "prediction", "latency_ms", "as_of"]
    assert found["request_id"].is_unique
    assert found["probability"].between(0, 1).all()


def test_the_quiet_source_stays_quiet_and_the_downturn_is_found(lived: Project) -> None:
    assert lived.record("high_value_sales", "monitoring")["status"] in {"ok", "insufficient_data"}
    assert all(reason["passed"] for reason in lived.record("high_value_sales", "monitoring")["reasons"])
    churn = lived.record("churn", "monitoring")
    assert churn["status"] == "drift"
    assert churn["drift"]["columns"]["income"]["alarm"]
    assert not all(reason["passed"] for reason in churn["reasons"])


def test_models_list_speaks_json(lived: Project) -> None:
    listed = lived.kedro("models", "list", "--use-case", "churn", "--env=test", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = json.loads(listed.stdout)
    assert {"version", "aliases", "algorithm", "test_roc_auc", "created", "status"} <= set(rows[0])
    assert sum("champion" in row["aliases"] for row in rows) == 1


def test_a_second_run_reuses_what_has_not_changed(lived: Project, lived_twice: Project) -> None:
    for name in USE_CASES:
        training, evaluation = lived_twice.record(name, "training"), lived_twice.record(name, "evaluation")
        assert (training["status"], training["version"]) == ("reused", "1")
        assert evaluation["status"] == "standing"
        assert evaluation["version"] == lived.record(name, "retraining")["champion"]["after"]


def test_without_a_champion_the_command_to_run_first_is_named(tmp_path: Path) -> None:
    fresh = Project(tmp_path).run("--pipeline=scoring", "--namespaces=churn")
    assert fresh.returncode == 1
    assert "churn has no champion yet: run `kedro run" in fresh.stderr
    assert "Traceback" not in fresh.stderr


def test_an_mlflow_server_out_of_reach_is_named_within_seconds(tmp_path: Path) -> None:
    port = free_port()
    project = Project(tmp_path / "data")
    conf = project.conf_with(
        tmp_path, "offline", {"mlflow.yml": f"server: {{mlflow_tracking_uri: 'http://127.0.0.1:{port}'}}"}
    )
    refused = project.kedro("run", f"--conf-source={conf}", "--env=offline", timeout=120)
    assert refused.returncode == 1
    assert f"MLflow at http://127.0.0.1:{port} is out of reach" in refused.stderr
    assert "nothing was run" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--pipeline=nonsense"], "Failed to find the pipeline named 'nonsense'"),
        (["--namespaces=churm"], "namespaces: high_value_sales, churn"),
        (["--params=churn.training.k=none"], "Error: parameter churn.training.k is 'none': Input should be"),
        (["--params=churm.training.k=8"], "Error: parameter churm is read by nothing; churn was probably meant."),
        (["--params=as_of=tomorrow", "--pipeline=training"], "as_of is 'tomorrow', which is not a date"),
        (
            ["--params=as_of=2020-01-01", "--pipeline=training", "--namespaces=high_value_sales"],
            "Error: high_value_sales: as_of is 2020-01-01, but the table begins on",
        ),
    ],
)
def test_a_misspelt_option_is_told_without_a_traceback(relived: Project, arguments: list[str], sentence: str) -> None:
    refused = relived.run(*arguments)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_dbt_exposures_name_the_champions_of_the_use_cases_that_dbt_feeds(relived: Project, tmp_path: Path) -> None:
    target = Target(tmp_path)
    target.nodes += [node("model.shop.customers"), node("model.shop.current")]
    command = ("models", "dbt-exposures", "--env=test", "--dbt-target", str(target.write()))
    told = relived.kedro(*command, "--use-case=churn")
    assert told.returncode == 0, told.stderr
    file = relived.data / "08_reporting" / "dbt_exposures.yml"
    assert told.stdout == f"churn: written to {file}\n"
    (exposure,) = yaml.safe_load(file.read_text())["exposures"]
    assert exposure["depends_on"] == ["ref('current')", "ref('customers')"]
    assert "ROC AUC on its test window: 0." in exposure["description"]
    missing = relived.kedro(*command)
    assert missing.returncode == 1
    assert "high_value_sales.dim_product: dbt's manifest has no model, seed, snapshot or source" in missing.stderr


def test_dbt_exposures_are_refused_without_a_champion_or_a_manifest(tmp_path: Path) -> None:
    target = Target(tmp_path)
    target.nodes += [node("model.shop.customers"), node("model.shop.current")]
    project = Project(tmp_path / "data")
    told = project.kedro("models", "dbt-exposures", "--use-case=churn", "--dbt-target", str(target.write()))
    assert told.returncode == 1
    assert told.stderr.startswith("Error: churn has no champion yet: run `kedro run ")
    assert not list(project.data.rglob("*.yml"))
    told = project.kedro("models", "dbt-exposures", "--use-case=churn")
    assert told.returncode == 1
    assert told.stderr.startswith("Error: dbt_target is not set")
