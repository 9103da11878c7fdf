"""Measure the retail features against pandas and against DuckDB writing a table of the same width and types.

    python benchmarks/features.py --rows 1000000 10000000          a few hundred products
    python benchmarks/features.py --rows 10000000 --keys 5000000   so many distinct products: as many histories

Ratios are to DuckDB's write of the same features, read back from a parquet file. Both run within the memory that the
project gives to DuckDB by default.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import duckdb
import ibis
import numpy as np
import pandas as pd

from evergreen.datasets.own_table import within_memory
from evergreen.datasets.synthetic.dataset import write_recipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.features.contracts import PRODUCT_ATTRIBUTES, STORE_ATTRIBUTES
from retail_star import described, retail_features

CONFIG = {"memory_limit": "500MB", "threads": 2, "preserve_insertion_order": False}
Table = Literal["fact_sales", "dim_product", "dim_store", "business_kpis"]
TABLES: tuple[Table, ...] = ("fact_sales", "dim_product", "dim_store", "business_kpis")
PANDAS_NAMES = {"avg": "mean", "std": "std", "total": "sum"}


def generate(folder: Path, rows: int, keys: int | None) -> None:
    for table in TABLES:
        write_recipe(RetailRecipe(table=table, size=rows), folder / f"{table}.parquet")
    if keys:
        sales, few = folder / "fact_sales.parquet", folder / "few.parquet"
        sales.rename(few)
        many = f"* replace ('P' || (hash(sales_id, 1) % {keys}) as product_id)"
        duckdb.execute(f"copy (select {many} from '{few}') to '{sales}'")


def evergreen(folder: Path) -> None:
    con = ibis.duckdb.connect(temp_directory=str(folder / "spill"), **CONFIG)
    con.raw_sql("SET enable_progress_bar = false")
    *star, kpis = [con.read_parquet(folder / f"{name}.parquet", table_name=name) for name in TABLES]
    within_memory(con, lambda: retail_features(*star, kpis).to_parquet(folder / "features.parquet"))


def duckdb_write(folder: Path) -> None:
    con = duckdb.connect(config=CONFIG | {"temp_directory": str(folder / "spill")})
    con.execute("SET enable_progress_bar = false")
    con.execute(f"copy (from '{folder}/features.parquet') to '{folder}/copy.parquet'")


def pandas_features(folder: Path) -> None:
    sales = pd.read_parquet(folder / "fact_sales.parquet")
    sales = sales[(sales["sales_quantity"] > 0) & (sales["sales_amount"] > 0)]
    sales = sales.rename(columns={"sales_amount": "amount", "sales_quantity": "quantity"})
    sales["price"] = sales["amount"] / sales["quantity"]
    sales["date"] = pd.to_datetime(sales["date_key"])
    table = sales
    for prefix, history in described().histories.items():
        key = history.keys[0]
        ordered = sales.sort_values([key, "date"]).set_index("date")
        rolling = ordered.groupby(key, observed=True)[list(history.measures)].rolling("90D", closed="left")
        past = pd.DataFrame(
            {
                f"{prefix}_{statistic}_{measure}": rolling[measure].agg(PANDAS_NAMES[statistic])
                for measure, statistics in history.measures.items()
                for statistic in statistics
            }
        )
        if history.frequency:
            past[f"{prefix}_frequency"] = rolling["amount"].count()
        table = table.merge(past.groupby(level=[0, 1]).first().reset_index(), on=[key, "date"], how="left")
    for name, attributes in (("product", PRODUCT_ATTRIBUTES), ("store", STORE_ATTRIBUTES)):
        known = pd.read_parquet(folder / f"dim_{name}.parquet", columns=[f"{name}_id", *attributes])
        table = table.merge(known, on=f"{name}_id", how="left")
    dates = table["date"].dt
    seasons = np.array(["winter", "spring", "summer", "autumn"])
    table = table.drop(columns=["date_key", "price"]).assign(
        year=dates.year,
        month=dates.month,
        day_of_week=dates.day_of_week,
        is_weekend=(dates.day_of_week >= 5).astype("int8"),
        quarter=dates.quarter,
        season=seasons[dates.month % 12 // 3],
    )
    table.to_parquet(folder / "pandas.parquet")


def measure(work: Callable[[Path], None], folder: Path) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of the work in a process of its own; memory includes the imports."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, folder, sender))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} ended with exit code {process.exitcode}")
    return receiver.recv()


def _measured(work: Callable[[Path], None], folder: Path, sender: multiprocessing.connection.Connection) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work(folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sender.send((wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--keys", type=int, help="distinct products; default: the built-in few hundred")
    parser.add_argument("--pandas-at-10m", action="store_true", help="run pandas above 1 M rows, too")
    args = parser.parse_args()
    print("| rows | what | wall s | CPU s | peak MB | wall ratio | CPU ratio |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generate(folder, rows, args.keys)
            works = [evergreen, duckdb_write]
            if rows <= 1_000_000 or args.pandas_at_10m:
                works.append(pandas_features)
            measured = {work.__name__: measure(work, folder) for work in works}
            base_wall, base_cpu, _ = measured["duckdb_write"]
            for what, (wall, cpu, peak) in measured.items():
                ratios = f"{wall / base_wall:.2f} | {cpu / base_cpu:.2f}"
                print(f"| {rows:,} | {what} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
