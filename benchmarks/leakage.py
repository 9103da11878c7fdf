"""What leaky features do to the figures: offline, and on judging rows that come after the model was made.

``python benchmarks/leakage.py [--seeds 3] [--rows 100000] [--lake folder]``. The newest 91 days are set aside as
judging rows. Everything before is what a project has on the day of training: features, split, label and test window
are made from it as `kedro run` makes them, with the tables of `conf/base` and of `conf/tutorial`. The judging rows are
then scored three times:

- later: with the columns as the warehouse tells them afterwards, when the line's own price and quantity are filled in;
- guessed: as known on the day before, own price and quantity guessed by the product's past averages, and averages over
  all rows taken over earlier days;
- empty: the same with own price and quantity left empty.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from kedro.config import OmegaConfigLoader
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from evergreen.datasets import LakeDataset
from evergreen.datasets.synthetic.dataset import write_recipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.features import History, key_history
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import train_candidate
from evergreen.rows.labelled import LabelledRows, select_test_rows, select_training_set, window_bounds
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import date_range
from evergreen.schema import TableSpec
from evergreen.settings import CONFIG_LOADER_ARGS
from retail_star import retail_features

CONF = Path(__file__).resolve().parents[1] / "conf"
TABLES: tuple[Literal["fact_sales", "dim_product", "dim_store"], ...] = ("fact_sales", "dim_product", "dim_store")
CONNECTION = {"backend": "duckdb", "database": ":memory:"}
JUDGED_DAYS = 91
ALL_THE_PAST = 100_000
OWN = {"unit_price": "product_avg_price", "sales_quantity": "product_avg_quantity"}
NAIVE_KEYS = {"naive_store": "store_id", "naive_product": "product_id", "naive_retailer": "retailer_id"}
COLUMNS = ("test, offline", "judging, later", "judging, guessed", "judging, empty")


def parameters(env: str) -> dict[str, Any]:
    """The use case's parameters in an environment, as `kedro run` reads them."""
    loader = OmegaConfigLoader(str(CONF), env=env, **CONFIG_LOADER_ARGS)
    return dict(loader["parameters"]["high_value_sales"])


def specs() -> dict[str, TableSpec]:
    """The feature sets that are compared."""
    tutorial = TableSpec(**parameters("tutorial")["table"])
    without_own = [name for name in tutorial.numeric if name not in OWN]
    return {
        "tutorial: own price and quantity, averages over all rows": tutorial,
        "averages over all rows alone": tutorial.model_copy(update={"numeric": without_own}),
        "Evergreen": TableSpec(**parameters("base")["table"]),
    }


def source(folder: Path, seed: int, rows: int) -> list[ir.Table]:
    """The built-in tables."""
    for table in TABLES:
        write_recipe(RetailRecipe(table=table, size=rows, seed=seed), folder / f"{table}.parquet")
    return lake(folder)


def lake(folder: Path) -> list[ir.Table]:
    """The tables of a folder."""
    return [LakeDataset(lake=str(folder), table=name, connection=CONNECTION).load() for name in TABLES]


def known_before(features: ir.Table) -> ir.Table:
    """Averages over all rows as they stood on the evening before each row's day."""
    table = features.drop(*(f"{prefix}_avg_amount" for prefix in NAIVE_KEYS))
    sales = features.mutate(amount=features.sales_amount)
    for prefix, key in NAIVE_KEYS.items():
        past = key_history(sales, History(prefix, [key], {"amount": ["avg"]}), "date", ALL_THE_PAST)
        table = table.left_join(past, [key, "date"]).select(*table.columns, f"{prefix}_avg_amount")
    return table


def fit(rows: LabelledRows, spec: TableSpec, split: SplitParameters) -> Pipeline:
    """One HistGradientBoosting with built-in parameters on the training rows."""
    policy = TrainingParameters(strategy="none", price_column=OWN["unit_price"])
    made = train_candidate("HistGradientBoosting", rows.X, rows.y, rows.share, rows.dates, spec, policy, split)
    if made.pipeline is None:
        raise SystemExit(f"not trained: {made.error}")
    return made.pipeline


def auc(model: Pipeline, rows: pd.DataFrame, y: np.ndarray) -> float:
    """ROC AUC of a model on some rows."""
    return float(roc_auc_score(y, model.predict_proba(rows)[:, 1]))


def compare(tables: list[ir.Table]) -> dict[str, list[float]]:
    """Feature set → the figures of ``COLUMNS``."""
    config = parameters("base")
    split, label = SplitParameters(**config["split"]), TrainingParameters(**config["training"]).label
    everything = retail_features(*tables, naive=True).cache()
    specification = specs()
    any_spec = next(iter(specification.values()))
    _, last = date_range(everything, any_spec)
    today = last - dt.timedelta(days=JUDGED_DAYS)
    before = tables[0].filter(tables[0].date_key.cast("date") <= ibis.date(today))
    known = retail_features(before, tables[1], tables[2], naive=True).cache()
    later = everything.filter(everything.date > ibis.date(today)).execute()
    then = known_before(everything).filter(lambda t: t.date > ibis.date(today)).execute()
    guessed = then.assign(**{own: then[past] for own, past in OWN.items()})
    empty = then.assign(**dict.fromkeys(OWN, np.nan))
    figures = {}
    for name, spec in specification.items():
        bounds = window_bounds(known, spec, split, today)
        train = select_training_set(known, spec, bounds, today, label)
        test = select_test_rows(known, spec, bounds, today, train.label)
        model = fit(train, spec, split)
        judged = [
            auc(model, rows[spec.features], train.label.apply(rows[spec.target])) for rows in (later, guessed, empty)
        ]
        figures[name] = [auc(model, test.X, test.y), *judged]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="worlds of the built-in data")
    parser.add_argument("--rows", type=int, default=100_000, help="lines of sale of each")
    parser.add_argument("--lake", type=Path, help="a star schema as parquet instead")
    args = parser.parse_args()
    if args.lake:
        found = [compare(lake(args.lake))]
    else:
        found = []
        for seed in range(42, 42 + args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                found.append(compare(source(Path(folder), seed, args.rows)))
    print(f"| features | {' | '.join(COLUMNS)} |")
    print(f"| --- |{' ---: |' * len(COLUMNS)}")
    for name in found[0]:
        mean = np.mean([figures[name] for figures in found], axis=0)
        print(f"| {name} | {' | '.join(f'{value:.3f}'.lstrip('0') for value in mean)} |")


if __name__ == "__main__":
    main()
