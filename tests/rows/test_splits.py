from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.rows import splits
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds, block_share, fold_indices, timeline, undated

FIRST = dt.date(2024, 1, 1)
SHARES_OF_THE_FIRST_RELEASE = [0.06856581540614759, 0.19803634251715574]
POLICY = SplitParameters(history_days=10, test_days=20, label_delay_days=5)
SALES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 4), st.integers(0, 1)), min_size=60, max_size=200).map(
    lambda rows: pd.DataFrame(rows, columns=["day", "store", "y"])
)


def laid_out(sales: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    dates = pd.Series(pd.Timestamp(FIRST) + pd.to_timedelta(sales["day"], unit="D"))
    return dates, block_share(pd.DataFrame({"store": sales["store"], "date": dates}))


def test_the_timeline_is_burn_in_then_training_then_test_then_label_delay():
    bounds = timeline(FIRST, dt.date(2024, 4, 9), POLICY)
    assert bounds == Bounds(
        dated=True,
        train_start=dt.date(2024, 1, 11),
        train_end=dt.date(2024, 3, 15),
        test_end=dt.date(2024, 4, 4),
        judging_share=0.3,
    )
    assert Bounds.model_validate_json(bounds.model_dump_json()) == bounds


def test_too_few_days_are_refused_with_days_found_and_needed():
    with pytest.raises(EvergreenError, match=r"has 40 days .* needs 41:"):
        timeline(FIRST, FIRST + dt.timedelta(days=39), POLICY)
    assert timeline(FIRST, FIRST + dt.timedelta(days=40), POLICY).train_start == dt.date(2024, 1, 11)


def test_a_day_before_the_table_is_refused_with_both_days():
    with pytest.raises(EvergreenError, match=f"as_of is 2020-01-01, but the table begins on {FIRST}"):
        timeline(FIRST, dt.date(2020, 1, 1), POLICY)


@settings(max_examples=25)
@given(sales=SALES, champion_day=st.integers(20, 90))
def test_a_block_stands_in_training_or_among_the_unseen_and_never_in_both(sales, champion_day):
    dates, share = laid_out(sales)
    as_of = FIRST + dt.timedelta(days=99)
    former = {"judging_from": FIRST + dt.timedelta(days=champion_day)}
    for bounds, days in [
        (timeline(FIRST, as_of, POLICY).model_copy(update=former), dates),
        (timeline(FIRST, as_of, POLICY), dates),
        (undated(POLICY), None),
    ]:
        train = splits.training_mask(days, share, bounds)
        for other in (splits.test_mask(days, share, bounds), splits.unseen_mask(days, share, bounds)):
            assert not np.isin(share[train], share[other]).any()


def test_versions_of_former_releases_have_not_seen_the_blocks_that_were_kept_from_them():
    days = np.repeat(np.arange(100), 50)
    dates = pd.Timestamp(FIRST) + pd.to_timedelta(days, unit="D")
    share = np.random.default_rng(0).random(len(days))
    bounds = timeline(FIRST, FIRST + dt.timedelta(days=99), POLICY)
    bounds = bounds.model_copy(update={"judging_from": FIRST + dt.timedelta(days=40)})
    train = splits.training_mask(dates, share, bounds)
    unseen = splits.unseen_mask(dates, share, bounds)
    late = (days > 40) & (days <= 74)
    assert train[(days >= 10) & (days <= 40)].all()
    np.testing.assert_array_equal(train[late], share[late] >= 0.3)
    np.testing.assert_array_equal(unseen[late], share[late] < 0.3)
    assert unseen[days > 74].all()
    assert not train[days > 74].any()


def test_test_rows_end_with_the_test_window_whatever_the_hour():
    bounds = timeline(FIRST, dt.date(2024, 4, 9), POLICY)
    dates = pd.Series(pd.to_datetime(["2024-03-15 23:59", "2024-03-16 00:01", "2024-04-04 23:59", "2024-04-05 00:00"]))
    share = np.full(4, 0.9)
    assert splits.test_mask(dates, share, bounds).tolist() == [False, True, True, False]
    assert splits.training_mask(dates, share, bounds).tolist() == [True, False, False, False]


@pytest.mark.parametrize("dtype", ["int32", "float64", "str", "Int64", "category", "object"])
def test_a_key_has_the_same_share_in_every_dtype(dtype):
    keys = pd.Series([3, 1, 2, 3])
    expected = block_share(pd.DataFrame({"id": keys}))
    np.testing.assert_array_equal(block_share(pd.DataFrame({"id": keys.astype(dtype)})), expected)


@pytest.mark.parametrize("as_dtype", [str, "datetime64[us]", lambda day: day.dt.date])
def test_a_store_day_has_the_same_share_from_every_source(as_dtype):
    day = pd.Series(pd.to_datetime(["2026-03-01", "2026-03-02"]))
    expected = block_share(pd.DataFrame({"store": [1, 1], "date": day}))
    other = as_dtype(day) if callable(as_dtype) and as_dtype is not str else day.astype(as_dtype)
    np.testing.assert_array_equal(block_share(pd.DataFrame({"store": ["1", "1"], "date": other})), expected)


def test_shares_never_change_between_releases():
    share = block_share(pd.DataFrame({"store": [1, 2], "date": ["2026-03-01", "2026-03-01"]}))
    np.testing.assert_allclose(share, SHARES_OF_THE_FIRST_RELEASE, rtol=0, atol=1e-15)


def test_columns_of_a_key_do_not_run_into_each_other():
    share = block_share(pd.DataFrame({"a": ["1", "12"], "b": ["23", "3"]}))
    assert share[0] != share[1]


def test_shares_are_uniform():
    share = block_share(pd.DataFrame({"id": np.arange(20_000)}))
    assert stats.kstest(share, "uniform").pvalue > 1e-3


@settings(max_examples=25)
@given(sales=SALES, order=st.sampled_from(["stratified", "timeline"]), seed=st.integers(0, 9))
def test_a_fold_never_tears_a_block_apart(sales, order, seed):
    dates, share = laid_out(sales)
    policy = SplitParameters(folds=3, fold_order=order)
    try:
        folds = fold_indices(share, sales["y"].to_numpy(), dates, policy, seed)
    except EvergreenError:
        return
    for train, valid in folds:
        assert not np.isin(share[train], share[valid]).any()
        if order == "timeline":
            assert dates.iloc[train].max() < dates.iloc[valid].min()


def test_stratified_folds_cover_every_row_once_with_about_the_same_share_of_positives():
    rng = np.random.default_rng(1)
    share = block_share(pd.DataFrame({"block": rng.integers(0, 400, 4000)}))
    y = (rng.random(4000) < 0.1).astype(int)
    folds = fold_indices(share, y, None, SplitParameters(), 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([valid for _, valid in folds])), np.arange(4000))
    assert max(abs(y[valid].mean() - y.mean()) for _, valid in folds) < 0.01


