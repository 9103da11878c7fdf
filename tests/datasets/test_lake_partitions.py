"""Claims about a lake with a folder per day: a window reads its own days and their history, no other file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import fsspec
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from evergreen.datasets import LakeDataset
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.errors import EvergreenError
from evergreen.features.contracts import FactSales
from shipped_star import retail, retail_features

HISTORY, WINDOW = 14, 7
NEWEST = dt.date(2026, 2, 28)
SINCE = NEWEST - dt.timedelta(days=WINDOW + HISTORY - 1)
TABLES = ("fact_sales", "dim_product", "dim_store")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest 60 days of the retail world, a folder each."""
    folder = tmp_path_factory.mktemp("lake")
    for name in TABLES:
        recipe = RetailRecipe(table=name, size=20_000, stores=5, products=30)  # type: ignore[arg-type]
        table = pa.concat_tables(recipe.chunks()).to_pandas()
        if name == "fact_sales":
            days = pd.to_datetime(table["date_key"])
            table = table[days > pd.Timestamp(NEWEST) - pd.Timedelta(days=60)]
            table.assign(date_key=days.dt.strftime("%Y-%m-%d")).to_parquet(folder / name, partition_cols=["date_key"])
        else:
            table.to_parquet(folder / f"{name}.parquet")
    return folder


def sales(lake: Path | str, since: dt.date | None) -> ir.Table:
    return LakeDataset(lake=str(lake), table="fact_sales", since=since).load()


def window(lake: Path, since: dt.date | None) -> ir.Table:
    dimensions = [LakeDataset(lake=str(lake), table=name).load() for name in TABLES[1:]]
    features = retail_features(sales(lake, since), *dimensions, retail(history_days=HISTORY))
    return features.filter(features.date > ibis.date(NEWEST - dt.timedelta(days=WINDOW))).order_by("sales_id")


def files_read(expression: ir.Table) -> set[str]:
    plan = expression.get_backend().raw_sql(f"explain analyze {ibis.to_sql(expression)}").fetchall()[0][1]
    return set(re.findall(r"Scanning Files: (\d+/\d+)", plan))


def test_a_window_opens_its_own_days_and_their_history_alone(lake: Path) -> None:
    assert files_read(sales(lake, SINCE).aggregate(total=ibis._.sales_amount.sum())) == {f"{HISTORY + WINDOW}/60"}
    assert f"{HISTORY + WINDOW}/60" in files_read(window(lake, SINCE))
    assert f"{HISTORY + WINDOW}/60" not in files_read(window(lake, None))


def test_the_features_of_the_window_are_those_of_the_whole_lake(lake: Path) -> None:
    of_few, of_all = window(lake, SINCE).execute(), window(lake, None).execute()
    assert len(of_few) > 50
    assert_frame_equal(of_few, of_all, check_exact=True)


def test_a_day_less_of_history_would_change_them(lake: Path) -> None:
    of_few, of_all = window(lake, SINCE + dt.timedelta(days=3)).execute(), window(lake, None).execute()
    assert not of_few["store_total_amount"].equals(of_all["store_total_amount"])


def test_a_remote_lake_hands_out_these_files_and_one_for_columns(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(lake / "fact_sales"), "/bucket/fact_sales", recursive=True)
    opened: set[str] = set()
    original = type(memory)._open

    def counted(self: object, path: str, *args: object, **kwargs: object) -> object:
        opened.add(path)
        return original(self, path, *args, **kwargs)

    table = sales("memory://bucket", SINCE)
    monkeypatch.setattr(type(memory), "_open", counted)
    FactSales().validate(table)
    days = {re.search(r"date_key=([\d-]+)", path).group(1) for path in opened}  # type: ignore[union-attr]
    oldest = str(NEWEST - dt.timedelta(days=59))  # opened for its columns
    assert sorted(days - {oldest}) == [str(SINCE + dt.timedelta(days=day)) for day in range(HISTORY + WINDOW)]


def test_a_window_without_a_day_in_the_lake_is_told(lake: Path) -> None:
    with pytest.raises(EvergreenError, match="0 rows"):
        FactSales().validate(sales(lake, NEWEST + dt.timedelta(days=1)))


def test_a_day_that_is_none_is_told(lake: Path) -> None:
    with pytest.raises((EvergreenError, DatasetError), match="'yesterday', which is not a date"):
        LakeDataset(lake=str(lake), table="fact_sales", since="yesterday")
