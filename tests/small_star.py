"""Small star schemas with gaps, and the declarations that can be made of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema

START, DAYS = dt.date(2024, 1, 15), 40
SPEC = TableSpec(entity="id", date="date", target="x", numeric=["x_of_nothing"])
MEASURES = {
    "x": "x",
    "y": "y",
    "share": {"ratio": {"over": "x", "under": "y"}},
    "area": {"product": ["x", "y"]},
    "big": {"when": {"column": "x", "above": 2}},
    "red": {"when": {"column": "colour", "equals": ["red"]}},
}
STATISTICS = ["avg", "std", "total", "min", "max"]
KEYS = [["a"], ["b"], ["a", "b"]]
FACTS = pa.schema(
    [
        ("id", pa.int64()),
        ("day", pa.date32()),
        ("a", pa.string()),
        ("b", pa.int64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("colour", pa.string()),
        ("own", pa.float64()),
    ]
)
KNOWN = pa.schema([("b", pa.int64()), ("size", pa.float64()), ("kind", pa.string())])
FIGURES = pa.schema([("a", pa.string()), ("from", pa.date32()), ("price", pa.float64()), ("mood", pa.string())])


def facts(seed: int, rows: int = 40) -> pd.DataFrame:
    """Rows with null keys, null and zero measures."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": rng.permutation(rows),
            "day": [START + dt.timedelta(days=day) for day in rng.integers(0, DAYS, rows).tolist()],
            "a": rng.choice(["p", "q", None], rows, p=[0.6, 0.3, 0.1]),
            "b": rng.choice([1, 2, None], rows, p=[0.5, 0.4, 0.1]),
            "x": np.where(rng.random(rows) < 0.15, np.nan, rng.integers(-2, 9, rows) / 2),
            "y": np.where(rng.random(rows) < 0.15, np.nan, rng.integers(0, 5, rows)),
            "colour": rng.choice(["red", "blue", None], rows),
            "own": rng.random(rows).round(3),
        }
    )


def known() -> pd.DataFrame:
    """A dimension that lacks one of the keys."""
    return pd.DataFrame({"b": [1, 3], "size": [1.5, 2.5], "kind": ["k", None]})


def figures(seed: int) -> pd.DataFrame:
    """A dimension with dates: at most one row a key and year, so that any period is unique."""
    rng = np.random.default_rng([seed, 1])
    days = [dt.date(2022, 8, 1), dt.date(2023, 11, 20), dt.date(2024, 1, 20), dt.date(2025, 4, 2)]
    rows = [(a, day) for a in ("p", "q", "z") for day in days if rng.random() < 0.8]
    table = pd.DataFrame(rows, columns=["a", "from"])
    return table.assign(price=rng.random(len(table)).round(3), mood=rng.choice(["up", "down", None], len(table)))


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """One history of any keys, measures, statistics, windows and delay."""
    chosen = draw(st.lists(st.sampled_from(list(MEASURES)), max_size=3, unique=True))
    delay = draw(st.integers(1, 4))
    return {
        "keys": draw(st.sampled_from(KEYS)),
        "measures": {
            name: draw(st.lists(st.sampled_from(STATISTICS), min_size=1, max_size=3, unique=True)) for name in chosen
        },
        "frequency": not chosen or draw(st.booleans()),
        "windows": draw(st.lists(st.integers(4, 30), max_size=2, unique=True)),
        "delay_days": delay,
    }


DATED = st.one_of(
    st.fixed_dictionaries({"period": st.sampled_from(["quarter", "year"]), "delay": st.integers(1, 2)}),
    st.fixed_dictionaries({"delay": st.integers(0, 9)}),
)
RETURNS = st.sampled_from([{}, {"positive": ["x"]}, {"marked": {"colour": ["blue"]}}])


@st.composite
def declarations(draw: st.DrawFn) -> StarSchema:
    """Any star schema of these three tables."""
    dimensions: dict[str, Any] = {}
    if draw(st.booleans()):
        dimensions["known"] = {"table": "known", "key": "b", "numeric": ["size"], "categorical": ["kind"]}
    if draw(st.booleans()):
        dated = draw(DATED)
        dimensions["figures"] = {"table": "figures", "key": "a", "date": "from", "numeric": ["price"], **dated}
        dimensions["figures"]["categorical"] = ["mood"]
    return StarSchema.model_validate(
        {
            "history_days": draw(st.integers(4, 30)),
            "facts": {
                "table": "facts",
                "key": "id",
                "date": "day",
                "keys": ["a", "b"],
                "numeric": ["own"],
                "returns": draw(RETURNS),
            },
            "measures": MEASURES,
            "histories": {f"h{i}": draw(histories()) for i in range(draw(st.integers(1, 3)))},
            "dimensions": dimensions,
            "calendar": draw(st.lists(st.sampled_from(["month", "season", "is_weekend"]), unique=True)),
        }
    )
