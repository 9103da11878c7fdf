"""A star schema that can't be what its description says is refused in a sentence, before anything is made of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.features import star_features
from evergreen.features.star_contract import check_star, require_described
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema, described_table

STAR: dict[str, Any] = {
    "facts": {"table": "orders", "key": ["order", "line"], "date": "day", "keys": ["shop"]},
    "measures": {"amount": "amount"},
    "histories": {"shop": {"keys": ["shop"], "measures": {"amount": ["avg"]}}},
    "dimensions": {
        "rates": {"table": "rates", "key": "shop", "date": "month", "period": "month", "numeric": ["rate"]},
        "shop": {"table": "shops", "key": {"shop": "id"}, "categorical": ["town"]},
    },
}
TABLE = {"entity": "order_line", "date": "day", "target": "amount", "threshold": 5.0}
ORDERS = {
    "order": ["1", "1", "2"],
    "line": [1, 2, 1],
    "day": [dt.date(2026, 2, 3)] * 3,
    "shop": ["a", "a", "b"],
    "amount": [1.0, 9.0, 3.0],
}
RATES = {"shop": ["a", "a"], "month": ["2026-01-01", "2026-02-01"], "rate": [0.1, 0.2]}
SHOPS = {"id": ["a", "b"], "town": ["x", None]}


def star(**facts: Any) -> StarSchema:
    return StarSchema.model_validate(STAR | {"facts": STAR["facts"] | facts})


def tables(**changed: dict[str, Any]) -> dict[str, ibis.Table]:
    rows = {"orders": ORDERS, "rates": RATES, "shops": SHOPS}
    return {name: ibis.memtable(pd.DataFrame(each | changed.get(name, {}))) for name, each in rows.items()}


def spec(**changed: Any) -> TableSpec:
    return TableSpec.model_validate(described_table(TABLE | changed, STAR))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"orders": {"line": [1, 1, 1]}}, "orders.order, line fails duplicate_keys: 1 of 3 rows repeat a key"),
        ({"orders": {"amount": ["1", "x", "3"]}}, "orders.amount fails unparsable_values: 1 of 3 rows"),
        ({"orders": {"day": [dt.date(2026, 2, 3), dt.date(2026, 2, 3), dt.date(2999, 1, 1)]}}, "fails future_dates"),
        ({"rates": {"month": ["2026-01-01", "2026-01-09"]}}, "1 of 2 rows repeat a key in one month"),
        ({"shops": {"id": ["a", "a"]}}, "shops.id fails duplicate_keys"),
        ({"shops": {"town": [["x"], ["y"]]}}, "shops.town fails column_type"),
    ],
)  # fmt: skip
def test_what_a_table_breaks_is_named(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        check_star(tables(**changed), star())


def test_returns_beyond_their_share_stop_the_run_and_few_leave_the_rows() -> None:
    marked = tables(orders={"status": ["ok", "ok", "void"]})
    with pytest.raises(EvergreenError, match=r"orders\.status fails returns: 1 of 3 rows have the mark of a return"):
        check_star(marked, star(returns={"marked": {"status": ["void"]}}))
    few = star(returns={"marked": {"status": ["void"]}, "max_share": 0.4})
    check_star(marked, few)
    found = star_features(marked, few, spec()).order_by("order_line").to_pandas()
    assert found["order_line"].tolist() == ["1|1", "1|2"]
    assert found["rate"].tolist() == [0.1, 0.1]
    assert found["town"].tolist() == ["x", "x"]


def test_rows_that_share_a_key_are_numbered_on_request() -> None:
    twice = tables(orders={"line": [1, 1, 1]})
    numbered = star(number_repeats=True)
    check_star(twice, numbered)
    assert sorted(star_features(twice, numbered, spec()).to_pandas()["order_line"]) == ["1|1", "1|1|2", "2|1"]


@pytest.mark.parametrize(
    ("changed", "listed", "sentence"),
    [
        ({}, ["orders", "rates"], r"write tables: \[orders, rates, shops\] there"),
        ({"numeric": ["shop_avg_amont"]}, ["orders", "rates", "shops"], "did you mean shop_avg_amount?"),
        ({"target": "profit"}, ["orders", "rates", "shops"], "table names profit among its target"),
    ],
)
def test_descriptions_that_do_not_fit_together_are_refused(
    changed: dict[str, Any], listed: list[str], sentence: str
) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        require_described(spec(**changed), star(), listed, labelled_apart=False)


def test_without_lists_every_declared_feature_is_taken_and_outcomes_are_marked() -> None:
    described = spec()
    assert described.numeric == ["shop_avg_amount", "rate"]
    assert described.categorical == ["town"]
    assert described.known_at("amount") == "outcome"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"measures": {"amount": {"column": "a", "product": ["a", "b"]}}}, "a measure is one of"),
        ({"histories": {"shop": {"keys": ["town"], "frequency": True}}}, "history shop goes by town, which facts.keys"),
        ({"histories": {"shop": {"keys": ["shop"]}}}, "a history keeps nothing"),
        ({"dimensions": {"d": {"table": "t", "key": "shop", "period": "month"}}}, "period and delay need date"),
        ({"dimensions": {"d": {"table": "t", "key": "shop", "date": "m", "period": "month", "delay": 0}}}, "1 or more"),
        ({"dimensions": {"d": {"table": "t", "key": "shop", "numeric": ["Amount"]}}}, "of the same name: amount"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        StarSchema.model_validate(STAR | changed)
