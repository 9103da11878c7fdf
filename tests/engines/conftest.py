"""The small star schema, and the engines that it is put into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import bigquery_engine
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from evergreen.datasets.synthetic.retail import RetailRecipe

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
    return {recipe.table: plain(pa.concat_tables(recipe.chunks())) for recipe in recipes}


def plain(table: pa.Table) -> pa.Table:
    """Text as text, which every engine reads."""
    fields = [(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type) for field in table.schema]
    return table.cast(pa.schema(fields))


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


@pytest.fixture(scope="session", params=["bigquery"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each remote engine in turn; one whose environment is not set up is skipped by its own fixture."""
    found: Engine = request.getfixturevalue(request.param)
    return found
