"""The same definition gives the same numbers on every engine: features, and a window's profile.

Tolerance: integers, dates, text and all counts of a profile are equal. Floats agree to 1e-9 of their size or, where
history is made of them, to 1e-6: DuckDB and Spark read measures to six decimals, BigQuery to nine.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evergreen.monitoring import Profile, build_profile
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn
from shipped_star import HISTORY_COLUMNS, retail, retail_features

RELATIVE, SIXTH_DECIMAL = 1e-9, 1e-6
HISTORY = set(HISTORY_COLUMNS)
SOURCES = ("fact_sales", "dim_product", "dim_store")
WINDOW_FROM = ibis.date(dt.date(2026, 2, 1))


def features_on(engine: Any, star: dict[str, pa.Table]) -> pa.Table:
    tables = engine.lay(star)
    kept = engine.keep(retail_features(*(tables[name] for name in SOURCES), retail()))
    return kept.order_by("sales_id").to_pyarrow()


@pytest.fixture(scope="module")
def expected(duckdb: Any, star: dict[str, pa.Table]) -> pa.Table:
    return features_on(duckdb, star)


def test_features_are_the_same(engine: Any, star: dict[str, pa.Table], expected: pa.Table) -> None:
    found = features_on(engine, star)
    assert found.column_names == expected.column_names
    assert len(found) == len(expected) > 1000
    for name in expected.column_names:
        ours, theirs = expected[name].to_pandas(), found[name].to_pandas()
        if pd.api.types.is_numeric_dtype(ours):
            slack = SIXTH_DECIMAL if name in HISTORY else 0.0
            np.testing.assert_allclose(floats(theirs), floats(ours), rtol=RELATIVE, atol=slack, err_msg=name)
        else:
            assert theirs.astype("str").tolist() == ours.astype("str").tolist(), name


def floats(column: pd.Series) -> np.ndarray:
    return column.to_numpy(np.float64, na_value=np.nan)


def window(features: ir.Table) -> ir.Table:
    return features.filter(features.date >= WINDOW_FROM).drop("sales_id")


def assert_same_profile(found: Profile, expected: Profile) -> None:
    assert found.model_dump(exclude={"columns"}) == expected.model_dump(exclude={"columns"})
    for name, column in expected.columns.items():
        other = found.columns[name]
        if isinstance(column, NumericColumn):
            assert isinstance(other, NumericColumn)
            assert (other.nulls, other.infinities, other.edges) == (column.nulls, column.infinities, column.edges)
            assert (other.minimum, other.maximum) == (column.minimum, column.maximum), name
            for ours, theirs in ((column.mean, other.mean), (column.std, other.std)):
                assert theirs == (None if ours is None else pytest.approx(ours, rel=RELATIVE)), name
            assert other.counts == column.counts, name
        elif isinstance(column, CategoricalColumn):
            assert other.model_dump(exclude={"design"}) == column.model_dump(exclude={"design"})
        else:
            assert other == column


def test_the_profile_of_a_window_is_the_same(engine: Any, duckdb: Any, expected: pa.Table) -> None:
    here = duckdb.lay({"features": expected})["features"]
    there = engine.lay({"features": expected})["features"]
    reference = build_profile(here.drop("sales_id"), date="date")
    ours = build_profile(window(here), reference=reference, date="date")
    assert ours.rows > 100
    assert_same_profile(build_profile(window(there), reference=reference, date="date"), ours)
