"""The tutorial environment does on purpose what the project refuses, and keeps it to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Made
from tests_support import Project

pytestmark = pytest.mark.slow

TINY = {
    "sales_rows": "8000",
    "high_value_sales.retraining.gate.min_rows": "100",
    "high_value_sales.training.strategy": "none",
    "high_value_sales.training.algorithms": "[HistGradientBoosting]",
}


@pytest.fixture(scope="module")
def tutorial(made_once: Made) -> Project:
    def live(folder: Path) -> None:
        settings = ",".join(map("=".join, TINY.items()))
        ran = Project(folder).run("--namespaces=high_value_sales", f"--params={settings}", env="tutorial")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        (folder / "told.txt").write_text(ran.stdout + ran.stderr)

    return Project(made_once("tutorials", live) / "tutorial")


def test_the_leaks_are_let_in_by_name_with_a_warning_and_look_perfect(tutorial: Project) -> None:
    told = (tutorial.data.parent / "told.txt").read_text()
    assert "Leakage is not checked for unit_price, sales_quantity: allowed by the policy" in told
    evaluation = tutorial.record("high_value_sales", "evaluation")
    assert evaluation["promotion"]["outcome"] == "promoted"
    assert evaluation["metrics"]["test"]["roc_auc"]["value"] > 0.99


def test_the_tutorials_drift_rule_decides(tutorial: Project) -> None:
    assert tutorial.record("high_value_sales", "monitoring")["drift"]["rule"] == "tutorial"


def test_nothing_of_it_reaches_the_real_data_or_registry(tutorial: Project) -> None:
    around: Path = tutorial.data.parent
    assert sorted(path.name for path in around.iterdir()) == ["told.txt", "tutorial"]
    assert (tutorial.data / "mlflow" / "mlflow.db").exists()
    assert f"Records and reports: {tutorial.data}/08_reporting" in (around / "told.txt").read_text()
