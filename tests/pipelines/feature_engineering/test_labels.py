"""A use case whose outcomes arrive apart learns from those that are known; everyone is there to be scored."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from evergreen.errors import EvergreenError
from evergreen.histories import Past
from evergreen.pipeline_registry import lifecycle
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from evergreen.use_cases import UseCase
from tiny_use_case import Kept, TinyUseCase, people

KNOWN, LATER = 600, 200


def apart(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows without their outcome, and the outcomes: most before the run's day, some after it, some never."""
    labels = rows[["customer", "left"]].head(KNOWN + LATER)
    days = ["2026-02-20"] * KNOWN + ["2026-03-05"] * LATER
    return rows.drop(columns="left"), labels.assign(observed_at=days)


@pytest.fixture
def tiny(mlflow_store: object) -> TinyUseCase:
    customers, labels = apart(people(900, 1, "2026-01-31"))
    return TinyUseCase(customers, people(900, 2, "2026-02-28").drop(columns="left"), labels=labels)


def test_only_outcomes_of_the_day_are_learnt_from_and_everyone_is_there(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering", "training")
    features = tiny["features"].to_pandas()
    assert features["left"].notna().sum() == KNOWN
    assert len(features) == 900
    assert 0.6 * KNOWN < tiny["training"].n_train < 0.8 * KNOWN  # the others are kept aside
    assert len(tiny["current_features"].to_pandas()) == 900


def test_without_any_outcome_yet_nothing_is_learnt_and_a_sentence_says_so(mlflow_store: object) -> None:
    customers, labels = apart(people(900, 1, "2026-01-31"))
    early = TinyUseCase(customers, people(50, 2, "2026-02-28"), labels=labels.tail(LATER))
    early.run("feature_engineering")
    with pytest.raises(EvergreenError, match="holds no row"):
        early.run("training")


def made(use_case: UseCase, inputs: dict[str, Any]) -> pd.DataFrame:
    """The features that the pipeline of a use case called shop makes."""
    catalog = {f"shop.{name}": MemoryDataset(each, copy_mode="assign") for name, each in inputs.items()}
    catalog = {name.replace("shop.params:", "params:shop."): each for name, each in catalog.items()}
    catalog |= {"shop.features": Kept(), "params:as_of": MemoryDataset("2026-03-31")}
    SequentialRunner().run(lifecycle({"shop": use_case})["feature_engineering"], DataCatalog(catalog))
    return catalog["shop.features"].load().to_pandas().set_index("id").sort_index()


ORDERS = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "day": pd.to_datetime(["2026-02-01", "2026-02-05", "2026-02-09"]),
        "shop": ["a", "a", "b"],
        "amount": [10.0, 20.0, 30.0],
    }
)
RETURNED = pd.DataFrame({"id": [1, 2], "back": ["yes", "no"], "observed_at": ["2026-03-01", "2026-04-01"]})
MEASURES = {
    "measures": {"amount": "amount"},
    "histories": {"shop": {"keys": ["shop"], "measures": {"amount": ["avg"]}}},
}
TABLE = {"entity": "id", "date": "day", "target": "back", "positive": "yes", "numeric": ["shop_avg_amount"]}


@pytest.mark.parametrize("source", ["star_schema", "dated_table"])
def test_rows_with_dates_get_their_histories_and_the_outcomes_of_the_day(source: Any) -> None:
    facts = {"table": "orders", "key": "id", "date": "day", "keys": ["shop"]}
    inputs: dict[str, Any] = {
        "orders" if source == "star_schema" else "rows": ibis.memtable(ORDERS),
        "labels": ibis.memtable(RETURNED),
        "incumbent": None,
        "params:split": SplitParameters(),
        "params:table": TableSpec.model_validate(TABLE),
        "params:features": Past.model_validate(MEASURES),
    }
    if source == "star_schema":
        inputs["params:features"] = StarSchema.model_validate(MEASURES | {"facts": facts})
    tables = ("orders",) if source == "star_schema" else ()
    rows = made(UseCase(source=source, tables=tables, labels=True), inputs)
    assert rows["back"].fillna("").tolist() == ["yes", "", ""]
    assert rows["shop_avg_amount"].fillna(0).tolist() == [0.0, 10.0, 0.0]
