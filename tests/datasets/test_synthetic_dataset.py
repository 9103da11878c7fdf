"""The synthetic catalog entry: generated once, atomically, in bounded memory, and joinable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DataCatalog, DatasetError

from evergreen.datasets.synthetic import SyntheticDataset
from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.datasets.synthetic.dataset import parse_recipe, recorded_recipe, write_recipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.errors import EvergreenError
from evergreen.features.contracts import BusinessKpis, Contract, Customers, DimProduct, DimStore, FactSales

CONNECTION = {"backend": "duckdb", "database": ":memory:"}
CONTRACTS = {
    ("retail", "fact_sales"): FactSales,
    ("retail", "dim_product"): DimProduct,
    ("retail", "dim_store"): DimStore,
    ("retail", "business_kpis"): BusinessKpis,
    ("churn", "customers"): Customers,
    ("churn", "current"): Customers,
}


def dataset(path: Path, table: str = "fact_sales", source: str = "retail", **more: Any) -> SyntheticDataset:
    settings = {"size": 2_000, "connection": CONNECTION} | more
    return SyntheticDataset(filepath=str(path / f"{table}.parquet"), source=source, table=table, **settings)


def rows(entry: SyntheticDataset) -> int:
    return entry.load().count().to_pyarrow().as_py()


@pytest.mark.parametrize(("key", "contract"), CONTRACTS.items())
def test_every_synthetic_table_keeps_its_contract(tmp_path, key: tuple[str, str], contract: type[Contract]):
    contract().validate(dataset(tmp_path, key[1], key[0]).load())


def test_tables_of_one_connection_join(tmp_path):
    sales, products, stores = (dataset(tmp_path, name).load() for _, name in list(CONTRACTS)[:3])
    joined = sales.inner_join(products, "product_id").inner_join(stores, "store_id")
    assert joined.count().to_pyarrow().as_py() == 2_000


def test_a_file_with_the_same_recipe_is_not_generated_again(tmp_path):
    path = tmp_path / "fact_sales.parquet"
    dataset(tmp_path).load()
    written = path.stat()
    dataset(tmp_path).load()
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


@pytest.mark.parametrize(
    "change",
    [
        {"size": 3_000},
        {"seed": 1},
        {"options": {"stores": 5}},
        {"scenarios": [{"name": "mix_shift", "start": "2026-01-01", "strength": 0.5}]},
    ],
)
def test_another_recipe_makes_the_file_stale(tmp_path, change: dict[str, Any]):
    path = tmp_path / "fact_sales.parquet"
    dataset(tmp_path).load()
    before = pq.read_table(path)
    entry = dataset(tmp_path, **change)
    assert rows(entry) == change.get("size", 2_000)
    assert not pq.read_table(path).equals(before)
    assert recorded_recipe(path) != recorded_recipe(tmp_path / "missing.parquet")


def test_a_newer_generator_makes_the_file_stale(tmp_path, monkeypatch):
    path = tmp_path / "fact_sales.parquet"
    dataset(tmp_path).load()
    monkeypatch.setattr("evergreen.datasets.synthetic.retail.VERSION", 99)
    dataset(tmp_path).load()
    assert json.loads(recorded_recipe(path) or "{}")["version"] == 99


@pytest.mark.parametrize("content", [b"", b"PAR1 but broken"])
def test_a_broken_or_foreign_file_is_replaced(tmp_path, content: bytes):
    (tmp_path / "fact_sales.parquet").write_bytes(content)
    assert rows(dataset(tmp_path)) == 2_000
    pq.write_table(pa.table({"x": [1]}), tmp_path / "fact_sales.parquet")
    assert rows(dataset(tmp_path)) == 2_000


def test_the_same_recipe_gives_the_same_bytes(tmp_path):
    recipe = parse_recipe({"source": "retail", "table": "fact_sales", "size": 5_000})
    for name in ("a", "b"):
        write_recipe(recipe, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_interrupted_generation_leaves_the_former_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "fact_sales.parquet"
    dataset(tmp_path).load()
    before = path.read_bytes()
    chunks = RetailRecipe.chunks

    def interrupted(self: RetailRecipe) -> Iterator[pa.Table]:
        yield next(chunks(self))
        raise KeyboardInterrupt

    monkeypatch.setattr(RetailRecipe, "chunks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dataset(tmp_path, seed=5).load()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["fact_sales.parquet"]
    monkeypatch.undo()
    assert rows(dataset(tmp_path, seed=5)) == 2_000


def test_memory_is_bounded_by_chunks_and_not_by_the_size(tmp_path, monkeypatch):
    chunks = ChurnRecipe.chunks
    held: list[int] = []

    def watched(self: ChurnRecipe) -> Iterator[pa.Table]:
        for chunk in chunks(self):
            yield chunk
            held.append(pa.total_allocated_bytes())

    monkeypatch.setattr(ChurnRecipe, "chunks", watched)
    peaks = []
    for size in (300_000, 900_000):
        held.clear()
        write_recipe(ChurnRecipe(table="customers", size=size), tmp_path / "customers.parquet")
        peaks.append(max(held))
    assert len(held) == 9
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"table": "fact_sale"}, "retail.fact_sale can't be described: table Input should be 'fact_sales'"),
        ({"source": "bank"}, "bank.fact_sales can't be described"),
        ({"size": 0}, "size Input should be greater than 0"),
        ({"options": {"shops": 3}}, "shops Extra inputs are not permitted"),
        ({"scenarios": [{"name": "mix_shift"}]}, "scenario mix_shift needs a start date"),
        ({"filepath": "floppy://lake/x.parquet"}, "begins with floppy://, which is no known place"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_in_words(tmp_path, change: dict[str, Any], sentence: str):
    settings = {"filepath": str(tmp_path / "x.parquet"), "source": "retail", "table": "fact_sales"} | change
    with pytest.raises(EvergreenError, match=sentence):
        SyntheticDataset(**settings)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "data").write_text("a file where a folder is due")
    with pytest.raises(EvergreenError, match=r"fact_sales can't be written to .*choose another filepath"):
        write_recipe(RetailRecipe(table="fact_sales", size=10), tmp_path / "data" / "fact_sales.parquet")


def test_saving_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="is generated from its recipe"):
        dataset(tmp_path).save("rows")


def test_the_catalog_builds_describes_and_loads_the_entry(tmp_path):
    catalog = DataCatalog.from_config(
        {
            "churn.current": {
                "type": "evergreen.datasets.synthetic.SyntheticDataset",
                "filepath": str(tmp_path / "current.parquet"),
                "source": "churn",
                "table": "current",
                "size": 100,
                "scenarios": [{"name": "economic_downturn"}, {"name": "concept_change"}],
                "connection": CONNECTION,
                "validator": {"class": "evergreen.features.contracts.Customers", "on": "load"},
                "metadata": {"kedro-viz": {"layer": "raw"}},
            }
        }
    )
    assert catalog.exists("churn.current")
    assert catalog.load("churn.current").count().to_pyarrow().as_py() == 100
    assert "economic_downturn" in str(catalog["churn.current"])
