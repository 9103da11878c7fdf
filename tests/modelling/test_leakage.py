from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.modelling.leakage import check_leakage
from evergreen.modelling.parameters import LeakagePolicy
from evergreen.schema import ColumnRule, TableSpec

ROWS = 6000


def sales(*features: str, **rules: ColumnRule) -> tuple[pd.DataFrame, np.ndarray, TableSpec]:
    """Lines whose amount is price × quantity, among honest and noisy columns."""
    rng = np.random.default_rng(0)
    level = rng.normal(size=ROWS)
    price = np.exp(level + rng.normal(0, 0.4, ROWS))
    quantity = rng.poisson(3, ROWS) + 1
    frame = pd.DataFrame(
        {
            "unit_price": price,
            "sales_quantity": quantity,
            "average_price": np.exp(level),
            "amount_in_cents": price * quantity * 100,
            "receipt": np.where(price * quantity > 9, "long", "short"),
            "city": rng.choice(["A", "B", "C"], ROWS),
        }
        | {f"noise_{i}": rng.normal(size=ROWS) for i in range(12)}
    )
    amount = price * quantity
    y = (amount > np.quantile(amount, 0.8)).astype(np.int8)
    noise = [f"noise_{i}" for i in range(12)]
    numeric = [name for name in features if name not in ("receipt", "city")] + noise
    spec = TableSpec(
        entity="id",
        target="amount",
        numeric=numeric,
        categorical=[name for name in features if name in ("receipt", "city")],
        columns=rules,
    )
    return frame, y, spec


def test_a_declared_outcome_column_is_stopped_by_name():
    X, y, spec = sales("average_price", "sales_quantity", sales_quantity=ColumnRule(known_at="outcome"))
    with pytest.raises(EvergreenError, match=r"'sales_quantity' \(declared as known only with the outcome\)"):
        check_leakage(X, y, spec, LeakagePolicy())


def test_an_undeclared_product_of_two_columns_is_stopped_by_both_names():
    X, y, spec = sales("average_price", "unit_price", "sales_quantity", "city")
    with pytest.raises(EvergreenError, match=r"'unit_price' with 'sales_quantity' \(tells the outcome at ROC AUC"):
        check_leakage(X, y, spec, LeakagePolicy())


@pytest.mark.parametrize(
    ("leak", "bend"),
    [("amount_in_cents", lambda amount: amount), ("amount_in_cents", lambda amount: np.abs(np.log(amount) - 9))],
)
def test_an_undeclared_single_column_is_stopped_whatever_its_shape(leak, bend):
    X, y, spec = sales("average_price", leak)
    X[leak] = bend(X[leak])
    if X[leak].min() >= 0 and X[leak].max() < 20:
        y = (X[leak] < 0.5).to_numpy().astype(np.int8)
    with pytest.raises(EvergreenError, match=f"'{leak}' "):
        check_leakage(X, y, spec, LeakagePolicy())


def test_an_undeclared_category_is_stopped():
    X, y, spec = sales("average_price", "receipt")
    X["receipt"] = np.where(y == 1, "long", "short")
    with pytest.raises(EvergreenError, match="'receipt'"):
        check_leakage(X, y, spec, LeakagePolicy())


def test_strong_honest_features_pass_in_silence(caplog):
    X, y, spec = sales("average_price", "city")
    assert check_leakage(X, y, spec, LeakagePolicy()) == []
    assert not caplog.records


def test_a_pair_just_below_the_limit_passes():
    X, y, spec = sales("average_price", "sales_quantity", "city")
    assert check_leakage(X, y, spec, LeakagePolicy()) == []


def test_allowed_columns_pass_with_a_warning(caplog):
    outcome = ColumnRule(known_at="outcome")
    X, y, spec = sales("unit_price", "sales_quantity", unit_price=outcome)
    with caplog.at_level(logging.WARNING):
        found = check_leakage(X, y, spec, LeakagePolicy(allow=["unit_price", "sales_quantity"]))
    assert [finding.columns for finding in found] == [("unit_price",)]
    assert "unit_price, sales_quantity" in caplog.text


def test_missing_values_do_not_hide_a_leak():
    X, y, spec = sales("average_price", "amount_in_cents")
    X.loc[::10, "amount_in_cents"] = np.nan
    with pytest.raises(EvergreenError, match="'amount_in_cents'"):
        check_leakage(X, y, spec, LeakagePolicy(max_auc=0.95))
