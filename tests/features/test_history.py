"""History features look strictly back, agree with a naive second implementation, and are exact."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evergreen.features import History, key_history
from evergreen.features.lookup import look_up

HISTORY = History("k", ["key"], {"x": ["avg", "std", "total"]}, frequency=True)
START = dt.date(2025, 1, 1)
DAYS = 10
SCHEMA = pa.schema([("id", pa.int64()), ("key", pa.string()), ("date", pa.date32()), ("x", pa.float64())])


def run(rows: pd.DataFrame, history: History = HISTORY) -> pd.DataFrame:
    table = ibis.memtable(pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False))
    found = look_up(table, key_history(table, history, "date", DAYS), [*history.keys, "date"])
    return found.order_by("id").to_pyarrow().to_pandas().set_index("id")


def naive(rows: pd.DataFrame) -> pd.DataFrame:
    """The definition, row by row."""
    found = []
    for row in rows.itertuples():
        age = (pd.Timestamp(row.date) - pd.to_datetime(rows["date"])).dt.days
        x = rows.loc[(rows["key"] == row.key) & age.between(1, DAYS), "x"]
        found.append((x.mean(), x.std(), x.sum(), len(x)) if isinstance(row.key, str) else (np.nan,) * 4)
    return pd.DataFrame(found, columns=HISTORY.columns, index=rows["id"]).astype(float)


def frame(lines: list[tuple[str | None, int, float]]) -> pd.DataFrame:
    keys, days, values = zip(*lines, strict=True)
    dates = [START + dt.timedelta(days=day) for day in days]
    return pd.DataFrame({"id": range(len(lines)), "key": keys, "date": dates, "x": values})


LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]), st.integers(0, 30), st.floats(0.01, 1e4).map(lambda x: round(x, 2))
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25)
@given(LINES)
def test_history_is_what_its_definition_says_row_by_row(lines: list[tuple[str | None, int, float]]) -> None:
    rows = frame(lines)
    found = run(rows)[HISTORY.columns].astype(float)
    np.testing.assert_allclose(found, naive(rows), rtol=1e-9, atol=1e-6)


@settings(max_examples=25)
@given(LINES, st.integers(0, 30), st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9)), max_size=5))
def test_features_up_to_a_date_do_not_move_when_its_rows_and_all_later_ones_do(
    lines: list[tuple[str | None, int, float]], day: int, appended: list[tuple[str, int]]
) -> None:
    earlier = [line for line in lines if line[1] < day]
    at_day = [line for line in lines if line[1] == day]
    if not earlier + at_day:
        return
    before = run(frame(earlier + at_day + [line for line in lines if line[1] > day]))
    changed = [(key, d, value * 1000 + 7) for key, d, value in at_day]
    after = run(frame(earlier + changed + [(key, day + later, 5e5) for key, later in appended]))
    rows = range(len(earlier + at_day))
    pd.testing.assert_frame_equal(
        before.loc[rows, HISTORY.columns].astype(float),
        after.loc[rows, HISTORY.columns].astype(float),
        check_exact=True,
    )


def test_neither_the_order_of_rows_nor_the_number_of_threads_changes_a_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 300_000
    rows = pd.DataFrame({"id": range(n), "key": rng.integers(5, size=n).astype(str), "x": rng.gamma(2, 30, n) / 7})
    rows["date"] = [START + dt.timedelta(days=day) for day in rng.integers(60, size=n).tolist()]
    found = []
    for seed, threads in ((1, 1), (2, 2), (3, 2)):
        path = tmp_path / f"{seed}.parquet"
        rows.sample(frac=1, random_state=seed).to_parquet(path, row_group_size=10_000)
        connection = ibis.duckdb.connect(threads=threads)
        past = key_history(connection.read_parquet(path), HISTORY, "date", DAYS)
        found.append(past.order_by(["key", "date"]).to_pyarrow())
    assert found[0].equals(found[1])
    assert found[1].equals(found[2])


@pytest.mark.parametrize("level", [1e6, 1e9, 1e11])
def test_the_standard_deviation_keeps_its_digits_at_high_levels(level: float) -> None:
    deviations = np.random.default_rng(3).normal(0, 1, 2000).round(3)
    rows = frame([("a", i % 10, level + x) for i, x in enumerate(deviations)] + [("a", 10, level)])
    assert run(rows)["k_std_x"].iloc[-1] == pytest.approx(deviations.std(ddof=1), rel=1e-4 if level > 1e9 else 1e-6)


def test_a_level_that_jumps_by_orders_of_magnitude_leaves_the_standard_deviation_exact() -> None:
    later = [("a", 20 + day, 1e9 + day % 2) for day in range(8)]
    found = run(frame([("a", day, 0.01 * day) for day in range(8)] + later))["k_std_x"]
    assert found.iloc[-1] == pytest.approx(np.std([day % 2 for day in range(7)], ddof=1), rel=1e-9)


def test_equal_values_have_a_standard_deviation_of_zero() -> None:
    found = run(frame([("a", day, 0.1) for day in range(9)]))["k_std_x"]
    assert found.iloc[2:].abs().max() < 1e-12


def test_a_single_row_a_gap_and_a_null_key_have_the_history_that_they_have() -> None:
    found = run(frame([("once", 0, 5.0), ("gap", 0, 5.0), ("gap", 11, 6.0), ("gap", 12, 7.0), (None, 3, 1.0)]))
    assert found["k_frequency"].tolist()[:4] == [0, 0, 0, 1]
    assert found["k_total_x"].tolist()[:4] == [0, 0, 0, 6]
    assert found["k_avg_x"].isna().tolist() == [True, True, True, False, True]
    assert found["k_std_x"].isna().all()
    assert found.loc[4, HISTORY.columns].isna().all()