def test_folds_follow_rows_wherever_they_stand():
    rng = np.random.default_rng(2)
    share = rng.random(300)
    y = (rng.random(300) < 0.3).astype(int)
    order = rng.permutation(300)
    straight = fold_indices(share, y, None, SplitParameters(), 3)
    shuffled = fold_indices(share[order], y[order], None, SplitParameters(), 3)
    for (_, valid), (_, moved) in zip(straight, shuffled, strict=True):
        assert set(valid) == set(order[moved])


def test_folds_are_independent_of_the_judging_share():
    share = np.random.default_rng(3).random(5000)
    folds = fold_indices(share, (np.arange(5000) % 2), None, SplitParameters(), 0)
    assert max(abs((share[valid] < 0.3).mean() - 0.3) for _, valid in folds) < 0.06


def test_a_block_that_lasts_for_days_leaves_training_before_its_validation():
    days = np.tile(np.arange(60), 10)
    dates = pd.Series(pd.Timestamp(FIRST) + pd.to_timedelta(days, unit="D"))
    owner = np.where(days < 30, np.arange(600) % 40, 100 + np.arange(600) % 40)
    owner[::50] = 7
    share = block_share(pd.DataFrame({"owner": owner}))
    folds = fold_indices(share, np.arange(600) % 2, dates, SplitParameters(folds=2, fold_order="timeline"), 0)
    assert not np.isin(share[folds[1][0]], share[folds[1][1]]).any()


def test_folds_of_one_class_are_refused():
    y = np.zeros(50, dtype=int)
    y[0] = 1
    with pytest.raises(EvergreenError, match="one class only"):
        fold_indices(np.random.default_rng(0).random(50), y, None, SplitParameters(), 0)


def test_dated_bounds_need_dates():
    bounds = timeline(FIRST, dt.date(2024, 4, 9), POLICY)
    with pytest.raises(EvergreenError, match="name the date column"):
        splits.training_mask(None, np.array([0.5]), bounds)
