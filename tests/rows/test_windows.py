"""Claims about which rows a run looks at."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evergreen.errors import EvergreenError
from evergreen.rows.labelled import (
    select_later_rows,
    select_test_rows,
    select_training_set,
    window_bounds,
    without_empty_features,
)
from evergreen.rows.parameters import LabelPolicy, SplitParameters
from evergreen.rows.splits import undated
from evergreen.rows.windows import fetch_rows, parse_date, resolve_as_of, window_rows
from evergreen.schema import TableSpec

SPEC = TableSpec(
    entity="id", date="day", block=["store", "day"], target="amount", numeric=["a"], categorical=["colour"]
)
PLAIN = TableSpec(entity="id", target="gone", positive=1, numeric=["a"], snapshot_date="seen")
FIRST = dt.date(2025, 1, 1)
SPLIT = SplitParameters(history_days=10, test_days=20, judging_share=0.3)
TODAY = dt.date(2026, 2, 28)


def sales(days: int = 120, stores: int = 5, per_block: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    day, store, _ = np.meshgrid(np.arange(days), np.arange(stores), np.arange(per_block), indexing="ij")
    size = day.size
    return pd.DataFrame(
        {
            "id": np.arange(size),
            "day": [FIRST + dt.timedelta(days=int(d)) for d in day.ravel()],
            "store": store.ravel(),
            "amount": rng.lognormal(size=size),
            "a": rng.normal(size=size),
            "colour": rng.choice(["red", "blue"], size),
            "unused": 1,
        }
    )


def table(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def test_only_keys_outcome_and_features_reach_memory_in_the_order_of_the_keys() -> None:
    frame = sales()
    shuffled = fetch_rows(table(frame.sample(frac=1, random_state=1)), SPEC)
    assert list(shuffled.columns) == ["id", "day", "store", "amount", "a", "colour"]
    pd.testing.assert_frame_equal(shuffled, fetch_rows(table(frame), SPEC))


def test_a_sample_keeps_whole_blocks_and_the_same_ones_every_time() -> None:
    rows = table(sales())
    sample = fetch_rows(rows, SPEC, max_rows=800)
    assert 500 < len(sample) < 1100
    assert (sample.groupby(["store", "day"]).size() == 4).all()
    pd.testing.assert_frame_equal(sample, fetch_rows(rows, SPEC, max_rows=800))


def test_as_of_is_the_newest_date_unless_told() -> None:
    rows = table(sales(days=30))
    assert resolve_as_of(rows, SPEC, None, TODAY) == FIRST + dt.timedelta(days=29)
    assert resolve_as_of(rows, SPEC, "2025-01-05", TODAY) == dt.date(2025, 1, 5)
    snapshot = pd.DataFrame({"id": [1], "gone": [0], "a": [0.0], "seen": [dt.date(2025, 6, 1)]})
    assert resolve_as_of(table(snapshot), PLAIN, None, TODAY) == dt.date(2025, 6, 1)
    assert resolve_as_of(table(snapshot.drop(columns="seen")), PLAIN, None, TODAY) == TODAY


def test_a_snapshot_of_the_future_is_told(caplog: pytest.LogCaptureFixture) -> None:
    rows = table(pd.DataFrame({"id": [1], "gone": [0], "a": [0.0], "seen": [dt.date(2025, 6, 1)]}))
    assert resolve_as_of(rows, PLAIN, "2025-06-01", TODAY) == dt.date(2025, 6, 1)
    assert not caplog.records
    assert resolve_as_of(rows, PLAIN, "2025-05-31", TODAY) == dt.date(2025, 5, 31)
    assert "as_of is 2025-05-31, but the rows are a snapshot of 2025-06-01" in caplog.text


def test_a_date_that_is_none_is_told_in_a_sentence() -> None:
    with pytest.raises(EvergreenError, match="as_of is 'soon', which is not a date: write it as yyyy-mm-dd"):
        parse_date("soon")


def test_an_empty_window_is_told_in_a_sentence() -> None:
    with pytest.raises(EvergreenError, match="window 2027-01-25 to 2027-01-31 holds no row"):
        window_rows(table(sales()), SPEC, dt.date(2027, 1, 31), 7)


def test_an_empty_feature_table_is_told_in_a_sentence() -> None:
    with pytest.raises(EvergreenError, match="the feature table has no row with a day"):
        resolve_as_of(table(sales()).filter(ibis._.id < 0), SPEC, None, TODAY)


def test_training_and_test_windows_share_no_day_and_no_block() -> None:
    rows = table(sales())
    as_of = FIRST + dt.timedelta(days=119)
    bounds = window_bounds(rows, SPEC, SPLIT, as_of)
    train = select_training_set(rows, SPEC, bounds, as_of, LabelPolicy())
    test = select_test_rows(rows, SPEC, bounds, as_of, train.label)
    assert train.dates is not None
    assert test.dates is not None
    assert train.dates.min().date() == FIRST + dt.timedelta(days=10)
    assert train.dates.max() < test.dates.min()
    assert test.dates.max().date() == as_of
    assert not set(train.share) & set(test.share)
    assert train.y.mean() == pytest.approx(0.2, abs=0.005)


def test_the_label_is_fitted_on_training_rows_alone() -> None:
    frame = sales()
    as_of = FIRST + dt.timedelta(days=119)
    bounds = window_bounds(table(frame), SPEC, SPLIT, as_of)
    before = select_training_set(table(frame), SPEC, bounds, as_of, LabelPolicy()).label
    late = pd.to_datetime(frame["day"]).dt.date > bounds.train_end
    frame.loc[late, "amount"] *= 1000
    assert select_training_set(table(frame), SPEC, bounds, as_of, LabelPolicy()).label == before


def test_a_feature_without_a_value_in_the_training_rows_is_left_out_with_a_sentence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="evergreen")
    wide = SPEC.model_copy(update={"numeric": ["a", "late"], "categorical": ["colour", "never"]})
    frame = sales().assign(late=np.nan, never=None)
    as_of = FIRST + dt.timedelta(days=119)
    frame.loc[frame["day"] == as_of, "late"] = 1.0  # too late to be learnt from
    rows = table(frame.astype({"never": "string"}))
    train = select_training_set(rows, wide, window_bounds(rows, wide, SPLIT, as_of), as_of, LabelPolicy())
    kept = without_empty_features(train, "sales")
    assert kept.spec.features == list(kept.X.columns) == ["a", "colour"]
    assert kept.spec.keys == wide.keys
    assert [record.getMessage() for record in caplog.records] == [
        "sales: late, never hold no value in the training rows and are left out."
    ]
    assert without_empty_features(kept, "sales") is kept
    with pytest.raises(EvergreenError, match="sales: none of 1 features holds a value"):
        without_empty_features(replace(train, spec=wide.without(["a", "colour", "never"])), "sales")


def test_judging_rows_are_unseen_by_both_versions() -> None:
    rows = table(sales())
    old = window_bounds(rows, SPEC, SPLIT, FIRST + dt.timedelta(days=79))
    as_of = FIRST + dt.timedelta(days=119)
    new = window_bounds(rows, SPEC, SPLIT, as_of)
    train = select_training_set(rows, SPEC, new, as_of, LabelPolicy())
    judging = select_later_rows(rows, SPEC, train.label, as_of, [old, new], new.test_end)
    assert len(judging.y)
    assert not set(train.rows["id"]) & set(judging.rows["id"])
    assert judging.dates is not None
    assert judging.dates.min().date() == new.train_end + dt.timedelta(days=1)
    inside = judging.dates.dt.date <= new.train_end
    assert (judging.share[inside] < SPLIT.judging_share).all()


def test_an_entity_stands_on_the_same_side_in_every_snapshot() -> None:
    rng = np.random.default_rng(1)
    bounds = undated(SPLIT)
    sides = []
    for _ in range(2):
        snapshot = pd.DataFrame({"id": np.arange(500), "gone": rng.integers(0, 2, 500), "a": rng.normal(size=500)})
        train = select_training_set(table(snapshot), PLAIN, bounds, TODAY, LabelPolicy())
        sides.append(set(train.rows["id"]))
    assert sides[0] == sides[1]
    assert 300 < len(sides[0]) < 400
