"""Claims about windows that are broken, odd or empty: each gets the right verdict, none ends the report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evergreen.monitoring import DriftReport, build_profile, compare_profiles
from evergreen.monitoring.drift.multivariate import classifier_two_sample_test
from evergreen.monitoring.quality import check_quality

ROWS = 1_000
LEVELS = np.array([f"level {i}" for i in range(10)])


def table(seed: int, rows: int = ROWS, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = {f"x{i}": rng.normal(shift if i == 0 else 0.0, 1, rows) for i in range(6)}
    return pd.DataFrame(numbers | {f"c{i}": LEVELS[rng.integers(0, 10, rows)] for i in range(3)})


REFERENCE = table(0, 10_000)
WINDOW = table(1)
HALF = np.arange(ROWS) % 2 == 0


def compare(window: pd.DataFrame, reference: pd.DataFrame = REFERENCE) -> DriftReport:
    profile = build_profile(reference)
    return compare_profiles(profile, build_profile(window, profile))


@pytest.mark.parametrize(
    ("window", "column", "status"),
    [
        (WINDOW.assign(x0=WINDOW["x0"].where(HALF)), "x0", "drift"),
        (WINDOW.assign(c0=WINDOW["c0"].where(HALF)), "c0", "drift"),
        (WINDOW.assign(x0=np.nan), "x0", "drift"),
        (WINDOW.assign(x0=None), "x0", "drift"),
        (WINDOW.assign(c0=None), "c0", "drift"),
        (WINDOW.assign(x0="text"), "x0", "retyped"),
        (WINDOW.drop(columns="x0"), "x0", "missing"),
        (WINDOW.assign(x0=np.inf), "x0", "drift"),
        (WINDOW.assign(x0=np.where(HALF, -np.inf, WINDOW["x0"])), "x0", "drift"),
        (WINDOW.assign(c0="never seen"), "c0", "drift"),
        (WINDOW.assign(x0=7.0), "x0", "drift"),
    ],
    ids=[
        "half of the numbers null", "half of the levels null", "all NaN", "all None", "no level left", "retyped",
        "missing", "all infinite", "half infinite", "only an unseen level", "constant",
    ],
)  # fmt: skip
def test_one_broken_column_alarms_alone_and_critically(window, column, status):
    report = compare(window)
    assert report.alarms == [column]
    assert (report.columns[column].status, report.columns[column].severity) == (status, "critical")
    assert len(report.columns) == len(REFERENCE.columns)


def test_one_unseen_level_in_a_thousand_rows_is_told_but_no_alarm():
    report = compare(WINDOW.assign(c0=WINDOW["c0"].where(np.arange(ROWS) > 0, "never seen")))
    assert not report.drifted
    assert report.columns["c0"].unseen_levels == {"never seen": 1}


@pytest.mark.parametrize("outlier", [1e12, -1e300])
def test_one_outlier_in_five_thousand_is_no_alarm(outlier):
    window = table(2, 5_000)
    window.loc[0, "x0"] = outlier
    assert not compare(window).drifted


def test_one_infinity_is_no_drift_and_a_warning_about_the_data():
    reference = build_profile(REFERENCE)
    window = build_profile(WINDOW.assign(x0=WINDOW["x0"].where(np.arange(ROWS) > 0, np.inf)), reference)
    assert not compare_profiles(reference, window).drifted
    told = [(check.name, check.where, check.status) for check in check_quality(reference, window).failures]
    assert told == [("infinities", "x0", "warning")]


def test_an_all_null_column_on_both_sides_is_no_alarm():
    report = compare(WINDOW.assign(x0=np.nan), table(0, 5_000).assign(x0=np.nan))
    assert (report.drifted, report.columns["x0"].status) == (False, "insufficient_data")


def test_a_correlation_that_flips_with_equal_margins_is_seen_by_rows_as_a_whole_alone():
    flipped = WINDOW.assign(x1=-WINDOW["x0"])
    straight = table(3, 3_000)
    straight["x1"] = straight["x0"]
    assert compare(flipped, straight).alarms == []
    numeric = ["x0", "x1", "x2"]
    found = classifier_two_sample_test(straight, flipped, numeric=numeric)
    assert found.alarm
    assert set(list(found.features)[:2]) == {"x0", "x1"}
    calm = WINDOW.assign(x1=WINDOW["x0"])
    assert not classifier_two_sample_test(straight, calm, numeric=numeric).alarm


def test_swapping_reference_and_window_gives_the_same_verdict():
    a = build_profile(table(0, 5_000))
    b = build_profile(table(1, shift=0.4), a)
    forth, back = compare_profiles(a, b), compare_profiles(b, a)
    assert forth.alarms == back.alarms == ["x0"]
    for name, column in forth.columns.items():
        assert column.p_value == pytest.approx(back.columns[name].p_value)
        assert column.effect == pytest.approx(back.columns[name].effect)


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_an_empty_window_or_one_of_a_few_rows_is_insufficient_data(rows):
    report = compare(table(1, shift=3).head(rows))
    assert (report.status, report.drifted) == ("insufficient_data", False)
    detectable = report.columns["x1"].minimum_detectable_effect
    assert detectable is None if rows == 0 else detectable > 0.5


def test_everything_broken_at_once_still_makes_a_report_on_every_column():
    window = (
        table(4)
        .assign(x0=np.nan, x1="text", x3=np.inf, x4=WINDOW["x4"].where(HALF), c0=None, c1="never seen")
        .drop(columns="x2")
    )
    report = compare(window)
    assert set(report.columns) == set(REFERENCE.columns)
    assert {report.columns[name].status for name in ("x5", "c2")} == {"ok"}
    assert set(report.alarms) == {"x0", "x1", "x2", "x3", "x4", "c0", "c1"}
    assert report.columns["x1"].message == "The column was number and is text now."
