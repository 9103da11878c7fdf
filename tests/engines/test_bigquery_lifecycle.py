"""``kedro run --env=bigquery`` as a user runs it, on an emulated BigQuery with dbt's tables."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bigquery_engine
import pyarrow as pa
import pytest

from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.datasets.synthetic.scenario import Scenario
from tests_support import ROOT, Project

DATASET = "dbt"
DBT = "exp_normalized_retail_connector_"
FEATURES = "evergreen_high_value_sales_features"
DOWNTURN = (Scenario(name="economic_downturn"), Scenario(name="concept_change"))
ALL_DAYS = 100_000
TIMEOUT = 900


@dataclass(frozen=True)
class Warehouse:
    """The project on an emulated BigQuery."""

    project: Project
    conf: Path
    address: str
    client: Any

    def run(self, *arguments: str, **params: Any) -> subprocess.CompletedProcess[str]:
        """``kedro run --env=bigquery``."""
        own = {"project": "demo", "dataset": DATASET, "api_endpoint": self.address, "storage_api": False}
        own |= {
            "days": ALL_DAYS,
            "scoring_where": "here",
            **params,
        }  # the emulator takes minutes to read a long statement
        named = ",".join(f"{name}={value}" for name, value in own.items())
        command = ("run", "--env=bigquery", f"--conf-source={self.conf}", f"--params={named}", *arguments)
        return self.project.kedro(*command, timeout=TIMEOUT)

    def query(self, sql: str) -> list[Any]:
        """Rows of a query over the dataset."""
        return [tuple(row) for row in self.client.query_and_wait(sql.replace("@", f"{DATASET}."))]


def dbt_tables() -> dict[str, pa.Table]:
    """The rows of the test environment, under dbt's names."""
    recipes: dict[str, Any] = {
        f"{DBT}{name}": RetailRecipe(table=name, size=8000)  # type: ignore[arg-type]
        for name in ("fact_sales", "dim_product", "dim_store")
    }
    recipes["business_kpis"] = RetailRecipe(table="business_kpis")
    recipes["customers"] = ChurnRecipe(table="customers", size=3000)
    recipes["current_customers"] = ChurnRecipe(table="current", size=3000, scenarios=DOWNTURN)
    return {name: bigquery_engine.plain(pa.concat_tables(recipe.chunks())) for name, recipe in recipes.items()}


