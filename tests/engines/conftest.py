"""The small star schema, and the engines that it is put into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import bigquery_engine
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.config import OmegaConfigLoader

from evergreen.datasets import SparkLakeDataset, SparkTableDataset
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.settings import CONFIG_LOADER_ARGS
from tests_support import ROOT

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Engine:
    """A place where tables lie and expressions are computed.

    Attributes:
        lay: Puts tables there and hands back what Ibis sees of them.
        keep: Computes an expression there and hands back the stored result.
    """

    lay: Callable[[Tables], dict[str, ir.Table]]
    keep: Callable[[ir.Table], ir.Table]


LINES = 3000


@pytest.fixture(scope="session")
def star() -> Tables:
    """The three tables of the synthetic retail world, small."""
    recipes = [
        RetailRecipe(table=name, size=LINES, stores=6, products=40)  # type: ignore[arg-type]
        for name in ("fact_sales", "dim_product", "dim_store")
    ]
    return {recipe.table: bigquery_engine.plain(pa.concat_tables(recipe.chunks())) for recipe in recipes}


@pytest.fixture(scope="session")
def duckdb() -> Engine:
    """The engine that the others are held against."""
    connection = ibis.duckdb.connect()

    def lay(tables: Tables) -> dict[str, ir.Table]:
        return {name: connection.create_table(name, rows, overwrite=True) for name, rows in tables.items()}

    return Engine(lay, lambda table: connection.create_table("kept", table, overwrite=True))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an emulated BigQuery."""
    if bigquery_engine.VENV is None:
        pytest.skip("needs an emulated BigQuery: make test-bigquery")
    with bigquery_engine.emulator(tmp_path_factory.mktemp("emulator")) as address:
        yield address


@pytest.fixture(scope="session")
def bigquery(emulator: str) -> Engine:
    """An emulated BigQuery."""
    client = bigquery_engine.rest_client(emulator)

    def lay(tables: Tables) -> dict[str, ir.Table]:
        bigquery_engine.put(client, "engines", tables)
        return {name: connection.table(name) for name in tables}

    connection = bigquery_engine.connect(client, "engines")
    return Engine(lay, lambda table: connection.create_table("kept", table, overwrite=True))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A Spark of two threads, set up as its environment says."""
    pytest.importorskip("pyspark", reason="needs Spark: make test-spark")
    lake, kept = tmp_path_factory.mktemp("lake"), tmp_path_factory.mktemp("kept") / "kept"
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="spark", **CONFIG_LOADER_ARGS)
    connection = loader["catalog"]["high_value_sales.fact_sales"]["connection"]

    def lay(tables: Tables) -> dict[str, ir.Table]:
        for name, rows in tables.items():
            pq.write_table(rows, lake / f"{name}.parquet")
        return {name: SparkLakeDataset(lake=str(lake), table=name, connection=connection).load() for name in tables}

    def keep(table: ir.Table) -> ir.Table:
        dataset = SparkTableDataset(filepath=str(kept), connection=connection)
        dataset.save(table)
        return dataset.load()

    return Engine(lay, keep)


@pytest.fixture(scope="session", params=["bigquery", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each remote engine in turn; one whose environment is not set up is skipped by its own fixture."""
    found: Engine = request.getfixturevalue(request.param)
    return found
