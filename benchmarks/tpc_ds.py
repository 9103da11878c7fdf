"""TPC-DS' store sales through features, training, scoring and monitoring: CPU seconds and peak memory of each.

    python benchmarks/tpc_ds.py [--scale 1]

The tables are made by DuckDB's own generator, in an environment of its own. A line is large where its amount is above
2,000; list price, cost and promotion are known in time. Scale 1
has 2.75 million lines of 18,000 items, 100,000 customers and 12 stores over five years.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from drift_tables import show

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["duckdb==1.5.5", "duckdb-extension-tpcds==1.5.5"]
STAGES = ("feature_engineering", "training,evaluation", "scoring", "monitoring")
GENERATOR = """
import sys
from pathlib import Path
import duckdb, duckdb_extension_tpcds
folder, scale = sys.argv[1:]
con = duckdb.connect(config={"threads": 1, "allow_unsigned_extensions": True})
con.load_extension(str(next(Path(duckdb_extension_tpcds.__file__).parent.rglob("tpcds.duckdb_extension"))))
con.execute(f"call dsdgen(sf={scale})")
for name, query in {
    "sales": "select ss_ticket_number as ticket, d_date as day, ss_item_sk as item, ss_customer_sk as customer, "
    "ss_store_sk as store, ss_promo_sk as promotion, ss_list_price::double as list_price, "
    "ss_wholesale_cost::double as wholesale_cost, ss_ext_sales_price::double as amount "
    "from store_sales join date_dim on d_date_sk = ss_sold_date_sk",
    "items": "select i_item_sk as item, i_category as category, i_class as class, i_current_price::double as price "
    "from item",
    "customers": "select c_customer_sk as customer, c_birth_year as birth_year, c_preferred_cust_flag as preferred "
    "from customer",
    "stores": "select s_store_sk as store, s_state as state, s_floor_space as floor_space from store",
}.items():
    con.execute(f"copy ({query}) to '{folder}/{name}.parquet'")
"""
FILES = {
    "use_cases.yml": """
large_lines: {source: star_schema, tables: [sales, items, customers, stores]}
churn: ~
high_value_sales: ~
""",
    "catalog.yml": """
_file: &file {type: ibis.FileDataset, file_format: parquet, connection: "${globals:connection}"}
large_lines.sales: {<<: *file, filepath: /data/sales.parquet}
large_lines.items: {<<: *file, filepath: /data/items.parquet}
large_lines.customers: {<<: *file, filepath: /data/customers.parquet}
large_lines.stores: {<<: *file, filepath: /data/stores.parquet}
""",
    "parameters.yml": """
large_lines:
  table: {entity: line, date: day, block: [ticket], target: large, positive: 1}
  features:
    facts:
      table: sales
      key: [ticket, item]
      date: day
      keys: [item, customer, store, ticket]
      numeric: [list_price, wholesale_cost]
      categorical: [promotion]
    measures:
      amount: amount
      large: {when: {column: amount, above: 2000}}
    calendar: [month, day_of_week]
    histories:
      item: {keys: [item], measures: {large: [avg], amount: [avg, std]}, frequency: true, windows: [28, 90]}
      customer: {keys: [customer], measures: {amount: [avg, max]}, frequency: true, windows: [90]}
      store: {keys: [store], measures: {large: [avg]}, windows: [7]}
    dimensions:
      item: {table: items, key: item, prefix: item_, numeric: [price], categorical: [category, class]}
      customer: {table: customers, key: customer, prefix: customer_, numeric: [birth_year], categorical: [preferred]}
      store: {table: stores, key: store, prefix: store_, numeric: [floor_space], categorical: [state]}
  split: {history_days: 90, test_days: 91}
""",
}


def generate(folder: Path, scale: float) -> None:
    """The tables as parquet, by a generator in an environment of its own, for it wants DuckDB of its own version."""
    python, uv = folder / "generator" / "bin" / "python", [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", str(folder / "generator")], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES], check=True)
    subprocess.run([str(python), "-c", GENERATOR, str(folder), str(scale)], check=True)


def stage(name: str, conf: Path, data: Path) -> list[str]:
    """One pipeline in a process of its own."""
    command = [sys.executable, "-m", "kedro", "run", "--env=tpc_ds", f"--conf-source={conf}", f"--pipelines={name}"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "EVERGREEN_DATA": str(data)})
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name} ended with {os.waitstatus_to_exitcode(status)}")
    return [name, f"{used.ru_utime + used.ru_stime:.1f}", f"{used.ru_maxrss / 1024:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, conf = Path(name), Path(name) / "conf"
        generate(folder, asked.scale)
        shutil.copytree(ROOT / "conf", conf)
        (conf / "tpc_ds").mkdir()
        for file, text in FILES.items():
            (conf / "tpc_ds" / file).write_text(text.replace("/data/", f"{folder}/"))
        lines = [stage(each, conf, folder / "data") for each in STAGES]
    print(f"TPC-DS, scale {asked.scale:g}; the largest child had {_largest():.0f} MB")
    show(["pipelines", "CPU s", "peak MB"], lines)


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
