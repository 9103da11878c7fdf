"""The business's figures in whole runs: joined where they are, left out with a sentence where a lake has none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Made
from evergreen.datasets.synthetic.retail import RetailRecipe
from shipped_star import KPI_COLUMNS
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow

PIPELINES = "--pipelines=feature_engineering,training,evaluation,scoring,monitoring,retraining"


@pytest.fixture(scope="module")
def lake_without_kpis(made_once: Made) -> tuple[Project, str]:
    """The whole lifecycle on a lake of three tables, and what it printed."""

    def live(folder: Path) -> None:
        (lake := folder / "lake").mkdir()
        for name in ("fact_sales", "dim_product", "dim_store"):
            pq.write_table(pa.concat_tables(RetailRecipe(table=name, size=8_000).chunks()), lake / f"{name}.parquet")
        files = {
            "catalog.yml": (ROOT / "conf/parquet/catalog.yml").read_text(),
            "parameters.yml": (ROOT / "conf/test/parameters.yml").read_text(),
        }
        project = Project(folder / "data", env="small_lake")
        conf = project.conf_with(folder, "small_lake", files)
        where = ("--namespaces=high_value_sales", f"--conf-source={conf}", f"--params=lake={lake}")
        ran = project.run(*where, PIPELINES)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        (folder / "printed.txt").write_text(ran.stdout + ran.stderr)

    folder = made_once("lake_without_kpis", live)
    return Project(folder / "data"), (folder / "printed.txt").read_text()


def test_a_lake_without_figures_runs_and_says_once_that_they_are_left_out(
    lake_without_kpis: tuple[Project, str],
) -> None:
    project, printed = lake_without_kpis
    assert printed.count("has no table business_kpis: columns made from it stay empty.") == 1
    left_out = "retailer_sales_target, retailer_margin hold no value in the training rows and are left out."
    assert printed.count(left_out) == 1
    assert "Warning" not in printed
    rows = pd.read_parquet(project.data / "04_feature" / "high_value_sales" / "features.parquet")
    assert rows[list(KPI_COLUMNS)].isna().all(axis=None)


def test_a_champion_without_figures_neither_expects_nor_misses_them(lake_without_kpis: tuple[Project, str]) -> None:
    project, _ = lake_without_kpis
    monitoring = project.record("high_value_sales", "monitoring")
    assert not set(KPI_COLUMNS) & set(monitoring["drift"]["columns"])
    assert monitoring["quality"]["status"] != "failed"
    assert project.record("high_value_sales", "quality_gate")["passed"]
    predictions = pd.read_parquet(project.data / "07_model_output" / "high_value_sales" / "predictions")
    assert not set(KPI_COLUMNS) & set(predictions)


def test_the_built_in_figures_reach_every_row_of_the_month_after_theirs(lived: Project) -> None:
    rows = pd.read_parquet(lived.data / "04_feature" / "high_value_sales" / "features.parquet")
    kpis = pd.read_parquet(lived.data / "01_raw" / "business_kpis.parquet")
    month_before = pd.to_datetime(rows["date"]).dt.to_period("M") - 1
    known = kpis.assign(month=pd.to_datetime(kpis["month"]).dt.to_period("M")).set_index(["retailer_id", "month"])
    expected = known.loc[list(zip(rows["retailer_id"], month_before, strict=True))]
    assert rows["retailer_sales_target"].tolist() == expected["sales_target"].tolist()
    assert rows["retailer_margin"].tolist() == expected["margin"].tolist()
    assert set(KPI_COLUMNS) <= set(lived.record("high_value_sales", "monitoring")["drift"]["columns"])
