"""Claims about drift: tests equal to scipy's, right verdicts at the edges, alarms within their budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.monitoring import DriftPolicy, build_profile, compare_profiles
from evergreen.monitoring.drift.effects import (
    detectable_shares,
    detectable_shift,
    jensen_shannon_distance,
    population_stability_index,
    shift_from_ks,
)
from evergreen.monitoring.drift.report import DriftReport
from evergreen.monitoring.past.replay import for_pooled
from evergreen.monitoring.profiles.design_effect import design_effect
from evergreen.monitoring.profiles.two_sample import (
    cauchy_combination,
    chi_square,
    ks_distance,
    ks_p_value,
    normal_score_z,
    pool_rare_levels,
    pooled,
    share_p_value,
    size_factor,
)

LEVELS = np.array([f"level {i}" for i in range(10)])


def table(seed: int, rows: int, numeric: int = 6, categorical: int = 3, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = {f"x{i}": rng.normal(shift if i == 0 else 0.0, 1, rows) for i in range(numeric)}
    return pd.DataFrame(numbers | {f"c{i}": LEVELS[rng.integers(0, 10, rows)] for i in range(categorical)})


def compare(reference: pd.DataFrame, window: pd.DataFrame, policy: DriftPolicy | None = None) -> DriftReport:
    profile = build_profile(reference)
    return compare_profiles(profile, build_profile(window, profile), policy)


def changed(**columns: object) -> pd.DataFrame:
    return table(1, 1_000).assign(**columns)


def integer_counts(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 40, 300), rng.integers(2, 44, 200)


def test_ks_on_counts_equals_scipy_on_values():
    a, b = integer_counts(0)
    ref, win = (np.bincount(v, minlength=44).astype(float) for v in (a, b))
    distance = float(ks_distance(ref, win))
    assert distance == pytest.approx(stats.ks_2samp(a, b).statistic)
    expected = stats.kstwobign.sf(distance / np.sqrt(1 / 300 + 1 / 200))
    assert ks_p_value(distance, float(size_factor(300, 200))) == pytest.approx(expected)


def test_normal_scores_on_counts_equal_scores_of_ranks_averaged_over_ties():
    a, b = integer_counts(0)
    both = np.concatenate([a, b])
    total = len(both)
    order = np.argsort(both, kind="stable")
    edges = stats.norm.pdf(stats.norm.ppf(np.arange(total + 1) / total))
    ranked = np.empty(total)
    ranked[order] = (edges[:-1] - edges[1:]) * total
    scores = pd.Series(ranked).groupby(both).transform("mean").to_numpy()
    variance = len(a) * len(b) / (total * (total - 1)) * (scores**2).sum()
    ref, win = (np.bincount(v, minlength=44).astype(float) for v in (a, b))
    assert normal_score_z(ref, win) == pytest.approx(scores[len(a) :].sum() / np.sqrt(variance))


def test_normal_scores_and_mann_whitney_agree_on_a_gaussian_shift():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 4_000), rng.normal(0.1, 1, 2_000)
    edges = np.quantile(a, np.linspace(0, 1, 257)[1:-1])
    ref, win = (np.bincount(np.searchsorted(edges, v), minlength=256).astype(float) for v in (a, b))
    scipy_p = stats.mannwhitneyu(a, b, method="asymptotic").pvalue
    assert abs(float(normal_score_z(ref, win))) == pytest.approx(stats.norm.isf(scipy_p / 2), abs=0.3)


def test_normal_scores_of_a_constant_column_say_nothing():
    assert normal_score_z(np.array([0.0, 300, 0]), np.array([0.0, 200, 0])) == 0


def test_chi_square_equals_scipys_contingency_test():
    ref, win = np.array([400.0, 300, 5, 200]), np.array([90.0, 60, 12, 70])
    found, df = chi_square(ref, win)
    expected = stats.chi2_contingency(np.vstack([ref, win]), correction=False)
    assert (float(found), df) == (pytest.approx(expected.statistic), expected.dof)


def test_pooling_leaves_no_cell_with_fewer_than_five_expected():
    rng = np.random.default_rng(0)
    ref, win = rng.poisson(3, 80).astype(float), rng.poisson(1, 80).astype(float)
    groups = pool_rare_levels(ref, win)
    both = pooled(ref, groups) + pooled(win, groups)
    assert both.sum() == ref.sum() + win.sum()
    assert (both * win.sum() / (ref.sum() + win.sum())).min() >= 5


def test_equal_shares_of_few_rows_are_rejected_no_more_often_than_stated():
    n, m, share = 10_000, 1_000, 3e-4
    hits = np.arange(30)
    chances = np.outer(stats.binom.pmf(hits, n, share), stats.binom.pmf(hits, m, share))
    p_values = [[share_p_value(np.array([a, n - a]), np.array([b, m - b])) for b in hits] for a in hits.astype(float)]
    for level in (0.05, 0.005, 0.0005):
        assert chances[np.array(p_values) <= level].sum() <= level


def test_a_share_of_few_rows_is_tested_as_scipy_does():
    found = share_p_value(np.array([1.0, 9_999.0]), np.array([4.0, 996.0]))
    assert found == pytest.approx(2 * stats.binom.sf(3, 5, 1 / 11))
    many = share_p_value(np.array([400.0, 9_600.0]), np.array([60.0, 940.0]))
    assert many == pytest.approx(stats.chi2_contingency([[400, 9_600], [60, 940]], correction=False).pvalue)


def test_rows_that_come_in_dozens_say_as_much_as_a_twelfth_of_them():
    reference, window = np.array([0.0, 12_000.0]), np.array([24.0, 1_176.0])
    assert share_p_value(reference, window, 12.0) == pytest.approx(share_p_value(reference / 12, window / 12))


def test_cauchy_combination_of_equal_p_values_is_that_value():
    for p in (1e-20, 0.003, 0.5):
        assert cauchy_combination([p, p, p]) == pytest.approx(p)
    assert cauchy_combination([1e-6, 0.5], (0.8, 0.2)) == pytest.approx(1e-6 / 0.8, rel=1e-3)


def test_effect_of_a_noiseless_gaussian_shift_is_the_shift():
    for shift in (0.1, 0.5, 2.0):
        distance = 2 * stats.norm.cdf(shift / 2) - 1
        assert shift_from_ks(distance, 0.0) == pytest.approx(shift)


def test_usual_distances_equal_their_formulas():
    ref, win = np.array([50.0, 30, 20]), np.array([40.0, 30, 30])
    psi = (0.4 - 0.5) * np.log(0.4 / 0.5) + (0.3 - 0.2) * np.log(0.3 / 0.2)
    assert population_stability_index(ref, win) == pytest.approx(psi)
    middle = (ref + win) / 2
    divergence = (stats.entropy(ref, middle, base=2) + stats.entropy(win, middle, base=2)) / 2
    assert jensen_shannon_distance(ref, win) == pytest.approx(np.sqrt(divergence))


def test_what_is_called_detectable_is_detected_four_times_in_five():
    alpha, n, m = 0.003, 4_000, 400
    h = float(size_factor(n, m))
    shift = detectable_shift(alpha, h)
    rng = np.random.default_rng(0)
    found = [stats.mannwhitneyu(rng.normal(size=n), rng.normal(shift, 1, m)).pvalue < alpha for _ in range(200)]
    assert 0.7 < np.mean(found) < 0.9
    effect = detectable_shares(alpha, h, df=4)
    assert stats.ncx2.sf(stats.chi2.isf(alpha, 4), 4, effect**2 / h) == pytest.approx(0.8, abs=1e-6)


def test_an_alarm_is_drift_however_little_could_be_detected():
    column = compare(table(0, 10_000), table(1, 1_000, shift=3).head(40)).columns["x0"]
    assert column.minimum_detectable_effect > DriftPolicy().max_detectable_effect
    assert (column.status, column.alarm) == ("drift", True)


def test_columns_without_nulls_cost_the_others_no_more_than_a_fifth_of_the_budget():
    report = compare(table(0, 10_000), table(1, 1_000))
    values = {name: c.hypotheses[0].p_value for name, c in report.columns.items()}
    adjusted = stats.false_discovery_control(np.array(list(values.values())))
    for column, alone in zip(report.columns.values(), adjusted, strict=True):
        assert column.hypotheses[0].adjusted_p_value <= alone / 0.8 + 1e-12


def test_columns_that_are_switched_off_or_dates_take_no_part():
    window = changed(x0=9.0)
    report = compare(table(0, 5_000), window, DriftPolicy(off=("x0",)))
    assert (report.drifted, report.columns["x0"].status) == (False, "off")


def test_a_window_on_its_own_edges_is_refused():
    with pytest.raises(EvergreenError, match="reference=reference"):
        compare_profiles(build_profile(table(0, 500)), build_profile(table(1, 500)))


def test_breadth_is_weighted_by_importance():
    reference = build_profile(table(0, 5_000))
    window = build_profile(table(2, 5_000, shift=1.0), reference)
    weighted = compare_profiles(reference, window, importance={"x0": 3.0, "c0": 1.0})
    assert weighted.drifted_importance == pytest.approx(0.75)
    assert weighted.drifted_share == pytest.approx(1 / 9)


def test_the_tutorial_rule_cries_wolf_by_column_where_ours_does_not():
    loud, quiet = 0, 0
    for seed in range(30):
        reference, window = table(seed, 2_000), table(seed + 500, 2_000)
        loud += bool(compare(reference, window, DriftPolicy(rule="tutorial")).alarms)
        quiet += compare(reference, window).drifted
    assert loud >= 5
    assert quiet <= 4


def alarm_count(repetitions: int, rows: int, window_rows: int, shift: float = 0.0) -> int:
    pairs = ((table(seed, rows), table(seed + 10_000, window_rows, shift=shift)) for seed in range(repetitions))
    return sum(compare(*pair).drifted for pair in pairs)


@pytest.mark.parametrize(("rows", "window_rows"), [(1_000, 1_000), (5_000, 200)])
def test_false_alarms_stay_within_five_percent(rows, window_rows):
    repetitions = 120
    allowed = stats.binom.isf(0.001, repetitions, 0.05)
    assert alarm_count(repetitions, rows, window_rows) <= allowed


def test_a_tenth_of_a_deviation_is_found_and_a_fiftieth_ignored():
    assert alarm_count(25, 10_000, 10_000, shift=0.1) == 25
    assert alarm_count(8, 50_000, 50_000, shift=0.02) == 0


def test_five_points_of_mass_are_found():
    found = 0
    for seed in range(40):
        window = table(seed + 900, 1_000)
        ones = np.flatnonzero(window["c0"] == LEVELS[1])[:50]
        window.loc[ones, "c0"] = LEVELS[0]
        found += "c0" in compare(table(seed, 10_000), window).alarms
    assert found >= 38


def dependent(seed: int, weeks: int, stores: int = 15, rows: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = weeks * 7 + 60
    noise = np.cumsum(rng.normal(size=(days, stores)), axis=0)
    average = (noise[60:] - noise[:-60]) / np.sqrt(60)
    day, store = np.repeat(np.arange(days - 60), stores * rows), np.tile(np.repeat(np.arange(stores), rows), days - 60)
    block = rng.normal(size=(days, stores))
    return pd.DataFrame(
        {
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D"),
            "store_day": day * stores + store,
            "average": average[day, store],
            "block": block[day, store],
            "free": rng.normal(size=len(day)),
            "level": LEVELS[np.clip(block[day, store] * 2 + 5, 0, 9).astype(int)],
        }
    )


@pytest.mark.parametrize("how", [{"date": "date"}, {"blocks": "store_day"}])
def test_dependent_rows_stay_within_the_budget_that_they_break_otherwise(how):
    columns = ["block", "free"] if "blocks" in how else ["average", "block", "free"]
    ours = naive = 0
    repetitions = 30
    for seed in range(repetitions):
        rows = dependent(seed, 27)
        old = rows["date"] < rows["date"].min() + pd.Timedelta(weeks=26)
        for options in (how, {}):
            reference = build_profile(rows[old], numeric=columns, categorical=["level"], **options)
            drifted = compare_profiles(reference, build_profile(rows[~old], reference)).drifted
            ours, naive = ours + (drifted and bool(options)), naive + (drifted and not options)
    assert ours <= stats.binom.isf(0.001, repetitions, 0.05)
    assert naive >= 10


def test_two_windows_as_one_inflate_more_where_dependence_outlasts_a_window():
    rows = dependent(0, 27)
    reference = build_profile(rows, date="date", numeric=["average", "free"])
    paired = for_pooled(reference, 2)
    inflation = {n: dict(p.columns[n].design)["ranks"] for p in (paired,) for n in ("average", "free")}
    assert inflation["average"] > 1.5 * reference.columns["average"].design.ranks
    assert inflation["free"] < 2.5
    short = build_profile(rows[rows["date"] < rows["date"].min() + pd.Timedelta(weeks=6)], date="date")
    assert for_pooled(short, 2).columns == {}
    assert set(for_pooled(build_profile(rows, numeric=["free"]), 2).columns) == {"free"}


def test_pairs_of_windows_of_dependent_rows_stay_within_the_budget():
    ours, repetitions = 0, 30
    for seed in range(repetitions):
        rows = dependent(1_000 + seed, 30)
        old = rows["date"] < rows["date"].min() + pd.Timedelta(weeks=28)
        reference = for_pooled(build_profile(rows[old], numeric=["average", "block", "free"], date="date"), 2)
        ours += compare_profiles(reference, build_profile(rows[~old], reference)).drifted
    assert ours <= stats.binom.isf(0.001, repetitions, 0.05)


def test_a_drift_in_dependent_rows_is_still_found():
    rows = dependent(0, 27)
    old = rows["date"] < rows["date"].min() + pd.Timedelta(weeks=26)
    reference = build_profile(rows[old], date="date", numeric=["block", "free"])
    window = rows[~old].assign(block=rows["block"] + 1)
    assert compare_profiles(reference, build_profile(window, reference)).alarms == ["block"]


def test_the_design_effect_of_whole_blocks_is_their_size():
    rng = np.random.default_rng(0)
    values = rng.multinomial(50, np.full(20, 0.05), size=41) * 6
    effect = design_effect(values, np.zeros(41, int), ordered=False, numeric=True)
    assert dict(effect)["values"] == pytest.approx(6, rel=0.35)
    assert effect.ranks == pytest.approx(6, rel=0.5)
    independent = design_effect(values // 6, np.zeros(41, int), ordered=False, numeric=True)
    assert 1 <= dict(independent)["values"] < 1.6


def test_severity_weighs_importance() -> None:
    rng = np.random.default_rng(0)
    names = ["used", "hardly", "unused", "other"]
    before = pd.DataFrame(rng.normal(size=(4_000, 4)), columns=names)
    after = pd.DataFrame(rng.normal(size=(2_000, 4)), columns=names)
    after[["used", "hardly", "unused"]] += 0.6
    reference = build_profile(before)
    importance = {"used": 0.38, "hardly": 0.07, "unused": 0.0, "other": 0.55}
    found = compare_profiles(reference, build_profile(after, reference), importance=importance).columns
    assert [found[name].severity for name in names] == ["critical", "high", "info", "none"]
    alike = compare_profiles(reference, build_profile(after, reference)).columns
    assert {alike[name].severity for name in names[:3]} == {"critical"}
