"""Claims about what past windows say of dependence over time and of seasons."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from evergreen.monitoring.drift.compare import compare_profiles
from evergreen.monitoring.parameters import SeasonPolicy
from evergreen.monitoring.past.counts import (
    cells,
    past_columns,
    training_counts,
    window_counts,
)
from evergreen.monitoring.past.replay import (
    for_pooled,
    lag_correlation,
    pooled_inflation,
    replayed_design,
    with_replayed_designs,
)
from evergreen.monitoring.past.seasons import alternatives
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile

FIRST = pd.Timestamp("2023-01-02")
WEEK = dt.timedelta(weeks=1)


def weeks(number: int, means: np.ndarray | float = 0.0, seed: int = 0, rows: int = 700) -> pd.DataFrame:
    """Rows of so many weeks: a number whose weekly mean is given, and a level whose share follows it."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(7 * number), rows // 7)
    mean = np.broadcast_to(means, number)[day // 7]
    return pd.DataFrame(
        {
            "date": FIRST + pd.to_timedelta(day, unit="D"),
            "x": rng.normal(size=len(day)) + mean,
            "c": np.where(rng.random(len(day)) < 0.5 + mean / 4, "a", "b"),
        }
    )


def of_week(rows: pd.DataFrame, week: int) -> pd.DataFrame:
    return rows[((rows["date"] - FIRST).dt.days // 7) == week]


def profiled(rows: pd.DataFrame) -> Profile:
    return build_profile(rows, numeric=["x"], categorical=["c"], date="date")


def test_counts_of_training_rows_are_those_of_their_windows_one_by_one() -> None:
    rows = weeks(6)
    reference = profiled(rows)
    kept = training_counts(rows, reference, "date", 7)
    assert kept["window_end"].nunique() == 6
    for week in (0, 5):
        start = (FIRST + pd.Timedelta(weeks=week)).date()
        end = start + dt.timedelta(days=6)
        alone = window_counts(build_profile(of_week(rows, week), reference, date="date"), reference, start, end, "1")
        same = kept[kept["window_end"] == pd.Timestamp(end)].set_index("column")
        for name, counts in alone.set_index("column")["counts"].items():
            np.testing.assert_array_equal(same.loc[name, "counts"], counts)


def test_the_cells_that_are_compared_are_among_those_that_are_kept() -> None:
    column = profiled(weeks(4)).columns["x"]
    assert set(cells(column, 24)) <= set(cells(column))
    assert len(cells(column, 24)) < 24


def test_another_champion_reads_the_counts_of_the_one_before() -> None:
    rows = weeks(12, seed=1)
    older, newer = profiled(rows), profiled(weeks(4, 0.5, seed=2))
    start = (FIRST + pd.Timedelta(weeks=12)).date()
    kept = training_counts(rows, older, "date", 7)
    inherited, own = (
        past_columns(counts, newer, start, WEEK) for counts in (kept, training_counts(rows, newer, "date", 7))
    )
    for name in ("x", "c"):
        np.testing.assert_allclose(inherited[name].counts.sum(axis=1), own[name].counts.sum(axis=1))
        apart = np.abs(inherited[name].counts - own[name].counts).sum() / own[name].counts.sum()
        assert apart < 0.08


def test_windows_that_overlap_or_come_later_are_left_out() -> None:
    rows = weeks(4)
    reference = profiled(rows)
    daily = pd.concat(
        window_counts(reference, reference, end.date() - dt.timedelta(days=6), end.date(), "1")
        for end in pd.date_range("2023-02-01", periods=20)
    )
    past = past_columns(daily, reference, dt.date(2023, 2, 18), WEEK)["x"]
    assert past.ends.astype(str).tolist() == ["2023-02-03", "2023-02-10", "2023-02-17"]


def test_a_champion_of_four_weeks_inherits_what_two_years_say_of_dependence() -> None:
    rng = np.random.default_rng(3)
    means = np.zeros(60)
    for week in range(1, 60):
        means[week] = 0.9 * means[week - 1] + 0.1 * rng.normal()
    rows = weeks(60, means, seed=3)
    reference = profiled(rows[rows["date"] >= FIRST + pd.Timedelta(weeks=56)])
    start = (FIRST + pd.Timedelta(weeks=60)).date()
    past = past_columns(training_counts(rows, reference, "date", 7), reference, start, WEEK)
    known = with_replayed_designs(reference, past, WEEK).columns
    assert known["x"].design.ranks > 1.5 * reference.columns["x"].design.ranks
    assert known["x"].design.autocorrelation > 0.6
    quiet = past_columns(training_counts(weeks(60, seed=4), reference, "date", 7), reference, start, WEEK)
    free = with_replayed_designs(reference, quiet, WEEK).columns["x"].design
    assert free.ranks < 1.6
    assert free.windows > 20


def test_a_drift_since_the_reference_does_not_pass_for_dependence() -> None:
    quiet = np.zeros(40)
    rows = weeks(52, np.concatenate([quiet, 0.1 * np.arange(1, 13)]), seed=5)
    reference = profiled(rows[rows["date"] < FIRST + pd.Timedelta(weeks=40)])
    since, until = (
        past_columns(training_counts(rows, reference, "date", 7), reference, (FIRST + week * WEEK).date(), WEEK)
        for week in (52, 40)
    )
    assert with_replayed_designs(reference, since, WEEK) == with_replayed_designs(reference, until, WEEK)


def test_what_rows_share_weighs_more_where_windows_have_grown() -> None:
    rows = weeks(60, 0.1 * np.random.default_rng(9).normal(size=60), seed=9)
    reference = profiled(rows[rows["date"] >= FIRST + pd.Timedelta(weeks=34)])
    start = (FIRST + pd.Timedelta(weeks=60)).date()
    past = past_columns(training_counts(rows, reference, "date", 7), reference, start, WEEK)
    usual, grown, fewer = (
        with_replayed_designs(reference, past, WEEK, size).columns["x"].design.ranks for size in (700, 2_800, 100)
    )
    assert usual > 2
    assert grown - 1 == pytest.approx(3.7 * (usual - 1), rel=0.15)  # four times the rows, against as large a reference
    assert fewer == usual


def test_too_little_history_says_nothing() -> None:
    rows = weeks(10)
    reference = profiled(rows)
    start = (FIRST + pd.Timedelta(weeks=10)).date()
    past = past_columns(training_counts(rows, reference, "date", 7), reference, start, WEEK)
    assert replayed_design(past["x"], 10) is None
    assert with_replayed_designs(reference, past, WEEK) == reference


def test_pooled_windows_are_inflated_as_simulated_first_order_dependence_is() -> None:
    rng, rho = np.random.default_rng(5), 0.7
    series = np.zeros((40_000, 4))
    series[:, 0] = rng.normal(size=40_000)
    for step in range(1, 4):
        series[:, step] = rho * series[:, step - 1] + np.sqrt(1 - rho**2) * rng.normal(size=40_000)
    assert series.mean(axis=1).var() * 4 == pytest.approx(pooled_inflation(rho, 4), rel=0.03)
    assert pooled_inflation(0.0, 4) == 1.0


def test_independent_windows_are_known_to_be_nearly_so() -> None:
    counts = np.random.default_rng(6).multinomial(1_000, np.full(12, 1 / 12), 100).astype(float)
    assert lag_correlation(counts, numeric=True) < 0.3


def december(years: int) -> np.ndarray:
    dates = pd.date_range(FIRST, periods=52 * years, freq="W-MON")
    return np.where(dates.month == 12, 0.5, 0.0)


def moved(rows: pd.DataFrame, week: int, calendar: tuple[SeasonPolicy, ...] = ()) -> dict:
    old = rows[rows["date"] < FIRST + pd.Timedelta(weeks=week)]
    reference = profiled(old)
    start = (FIRST + pd.Timedelta(weeks=week)).date()
    past = past_columns(training_counts(old, reference, "date", 7), reference, start, WEEK)
    window = build_profile(of_week(rows, week), reference, date="date")
    return alternatives(with_replayed_designs(reference, past, WEEK), window, past, start, calendar)


def test_what_stood_out_in_an_earlier_december_is_a_candidate_in_this_one_and_not_in_july() -> None:
    rows = weeks(104, december(2), seed=7)
    found = moved(rows, 101)
    assert {alternative.year_before.month for alternative in found["x"]} == {12}
    assert {alternative.year_before.year for alternative in found["x"]} == {2023}
    assert moved(rows, 80) == {}


def test_weeks_without_a_value_hide_no_season() -> None:
    rows = weeks(104, december(2), seed=7)
    rows.loc[rows["date"] < FIRST + pd.Timedelta(weeks=45), "x"] = np.nan  # as a history's first weeks are
    assert {alternative.year_before.month for alternative in moved(rows, 101)["x"]} == {12}


def test_a_shift_beyond_a_season_is_as_large_as_its_picture_shows() -> None:
    rows = weeks(104, december(2) * np.where(np.arange(104) < 60, 1, 2.5), seed=7)
    old = rows[rows["date"] < FIRST + pd.Timedelta(weeks=101)]
    reference, seasons = profiled(old), moved(rows, 101)
    window = build_profile(of_week(rows, 101), reference, date="date")
    plain, excused = (compare_profiles(reference, window, seasons=each).columns["x"] for each in ({}, seasons))
    assert excused.alarm
    assert plain.p_value < excused.p_value  # beside the season less is left
    assert excused.effect == plain.effect


def test_a_known_season_is_held_against_its_own_past_wherever_it_fell() -> None:
    means = np.zeros(80)
    means[30] = 0.5
    rows = weeks(80, means, seed=8)
    sale = tuple(
        SeasonPolicy(name="sale", first=f"{day:%Y-%m-%d}", last=f"{day + pd.Timedelta(days=6):%Y-%m-%d}")
        for day in (FIRST + pd.Timedelta(weeks=30), FIRST + pd.Timedelta(weeks=75))
    )
    assert {each.year_before for each in moved(rows, 75, sale)["x"]} == {(FIRST + pd.Timedelta(weeks=30)).date()}
    assert moved(rows, 75) == {}


def test_a_season_is_written_by_day_and_may_cross_the_year() -> None:
    winter = SeasonPolicy(name="winter", first="12-20", last="01-06")
    assert winter.holds(dt.date(2026, 1, 5), dt.date(2026, 1, 11))
    assert not winter.holds(dt.date(2026, 1, 7), dt.date(2026, 1, 13))
    with pytest.raises(ValidationError, match="allowed are days written MM-DD"):
        SeasonPolicy(name="winter", first="Dec 20", last="01-06")


def test_columns_of_unknown_dependence_are_not_pooled() -> None:
    reference = profiled(weeks(6))
    assert set(for_pooled(reference, 4).columns) == set()
