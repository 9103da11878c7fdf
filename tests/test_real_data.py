"""The main job on other people's tables: UCI Online Retail as a lake, IBM telco as an environment folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Made
from online_retail import star_schema
from tests_support import ROOT, Project

LOGISTIC = "LogisticRegression"
FAST = "high_value_sales: {training: {algorithms: [HistGradientBoosting, LogisticRegression], strategy: none}}"


@pytest.fixture(scope="module")
def retail(shared_data: Path, made_once: Made) -> Project:
    def live(folder: Path) -> None:
        (lake := folder / "lake").mkdir()
        for name, table in star_schema(shared_data / "online_retail" / "online_retail.parquet").items():
            table.to_parquet(lake / f"{name}.parquet", index=False)
        files = {"catalog.yml": (ROOT / "conf/parquet/catalog.yml").read_text(), "parameters.yml": FAST}
        project = Project(folder / "data", env="fast")
        conf = project.conf_with(folder, "fast", files)
        where = ("--namespaces=high_value_sales", f"--conf-source={conf}", f"--params=lake={lake}")
        ran = project.run(*where, "--pipelines=feature_engineering,training,evaluation")
        assert ran.returncode == 0, ran.stdout + ran.stderr

    return Project(made_once("online_retail", live) / "data")


def test_online_retail_reaches_a_champion_better_than_logistic_regression(retail: Project) -> None:
    record = retail.record("high_value_sales", "evaluation")
    assert record["promotion"]["outcome"] == "promoted"
    assert record["metrics"]["test"]["roc_auc"]["value"] > 0.82
    assert record["metrics"]["test"]["roc_auc"]["value"] > record["test_roc_auc"][LOGISTIC] + 0.02


def test_returns_and_zero_prices_are_no_sales(retail: Project) -> None:
    import pandas as pd

    rows = pd.read_parquet(retail.data / "04_feature" / "high_value_sales" / "features.parquet")
    assert (rows["sales_quantity"] > 0).all()
    assert (rows["sales_amount"] > 0).all()
    assert rows["sales_id"].is_unique
    assert 500_000 < len(rows) < 541_909


def test_telco_runs_as_churn_through_an_environment_folder_alone(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = Project(tmp_path_factory.mktemp("telco"))
    files = {name: (ROOT / "tests/environments/telco" / name).read_text() for name in ("catalog.yml", "parameters.yml")}
    files["parameters.yml"] += "  training: {strategy: none, algorithms: [HistGradientBoosting, LogisticRegression]}\n"
    conf = project.conf_with(tmp_path_factory.mktemp("conf"), "telco", files)
    ran = project.kedro(
        "run", f"--conf-source={conf}", "--env=telco", "--namespaces=churn",
        f"--params=telco={shared_data / 'telco_churn' / 'telco_customer_churn.csv'}",
        "--pipelines=feature_engineering,training,evaluation,scoring,monitoring",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert project.record("churn", "evaluation")["metrics"]["test"]["roc_auc"]["value"] > 0.83
    assert project.record("churn", "monitoring")["status"] == "ok"


def test_the_lines_as_they_are_become_features_by_yaml_alone(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import pandas as pd

    folder, file = tmp_path_factory.mktemp("lines"), shared_data / "online_retail" / "online_retail.parquet"
    project = Project(folder / "data", env="online_retail")
    files = {each.name: each.read_text() for each in (ROOT / "tests/environments/online_retail").glob("*.yml")}
    conf = project.conf_with(folder, "online_retail", files)
    ran = project.run(f"--conf-source={conf}", f"--params=online_retail={file}", "--pipelines=feature_engineering")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = pd.read_parquet(project.data / "04_feature" / "large_lines" / "features.parquet")
    lines = pd.read_parquet(file, columns=["Quantity", "UnitPrice"])
    sold = lines[(lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    assert rows["line"].is_unique
    assert len(rows) == len(sold)
    assert sorted(rows["amount"]) == sorted(sold["Quantity"] * sold["UnitPrice"])
