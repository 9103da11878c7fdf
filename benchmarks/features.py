"""Measure the retail features against pandas and against DuckDB writing a table of the same width and types.

    python benchmarks/features.py --rows 1000000 10000000          a few hundred products
    python benchmarks/features.py --rows 10000000 --keys 5000000   so many distinct products: as many histories
    python benchmarks/features.py --rows 10000000 --week           four years, and what the newest week costs alone

Ratios are to DuckDB's write of the same features, read back from a parquet file. Both run within the memory that the
project gives to DuckDB by default.
"""

from __future__ import annotations

import argparse
import datetime as dt
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

from evergreen.datasets.features import FeaturesDataset
from evergreen.datasets.own_table import within_memory
from evergreen.datasets.synthetic.dataset import write_recipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.features import star_features
from evergreen.features.contracts import PRODUCT_ATTRIBUTES, STORE_ATTRIBUTES
from evergreen.features.days import Days
from evergreen.features.making import star_in_parts
from retail_star import described, described_table, retail_features

CONFIG = {"memory_limit": "500MB", "threads": 2, "preserve_insertion_order": False}
Table = Literal["fact_sales", "dim_product", "dim_store", "business_kpis"]
TABLES: tuple[Table, ...] = ("fact_sales", "dim_product", "dim_store", "business_kpis")
PANDAS_NAMES = {"avg": "mean", "std": "std", "total": "sum"}


def generate(folder: Path, rows: int, keys: int | None = None, *, four_years: bool = False) -> None:
    """Write the source tables; in a process of its own, whose memory is not counted."""
    for table in TABLES:
        write_recipe(RetailRecipe(table=table, size=rows), folder / f"{table}.parquet")
    if keys:
        sales, few = folder / "fact_sales.parquet", folder / "few.parquet"
        sales.rename(few)
        many = f"* replace ('P' || (hash(sales_id, 1) % {keys}) as product_id)"
        duckdb.execute(f"copy (select {many} from '{few}') to '{sales}'")
    if four_years:
        lengthen(folder)


def lengthen(folder: Path) -> None:
    """Four years of lines: every second one happened as long before the others as these span."""
    sales, short = folder / "fact_sales.parquet", folder / "short.parquet"
    sales.rename(short)
    span = f"(select max(date_key) - min(date_key) + 1 from '{short}')"
    earlier = f"* replace (case when sales_id % 2 = 0 then date_key else date_key - {span}::int end as date_key)"
    duckdb.execute("SET enable_progress_bar = false")
    duckdb.execute(f"copy (select {earlier} from '{short}' order by date_key) to '{sales}'")


def evergreen(folder: Path) -> None:
    con = ibis.duckdb.connect(temp_directory=str(folder / "spill"), **CONFIG)
    con.raw_sql("SET enable_progress_bar = false")
    *star, kpis = [con.read_parquet(folder / f"{name}.parquet", table_name=name) for name in TABLES]
    within_memory(con, lambda: retail_features(*star, kpis).to_parquet(folder / "features.parquet"))


def week(folder: Path) -> None:
    """The features of the newest week's lines, from what they look back at."""
    con = ibis.duckdb.connect(temp_directory=str(folder / "spill"), **CONFIG)
    con.raw_sql("SET enable_progress_bar = false")
    named = {name: con.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    newest = named["fact_sales"].date_key.max().to_pyarrow().as_py()
    span = Days(newest - dt.timedelta(days=6), newest)
    made = star_features(named, described(), described_table(), span)
    within_memory(con, lambda: made.to_parquet(folder / "week.parquet"))


def kept_until_last_week(folder: Path) -> None:
    _keep(folder, days=7)


def one_week_more(folder: Path) -> None:
    """What a weekly run does: look for changes in all lines, and compute the parts that changed."""
    _keep(folder, days=0)


def _keep(folder: Path, days: int) -> None:
    """Save the features of all lines but the newest days' as the project does."""
    settings = {"backend": "duckdb", "database": ":memory:", "temp_directory": str(folder / "spill"), **CONFIG}
    kept = FeaturesDataset(filepath=str(folder / "kept" / "features.parquet"), connection=settings)
    kept.connection.raw_sql("SET enable_progress_bar = false")
    named = {name: kept.connection.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    sales = named["fact_sales"]
    newest = sales.date_key.max().to_pyarrow().as_py() - dt.timedelta(days=days)
    named["fact_sales"] = sales.filter(sales.date_key <= ibis.date(newest))
    kept.save(star_in_parts(named, described(), described_table()))


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
    parser.add_argument("--week", action="store_true", help="four years of lines, and the newest week alone")
    parser.add_argument("--pandas-at-10m", action="store_true", help="run pandas above 1 M rows, too")
    args = parser.parse_args()
    print("| rows | what | wall s | CPU s | peak MB | wall ratio | CPU ratio |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generating = multiprocessing.get_context("spawn").Process(
                target=generate, args=(folder, rows, args.keys), kwargs={"four_years": args.week}
            )
            generating.start()
            generating.join()
            works = [evergreen, duckdb_write]
            if args.week:
                works += [week, kept_until_last_week, one_week_more]
            elif rows <= 1_000_000 or args.pandas_at_10m:
                works.append(pandas_features)
            measured = {work.__name__: measure(work, folder) for work in works}
            base_wall, base_cpu, _ = measured["duckdb_write"]
            for what, (wall, cpu, peak) in measured.items():
                ratios = f"{wall / base_wall:.2f} | {cpu / base_cpu:.2f}"
                print(f"| {rows:,} | {what} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
