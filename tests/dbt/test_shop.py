"""A warehouse that a real dbt builds, and what a run makes of it: ``make test-dbt``."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from evergreen.datasets.synthetic.dataset import parse_recipe, write_recipe
from tests_support import ROOT, Project

VENV = os.environ.get("DBT_VENV")
pytestmark = pytest.mark.skipif(VENV is None, reason="needs dbt: make test-dbt")

SALES = 8000
ENVIRONMENT = ROOT / "tests" / "environments" / "duckdb"
EXPORT = {
    "sales": """sales_id as id, date_key::timestamp as sold_at, store_id as shop, product_id as article,
                sales_amount as amount, sales_quantity as quantity, retailer_id as partner, now() as loaded_at
                from '{}/fact_sales.parquet'""",
    "articles": "* rename (product_id as article) from '{}/dim_product.parquet'",
    "shops": "* rename (store_id as shop) from '{}/dim_store.parquet'",
}


@dataclass(frozen=True)
class Shop:
    """A dbt project of its own, the export that it reads and the DuckDB file that it fills."""

    folder: Path

    @property
    def warehouse(self) -> Path:
        return self.folder / "shop.duckdb"

    @property
    def target(self) -> Path:
        return self.folder / "target"

    @property
    def models(self) -> Path:
        return self.folder / "project" / "models"

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of dbt, without a network."""
        surroundings = {
            **os.environ,
            "DBT_PROJECT_DIR": str(self.folder / "project"),
            "DBT_PROFILES_DIR": str(self.folder / "project"),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "SHOP_EXPORT": str(self.folder / "export"),
            "SHOP_WAREHOUSE": str(self.warehouse),
        }
        command = [f"{VENV}/bin/dbt", "--no-use-colors", *arguments]
        return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=300, check=False)

    def build(self) -> subprocess.CompletedProcess[str]:
        """Build and test the tables, and write down what lies in the warehouse now."""
        built = self.dbt("build")
        described = self.dbt("docs", "generate", "--no-compile")
        assert described.returncode == 0, described.stdout + described.stderr
        return built

    def change_export(self, change: str) -> None:
        """Rewrite the exported sales: ``change`` is what is selected."""
        file = self.folder / "export" / "sales.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"create table sales as select {change} from '{file}'")
            connection.execute(f"copy sales to '{file}'")

    def run(self, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``kedro run`` of the use case that lives on these tables, as its user would describe the warehouse."""
        project, files = Project(data), {file.name: file.read_text() for file in ENVIRONMENT.iterdir()}
        files["globals.yml"] = f"connection: {{database: '{self.warehouse}', read_only: true}}\n"
        files["parameters.yml"] = (ROOT / "conf/test/parameters.yml").read_text() + f"dbt_target: {self.target}\n"
        conf = data.parent / "conf"
        if not conf.exists():
            project.conf_with(data.parent, "duckdb", files)
        return project.run(f"--conf-source={conf}", "--namespaces=high_value_sales", *arguments, env="duckdb")

    def copy(self, folder: Path) -> Shop:
        """Another shop that begins where this one is."""
        return Shop(Path(shutil.copytree(self.folder, folder)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Built, tested, described, and its sources looked at."""
    new = Shop(tmp_path_factory.mktemp("dbt") / "shop")
    export = new.folder / "export"
    export.mkdir(parents=True)
    shutil.copytree(ROOT / "tests" / "dbt" / "project", new.folder / "project")
    for table in ("fact_sales", "dim_product", "dim_store"):
        size = {"size": SALES} if table == "fact_sales" else {}
        write_recipe(
            parse_recipe({"source": "retail", "table": table, "seed": 42, **size}), export / f"{table}.parquet"
        )
    with duckdb.connect() as connection:
        for name, selected in EXPORT.items():
            connection.execute(f"copy (select {selected.format(export)}) to '{export / name}.parquet'")
    built = new.build()
    assert built.returncode == 0, built.stdout
    looked = new.dbt("source", "freshness")
    assert looked.returncode == 0, looked.stdout
    return new


@pytest.fixture(scope="module")
def lived(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str, str]:
    """The whole lifecycle on the warehouse; what it printed, and the warehouse's digest before."""
    data = tmp_path_factory.mktemp("lived") / "data"
    before = digest(shop.warehouse)
    ended = shop.run(data)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Project(data), ended.stdout, before


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def refusal(shop: Shop, folder: Path) -> str:
    """What a run says that dbt's artefacts stop, before it has written anything."""
    ended = shop.run(folder / "data", "--pipelines=feature_engineering")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (folder / "data" / "04_feature").exists()
    return ended.stderr


def test_a_champion_comes_out_of_the_tables_that_dbt_built(lived: tuple[Project, str, str]) -> None:
    project, printed, _ = lived
    assert "high_value_sales.dim_store, high_value_sales.fact_sales was checked" in printed
    assert project.record("high_value_sales", "retraining")["champion"]["after"] == "1"


def test_a_run_leaves_the_warehouse_as_it_was_and_free_to_be_written(
    shop: Shop, lived: tuple[Project, str, str]
) -> None:
    assert digest(shop.warehouse) == lived[2]
    assert sorted(file.name for file in shop.folder.glob("shop.duckdb*")) == ["shop.duckdb"]
    with duckdb.connect(shop.warehouse) as connection:
        assert connection.sql("select count(*) from fact_sales").fetchone() == (SALES,)


def test_the_exposures_file_shows_the_champion_in_the_lineage_of_dbt(
    shop: Shop, lived: tuple[Project, str, str], tmp_path: Path
) -> None:
    other = shop.copy(tmp_path / "shop")
    file = other.models / "evergreen.yml"
    options = ("--use-case", "high_value_sales", "--dbt-target", str(other.target), "--output", str(file))
    told = lived[0].kedro("models", "dbt-exposures", *options)
    assert told.returncode == 0, told.stderr
    assert told.stdout == f"high_value_sales: written to {file}\n"
    parsed = other.dbt("parse", "--warn-error")
    assert parsed.returncode == 0, parsed.stdout
    (exposure,) = json.loads((other.target / "manifest.json").read_text())["exposures"].values()
    assert exposure["type"] == "ml"
    assert "Champion: version 1" in exposure["description"]
    assert sorted(exposure["depends_on"]["nodes"]) == [
        "model.shop.dim_product", "model.shop.dim_store", "model.shop.fact_sales",
    ]  # fmt: skip
    lineage = other.dbt("--quiet", "ls", "--select", "+exposure:high_value_sales", "--resource-type", "source")
    assert lineage.stdout.split() == [f"source:shop.export.{name}" for name in ("articles", "sales", "shops")]


def test_a_failed_test_of_dbt_stops_the_run(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "shop")
    other.change_export("* replace (nullif(amount, max(amount) over ()) as amount)")
    assert other.build().returncode == 1
    sentence = (
        "high_value_sales.fact_sales fails dbt_test: not_null_stg_sales_sales_amount ended with fail (Got 1 result"
    )
    assert sentence in refusal(other, tmp_path)


def test_a_stale_source_stops_the_run(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "shop")
    other.change_export("* replace (loaded_at - interval 8 days as loaded_at)")
    assert other.dbt("source", "freshness").returncode == 1
    told = refusal(other, tmp_path)
    assert "high_value_sales.fact_sales fails dbt_freshness: source export.sales was loaded last on" in told
    assert "allowed 7 days" in told


def test_a_dropped_and_a_retyped_column_stop_the_run(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "shop")
    model = other.models / "marts" / "fact_sales.sql"
    changed = model.read_text().replace(", retailer_id", "").replace("sales_amount", "date_key as sales_amount")
    model.write_text(changed)
    assert other.build().returncode == 0
    told = refusal(other, tmp_path)
    assert "high_value_sales.fact_sales.retailer_id fails missing_column: no such column, allowed one" in told
    assert "high_value_sales.fact_sales.sales_amount fails column_type: type date, allowed numbers" in told


def test_docs_generate_that_recompiles_after_a_build_is_told_from_tested(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "shop")
    assert other.dbt("docs", "generate").returncode == 0
    told = refusal(other, tmp_path)
    assert "tests has a result in run_results.json, which `dbt generate` wrote" in told
