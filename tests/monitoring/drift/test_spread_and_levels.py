"""Claims about changes of spread and tails, columns of many levels, variances from few windows, and few blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evergreen.monitoring import build_profile, compare_profiles
from evergreen.monitoring.alerts import alerts_over_time
from evergreen.monitoring.drift.effects import detectable_spread, shift_from_cells
from evergreen.monitoring.drift.multivariate import classifier_two_sample_test
from evergreen.monitoring.performance import measure_performance, positive_rate_shift
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.profiles.two_sample import (
    chi_square,
    estimated_chi_square_p_value,
    fisher_p_value,
    loudest_level,
    size_factor,
    squared_normal_score_z,
)


def numbers(rng: np.random.Generator, rows: int, columns: int = 15) -> pd.DataFrame:
    return pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"x{i}" for i in range(columns)])


def found(change, repetitions: int, rows: int = 10_000, window_rows: int = 1_000) -> float:
    """Share of windows in which the changed first column of fifteen alarms."""
    hits = 0
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        reference = build_profile(numbers(rng, rows))
        window = numbers(rng, window_rows)
        window["x0"] = change(rng, window["x0"])
        hits += compare_profiles(reference, build_profile(window, reference)).columns["x0"].alarm
    return hits / repetitions


def zipf(rng: np.random.Generator, rows: int, levels: int) -> pd.DataFrame:
    share = 1 / np.arange(1, levels + 1)
    names = np.array([f"level {i}" for i in range(levels)])
    return pd.DataFrame({f"c{i}": names[rng.choice(levels, rows, p=share / share.sum())] for i in range(3)})


def test_klotz_on_ranks_equals_its_definition():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=400), rng.normal(size=300) * 1.15
    order = np.argsort(np.concatenate([a, b]))
    in_window = order >= len(a)
    z = float(squared_normal_score_z((~in_window).astype(float), in_window.astype(float)))
    total = len(order)
    score = stats.norm.ppf((np.arange(total) + 0.5) / total) ** 2
    score -= score.mean()
    variance = len(a) * len(b) / (total * (total - 1)) * (score**2).sum()
    assert z == pytest.approx(score[in_window].sum() / np.sqrt(variance), rel=0.02)


def test_klotz_holds_its_level_on_ties_and_tails():
    rng = np.random.default_rng(2)
    z = []
    for _ in range(400):
        values = np.round(rng.standard_t(2, 1_500), 0)
        cells = np.unique(values, return_inverse=True)[1]
        ref, win = (np.bincount(part, minlength=cells.max() + 1).astype(float) for part in np.split(cells, [1_000]))
        z.append(float(squared_normal_score_z(ref, win)))
    assert 0.02 <= np.mean(np.abs(z) > 1.96) <= 0.085


def test_a_standard_deviation_a_fifth_larger_is_found():
    assert found(lambda _, x: x * 1.2, 40) >= 0.95


def test_three_rows_in_a_hundred_ten_times_as_large_are_found():
    assert found(lambda rng, x: np.where(rng.random(len(x)) < 0.03, 10 * x, x), 60) >= 0.75


def test_the_spread_that_is_called_detectable_is_detected_four_times_in_five():
    rng = np.random.default_rng(3)
    h = float(size_factor(4_000, 2_000))
    ratio = detectable_spread(0.01, h)
    hits = 0
    for _ in range(300):
        edges = np.linspace(-3.5, 3.5, 256)
        a, b = rng.normal(size=4_000), ratio * rng.normal(size=2_000)
        ref, win = (np.bincount(np.searchsorted(edges, v), minlength=257).astype(float) for v in (a, b))
        hits += abs(float(squared_normal_score_z(ref, win))) > stats.norm.isf(0.005)
    assert 0.72 <= hits / 300 <= 0.88


def test_a_gaussians_growth_has_the_effect_of_its_divergence():
    edges = np.linspace(-6, 6, 2_000)
    ref, win = (np.diff(stats.norm.cdf(edges, scale=scale), prepend=0) * 1e6 for scale in (1.0, 1.2))
    assert shift_from_cells(ref, win, 0.0) == pytest.approx(np.sqrt(2) * np.log(1.2), rel=0.12)


@pytest.mark.parametrize("levels", [1_000, 20_000])
def test_columns_of_thousands_of_levels_alarm_no_more_often_than_others(levels):
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        reference = build_profile(zipf(rng, 5_000, levels))
        alarms += compare_profiles(reference, build_profile(zipf(rng, 5_000, levels), reference)).drifted
    assert alarms <= 7  # 4 % of 60, and three standard errors


def test_a_new_level_among_thousands_is_found():
    rng = np.random.default_rng(4)
    reference = build_profile(zipf(rng, 10_000, 5_000))
    window = zipf(rng, 2_000, 5_000)
    window.loc[rng.random(2_000) < 0.05, "c0"] = "new"
    assert compare_profiles(reference, build_profile(window, reference)).columns["c0"].alarm


def test_a_profile_that_does_not_know_its_border_is_read_with_care():
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        stored = build_profile(zipf(rng, 5_000, 1_000)).model_dump(mode="json")
        for column in stored["columns"].values():
            del column["border_share"]
        reference = Profile.model_validate(stored)
        alarms += compare_profiles(reference, build_profile(zipf(rng, 5_000, 1_000), reference)).drifted
    assert alarms <= 5


def test_chi_square_over_an_estimated_variance_follows_f():
    rng = np.random.default_rng(5)
    windows, df = 4, 9
    statistic = rng.chisquare(df, 20_000) / (rng.chisquare(windows * df, 20_000) / (windows * df))
    p_values = np.array([estimated_chi_square_p_value(s, df, windows) for s in statistic])
    assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=0.006)


def test_the_positive_rate_of_few_windows_takes_students_quantile():
    rng = np.random.default_rng(6)
    before, now = rng.random(5_000) < 0.3, rng.random(500) < 0.3
    known = positive_rate_shift(before, now, ci=0.999)
    estimated = positive_rate_shift(before, now, ci=0.999, windows=4)
    width = np.log1p(estimated.high) - np.log1p(estimated.low)
    ratio = float(stats.t.ppf(0.9995, 4) / stats.norm.ppf(0.9995))
    assert width / (np.log1p(known.high) - np.log1p(known.low)) == pytest.approx(ratio, rel=1e-6)


def test_a_reference_metric_without_an_interval_is_insufficient_data():
    rng = np.random.default_rng(7)
    y = rng.random(600) < 0.4
    promised = measure_performance(y, rng.random(600), {}).metrics["roc_auc"].window
    exact = promised.model_copy(update={"value": 0.95, "low": None, "high": None})
    assert measure_performance(y, rng.random(600), {"roc_auc": exact}).metrics["roc_auc"].status == "insufficient_data"


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 5, 6, 7])
def test_a_window_of_few_blocks_ends_in_a_verdict(blocks):
    rng = np.random.default_rng(blocks)
    reference, window = numbers(rng, 1_000, 3), numbers(rng, 700, 3)
    report = classifier_two_sample_test(
        reference,
        window,
        numeric=list(reference.columns),
        reference_blocks=np.arange(1_000) // 20,
        window_blocks=np.arange(700) % blocks,
    )
    assert report.status == ("insufficient_data" if blocks < 4 else "ok")


def test_an_alert_at_the_border_of_what_matters_does_not_flap():
    ends = pd.date_range("2026-01-07", periods=6, freq="7D")
    effects = [0.06, 0.055, 0.045, 0.055, 0.045, 0.01]
    history = pd.DataFrame(
        {
            "window_start": ends - pd.Timedelta(days=6),
            "window_end": ends,
            "column": "price",
            "status": "drift",
            "severity": "info",
            "adjusted_p_value": 1e-6,
            "effect": effects,
            "minimum_detectable_effect": 0.05,
        }
    )
    assert [alert.event for alert in alerts_over_time(history)] == ["opened", "repeated", "repeated", "closed"]


def test_one_level_of_many_is_tested_exactly() -> None:
    reference, window = np.array([40.0, 960.0, 1_000.0]), np.array([21.0, 179.0, 200.0])
    assert loudest_level(reference, window) == 0
    sides = [
        stats.fisher_exact([[21, 379], [40, 1_960]], alternative=alternative).pvalue
        for alternative in ("greater", "less")
    ]
    assert fisher_p_value(reference, window, 0) == pytest.approx(2 * min(sides))
    assert fisher_p_value(window, reference, 0) == pytest.approx(2 * min(sides))


def test_a_share_that_moves_to_one_of_many_levels_is_found_where_rows_are_independent() -> None:
    names = np.array([f"l{number}" for number in range(60)])
    rows_each = np.full(60, 14)
    rows_each[7] = 40
    before, after = (pd.DataFrame({"c": np.repeat(names, rows)}) for rows in (np.full(60, 100), rows_each))
    reference = build_profile(before)
    found = compare_profiles(reference, build_profile(after, reference)).columns["c"]
    counts = [np.asarray(build_profile(side, reference).columns["c"].counts[:-1], float) for side in (before, after)]
    statistic, df = chi_square(*counts)
    assert found.alarm
    assert stats.chi2.sf(statistic, df) > 0.5  # chi-square alone asks sixty levels, and one has moved


def test_wandering_middles_are_no_tails_of_the_test_of_spread() -> None:
    rng, windows = np.random.default_rng(8), 4_000
    edges = np.r_[-np.inf, stats.norm.ppf(np.arange(1, 20) / 20), np.inf]
    middles = rng.normal(0, 0.3, (windows, 1))  # of days that share factors
    window = rng.multinomial(1_000, np.diff(stats.norm.cdf(edges - middles), axis=1)).astype(float)
    reference = np.tile(rng.multinomial(26_000, np.full(20, 0.05)), (windows, 1)).astype(float)
    z = squared_normal_score_z(reference, window)
    assert (np.abs(z) > 3 * np.sqrt((z**2).mean())).mean() < 0.01  # .27 % of normals, 2.3 % about a common mean
