"""All retail features of small random star schemas: what pandas says row by row, and never what comes later."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evergreen.features import CALENDAR, add_calendar
from evergreen.features.contracts import PRODUCT_ATTRIBUTES, STORE_ATTRIBUTES
from shipped_star import HISTORY_COLUMNS, KPI_COLUMNS, KPIS, retail, retail_features

START = dt.date(2024, 1, 15)
WINDOW = retail(history_days=20)
SALES = pa.schema(
    [
        ("sales_id", pa.int64()),
        ("date_key", pa.date32()),
        ("store_id", pa.string()),
        ("product_id", pa.string()),
        ("sales_amount", pa.float64()),
        ("sales_quantity", pa.int64()),
        ("retailer_id", pa.string()),
    ]
)
MONTHS = [dt.date(2023, 12, 1), dt.date(2024, 1, 1), dt.date(2024, 2, 1), dt.date(2024, 3, 1)]
FIGURES = pa.schema([("retailer_id", pa.string()), ("month", pa.date32()), *((name, pa.float64()) for name in KPIS)])
SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring"}


def star(seed: int, rows: int = 60) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Sales with returns, free lines, null keys and null quantities; one product is not in its dimension."""
    rng = np.random.default_rng(seed)
    quantity = rng.choice([-1, 0, 1, 2, 5, None], rows, p=[0.05, 0.05, 0.4, 0.3, 0.15, 0.05])
    sales = pd.DataFrame(
        {
            "sales_id": rng.permutation(rows),
            "date_key": [START + dt.timedelta(days=day) for day in rng.integers(0, 60, rows).tolist()],
            "store_id": rng.choice(["s1", "s2", None], rows, p=[0.6, 0.35, 0.05]),
            "product_id": rng.choice(["p1", "p2", "p3", None], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "sales_amount": rng.gamma(1, 40, rows).round(2) * (rng.random(rows) > 0.05),
            "sales_quantity": quantity,
            "retailer_id": rng.choice(["r1", "r2", None], rows, p=[0.5, 0.4, 0.1]),
        }
    )
    products = pd.DataFrame({"product_id": ["p1", "p2"], **{name: ["a", None] for name in PRODUCT_ATTRIBUTES}})
    stores = pd.DataFrame({"store_id": ["s1", "s2"], **{name: ["b", "c"] for name in STORE_ATTRIBUTES}})
    return sales, products, stores


def figures(seed: int) -> pd.DataFrame:
    """Most retailers and months of the business's figures, a retailer without sales, and a null here and there."""
    rng = np.random.default_rng([seed, 1])
    rows = pd.DataFrame([(r, m) for r in ("r1", "r2", "r9") for m in MONTHS], columns=["retailer_id", "month"])
    rows = rows.assign(**{name: rng.normal(0, 1, len(rows)).round(3) for name in KPIS})
    rows.loc[rng.random(len(rows)) < 0.1, "margin"] = np.nan
    return rows[rng.random(len(rows)) > 0.2]


def features(
    sales: pd.DataFrame, products: pd.DataFrame, stores: pd.DataFrame, kpis: pd.DataFrame | None = None
) -> pd.DataFrame:
    business = None if kpis is None else ibis.memtable(pa.Table.from_pandas(kpis, schema=FIGURES, preserve_index=False))
    facts = pa.Table.from_pandas(sales, schema=SALES, preserve_index=False)
    dimensions = [pa.Table.from_pandas(table, preserve_index=False) for table in (products, stores)]
    table = retail_features(*(ibis.memtable(each) for each in (facts, *dimensions)), WINDOW, business)
    return table.order_by("sales_id").to_pyarrow().to_pandas().set_index("sales_id")


def naive(sales: pd.DataFrame, products: pd.DataFrame, stores: pd.DataFrame, kpis: pd.DataFrame) -> pd.DataFrame:
    """The definition of every feature, row by row."""
    lines = sales[(pd.to_numeric(sales["sales_quantity"]) > 0) & (sales["sales_amount"] > 0)].sort_values("sales_id")
    values = lines.assign(amount=lines["sales_amount"], quantity=lines["sales_quantity"].astype(float))
    values["price"] = values["amount"] / values["quantity"]
    days = pd.to_datetime(values["date_key"])
    found = []
    for position, row in enumerate(values.itertuples()):
        day = days.iloc[position]
        age = (day - days).dt.days
        seen: dict[str, object] = {
            "year": day.year,
            "month": day.month,
            "day_of_week": day.day_of_week,
            "is_weekend": int(day.day_of_week >= 5),
            "quarter": (day.month + 2) // 3,
            "season": SEASONS.get(day.month, "summer" if day.month < 9 else "autumn"),
        }
        for prefix, history in WINDOW.histories.items():
            key = getattr(row, history.keys[0])
            past = values[(values[history.keys[0]] == key) & age.between(1, WINDOW.history_days)]
            for measure, statistics in history.measures.items():
                for name in statistics:
                    value = {"avg": past[measure].mean(), "std": past[measure].std(), "total": past[measure].sum()}[
                        name
                    ]
                    seen[f"{prefix}_{name}_{measure}"] = value if isinstance(key, str) else np.nan
            if history.frequency:
                seen[f"{prefix}_frequency"] = len(past) if isinstance(key, str) else np.nan
        for table, key_name, key in ((products, "product_id", row.product_id), (stores, "store_id", row.store_id)):
            known = table[table[key_name] == key].to_dict("records")
            seen |= {name: known[0][name] if known else None for name in table.columns if name != key_name}
        closed = (day.replace(day=1) - dt.timedelta(days=1)).replace(day=1).date()
        of_month = kpis[(kpis["retailer_id"] == row.retailer_id) & (kpis["month"] == closed)]
        seen |= {f"retailer_{name}": of_month[name].iloc[0] if len(of_month) else np.nan for name in KPIS}
        found.append(seen)
    return pd.DataFrame(found, index=values["sales_id"])


@settings(max_examples=3)
@given(st.integers(0, 2**31))
def test_every_feature_is_what_pandas_finds_row_by_row(seed: int) -> None:
    tables = (*star(seed), figures(seed))
    found, expected = features(*tables), naive(*tables)
    assert found.index.tolist() == expected.index.tolist()
    for name in [*HISTORY_COLUMNS, *KPI_COLUMNS, *(name for name in CALENDAR if name != "season")]:
        np.testing.assert_allclose(
            found[name].astype(float), expected[name].astype(float), rtol=1e-6, atol=2e-6, err_msg=name
        )
    for name in ("season", *PRODUCT_ATTRIBUTES, *STORE_ATTRIBUTES):
        assert found[name].fillna("").tolist() == expected[name].fillna("").tolist()


@settings(max_examples=3)
@given(st.integers(0, 2**31), st.integers(5, 55))
def test_no_feature_up_to_a_day_moves_when_its_rows_and_all_later_ones_do(seed: int, day: int) -> None:
    """The sales of later days, and the business's figures of every month that had not closed by that day."""
    (sales, products, stores), kpis = star(seed), figures(seed)
    border = START + dt.timedelta(days=day)
    before = features(sales, products, stores, kpis)
    other = sales.copy()
    changed = other["date_key"] >= border
    other.loc[changed, "sales_amount"] = other.loc[changed, "sales_amount"] * 1000 + 7
    later = other["date_key"] > border
    other = pd.concat([other[~later], other[later].iloc[::2].assign(store_id="s1", product_id="p1")])
    open_months = kpis["month"] >= border.replace(day=1)
    revised = kpis.assign(**{name: kpis[name].where(~open_months, kpis[name].fillna(0) * 1000 + 7) for name in KPIS})
    unborn = revised[open_months].iloc[::2].assign(retailer_id="r1", month=dt.date(2024, 6, 1)).head(1)
    after = features(other, products, stores, pd.concat([revised, unborn]))
    still = before.index[before["date"] <= border].intersection(after.index)
    compared = [name for name in before.columns if not name.startswith("sales_")]
    pd.testing.assert_frame_equal(
        before.loc[still, compared], after.loc[still, compared], check_exact=True, check_dtype=False
    )


@pytest.mark.parametrize(
    ("day", "values"),
    [
        ("2024-02-29", (2024, 2, 3, 0, 1, "winter")),
        ("2024-03-01", (2024, 3, 4, 0, 1, "spring")),
        ("2025-06-01", (2025, 6, 6, 1, 2, "summer")),
        ("2025-09-06", (2025, 9, 5, 1, 3, "autumn")),
        ("2025-12-01", (2025, 12, 0, 0, 4, "winter")),
    ],
)
def test_the_calendar_says_what_calendars_say(day: str, values: tuple[object, ...]) -> None:
    found = add_calendar(ibis.memtable({"day": [day]}), "day").select(*CALENDAR).to_pyarrow().to_pylist()
    assert tuple(found[0].values()) == values
