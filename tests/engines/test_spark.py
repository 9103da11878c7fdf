"""The lifecycle with features and windows on a real Spark; `make test-spark` sets its environment up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests_support import ROOT, Project

TINY = {
    "high_value_sales.training.strategy": "none",
    "high_value_sales.training.algorithms": "[HistGradientBoosting]",
}
JAVALESS = f"""
import os
os.environ["PATH"] = "/nowhere"
from evergreen.datasets.spark import find_java, start_session
find_java()
os.environ["PATH"] = {os.environ["PATH"]!r}
properties = {{"spark.master": "local[1]", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}}
print("rows:", start_session(properties | {{"spark.ui.enabled": "false"}}).range(7).count())
"""


@pytest.fixture(scope="module", autouse=True)
def _needs_pyspark() -> None:
    pytest.importorskip("pyspark", reason="needs Spark: make test-spark")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Tables that DuckDB made features of first, then the whole lifecycle on Spark over the same tables."""
    project = Project(tmp_path_factory.mktemp("data"))
    embedded = project.run("--pipeline=feature_engineering")
    assert embedded.returncode == 0, embedded.stdout + embedded.stderr
    settings = ",".join(map("=".join, TINY.items()))
    pipelines = "--pipelines=feature_engineering,training,evaluation,scoring,monitoring"
    ran = project.run("--namespaces=high_value_sales", f"--params={settings}", pipelines, env="spark", timeout=580)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (project.data / "told.txt").write_text(ran.stdout + ran.stderr)
    return project


def test_spark_and_duckdb_agree_to_the_last_bit(lived: Project) -> None:
    folder = lived.data / "04_feature" / "high_value_sales"
    ours, theirs = (
        pd.read_parquet(folder / name).sort_values("sales_id", ignore_index=True)
        for name in ("features.parquet", "features")
    )
    assert list(ours.columns) == list(theirs.columns)
    for name in ours.columns:
        if pd.api.types.is_numeric_dtype(ours[name]):
            found, expected = theirs[name].to_numpy(np.float64), ours[name].to_numpy(np.float64)
            assert np.array_equal(found, expected, equal_nan=True), name
        else:
            assert theirs[name].astype("str").tolist() == ours[name].astype("str").tolist(), name


def test_the_lifecycle_runs_on_spark(lived: Project) -> None:
    assert lived.record("high_value_sales", "evaluation")["promotion"]["outcome"] == "promoted"
    assert lived.record("high_value_sales", "monitoring")["status"] in {"ok", "insufficient_data"}
    assert "Traceback" not in (lived.data / "told.txt").read_text()


def test_features_that_cannot_be_computed_leave_the_former_ones(lived: Project) -> None:
    folder = lived.data / "04_feature" / "high_value_sales" / "features"
    before = sorted(folder.iterdir())
    (lived.data / "01_raw" / "dim_store.parquet").write_bytes(b"no parquet")
    broken = lived.run("--namespaces=high_value_sales", "--pipelines=feature_engineering", env="spark")
    assert broken.returncode != 0
    assert sorted(folder.iterdir()) == before


def test_a_machine_without_java_gets_one_with_the_extra() -> None:
    surroundings = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    ran = subprocess.run(
        [sys.executable, "-c", JAVALESS], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )
    assert "rows: 7" in ran.stdout, ran.stdout + ran.stderr


def test_a_master_that_does_not_exist_is_told_in_a_sentence(tmp_path: Path) -> None:
    pd.DataFrame({"customer_id": [1]}).to_parquet(tmp_path / "customers.parquet")
    nowhere = f"--params=lake={tmp_path},spark_master=nonsense"
    refused = Project(tmp_path).run("--nodes=churn.feature_engineering.make_features", nowhere, env="spark")
    assert refused.returncode == 1
    assert "Spark at nonsense did not start" in refused.stderr