@pytest.fixture(scope="module")
def warehouse(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """dbt's tables, and a checkout's configuration with anonymous credentials and the test environment's sizes."""
    folder = tmp_path_factory.mktemp("warehouse")
    client = bigquery_engine.rest_client(emulator)
    bigquery_engine.put(client, DATASET, dbt_tables())
    conf = Path(shutil.copytree(ROOT / "conf", folder / "conf"))
    shutil.copy(ROOT / "conf" / "test" / "parameters.yml", conf / "bigquery" / "parameters.yml")
    (conf / "local" / "credentials.yml").write_text("bigquery: {anonymous: true}\n")
    return Warehouse(Project(folder / "data"), conf, emulator, client)


@pytest.fixture(scope="module")
def settled(warehouse: Warehouse) -> Warehouse:
    """A warehouse in which the whole lifecycle of both use cases ran once."""
    first = warehouse.run()
    assert first.returncode == 0, first.stdout + first.stderr
    (warehouse.project.data / "first_run.txt").write_text(first.stdout + first.stderr)
    return warehouse


def test_the_whole_lifecycle_runs(settled: Warehouse) -> None:
    for use_case, serves in (("high_value_sales", "1"), ("churn", "2")):
        assert settled.project.record(use_case, "evaluation")["promotion"]["champion_after"] == serves
        assert settled.query(f"select count(*) from @evergreen_{use_case}_predictions")[0][0] > 10
        assert not (settled.project.data / "07_model_output" / use_case / "predictions").exists()
    assert settled.project.record("high_value_sales", "retraining")["status"] == "not_needed"
    assert settled.project.record("churn", "monitoring")["status"] == "drift"
    assert settled.project.record("churn", "retraining")["status"] == "promoted"
    told = (settled.project.data / "first_run.txt").read_text()
    assert "BigQuery: 10.5 MB to read" in told
    assert "Traceback" not in told


def test_features_are_computed_and_kept_in_bigquery(settled: Warehouse) -> None:
    assert not list(settled.project.data.glob("04_feature/**/*.parquet"))
    rows, first = settled.query(f"select count(*), min(date) from @{FEATURES}")[0]
    assert rows == 8000
    assert f"{first:%Y}" == "2024"
    assert settled.query("select count(*) from @evergreen_churn_current_features") == [(3000,)]


def test_the_same_rows_in_duckdb_train_the_same_models(settled: Warehouse, tmp_path: Path) -> None:
    here = Project(tmp_path)
    ended = here.run("--pipelines=feature_engineering,training")
    assert ended.returncode == 0, ended.stderr
    for use_case in ("high_value_sales", "churn"):
        ours, theirs = here.record(use_case, "training"), settled.project.record(use_case, "training")
        assert theirs["n_train"] == ours["n_train"]
        assert theirs["algorithm"] == ours["algorithm"]
        scores = [[row["cv_roc_auc_mean"] for row in record["leaderboard"]] for record in (theirs, ours)]
        # measures have nine decimals there and six here: a feature on the border of selection may change with them
        assert scores[0] == pytest.approx(scores[1], abs=3e-3)


def test_only_missing_outputs_does_nothing_where_features_are_kept(settled: Warehouse) -> None:
    again = settled.run("--pipeline=feature_engineering", "--only-missing-outputs", "--namespaces=high_value_sales")
    assert again.returncode == 0, again.stderr
    assert "to read" not in again.stdout


def test_a_second_training_reuses_the_version_and_samples_whole_blocks_where_rows_abound(settled: Warehouse) -> None:
    again = settled.run("--pipeline=training", "--namespaces=churn")
    assert again.returncode == 0, again.stderr
    assert settled.project.record("churn", "training")["status"] == "reused"
    few = settled.run(
        "--pipeline=training", "--namespaces=high_value_sales", **{"high_value_sales.training.max_rows": 1000}
    )
    assert few.returncode == 0, few.stderr
    assert 500 < settled.project.record("high_value_sales", "training")["n_train"] < 1500


def test_the_prejoined_table_gives_the_same_features(settled: Warehouse) -> None:
    before = settled.query(f"select * from @{FEATURES} order by sales_id")
    settled.query(
        f"create or replace table @{DBT}fact_sales_enriched as"
        " select f.*, p.* except (product_id), s.* except (store_id)"
        f" from @{DBT}fact_sales f left join @{DBT}dim_product p on f.product_id = p.product_id"
        f" left join @{DBT}dim_store s on f.store_id = s.store_id"
    )
    ended = settled.run(
        "--pipeline=feature_engineering", "--namespaces=high_value_sales", prejoined=f"{DBT}fact_sales_enriched"
    )
    assert ended.returncode == 0, ended.stderr
    assert settled.query(f"select * from @{FEATURES} order by sales_id") == before


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"days": 30}, "fact_sales fails empty_table: 0 rows, allowed 1 or more"),
        ({"max_bytes_billed": 1000}, "would read 10.5 MB, allowed 1 kB, so it was not run"),
        ({"dataset": "elsewhere"}, f"demo.elsewhere.{DBT}fact_sales"),
    ],
)
def test_a_run_that_cannot_be_ends_with_a_sentence_and_the_former_features(
    settled: Warehouse, params: dict[str, Any], sentence: str
) -> None:
    refused = settled.run("--pipeline=feature_engineering", "--namespaces=high_value_sales", **params)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert settled.query(f"select count(*) from @{FEATURES}") == [(8000,)]


def test_only_the_newest_days_are_read(settled: Warehouse) -> None:
    ended = settled.run("--pipeline=feature_engineering", "--namespaces=high_value_sales", as_of="2026-02-28", days=365)
    assert ended.returncode == 0, ended.stderr
    assert settled.query(f"select count(*), min(date) from @{FEATURES}") == settled.query(
        f"select count(*), min(date_key) from @{DBT}fact_sales where date_key >= '2025-02-28'"
    )


def test_a_schema_that_has_changed_is_told_by_column(settled: Warehouse) -> None:
    before = settled.query(f"select count(*) from @{FEATURES}")
    settled.query(
        f"create or replace table @{DBT}fact_sales as select * except (sales_amount, retailer_id),"
        f" current_date() as sales_amount from @{DBT}fact_sales"
    )
    refused = settled.run("--pipeline=feature_engineering", "--namespaces=high_value_sales")
    assert refused.returncode == 1
    assert "fact_sales breaks its contract in 2 places (column_type, missing_column)" in refused.stderr
    assert "fact_sales.sales_amount fails column_type: type date, allowed numbers" in refused.stderr
    assert settled.query(f"select count(*) from @{FEATURES}") == before
