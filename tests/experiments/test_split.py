"""Shares, means, ratios, CUPED."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_effectsize, proportions_ztest

from evergreen.errors import EvergreenError
from evergreen.experiments import Sums, adjust, compare_means, compare_proportions, compare_ratios, cuped

A, B = Sums(3407, 1396.87, 52377.9767), Sums(3461, 2422.7, 134698.29)


def test_the_published_difference_of_means_is_found():
    found = compare_means(A, B)
    assert found.difference == pytest.approx(0.29, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((0.04538, 0.53462), abs=0.5e-5)
    assert found.p_value == pytest.approx(0.02016, abs=0.5e-5)


def test_the_published_relative_difference_is_found():
    found = compare_means(A, B)
    assert found.relative == pytest.approx(0.70732, abs=0.5e-5)
    assert (found.relative_low, found.relative_high) == pytest.approx((-0.03526, 1.44989), abs=0.5e-5)
    assert found.relative_p_value == pytest.approx(0.06191, abs=0.5e-5)


def test_the_published_theta_is_found():
    assert cuped(y=[2, 1, 5, 3], x=[0.3, 0.5, 0.9, 22]).theta == pytest.approx(0.01864, abs=0.5e-5)


@given(
    n=st.tuples(st.integers(5, 5000), st.integers(5, 5000)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    sides=st.sampled_from(["two-sided", "larger", "smaller"]),
)
def test_proportions_agree_with_statsmodels(n, shares, sides):
    a, b = round(n[0] * shares[0]), round(n[1] * shares[1])
    ours = compare_proportions(a, n[0], b, n[1], alternative=sides)
    low, high = confint_proportions_2indep(b, n[1], a, n[0], method="newcomb", compare="diff")
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)
    assert ours.effect_size == pytest.approx(proportion_effectsize(b / n[1], a / n[0]), abs=1e-12)
    if 0 < a + b < sum(n):
        z, p = proportions_ztest([b, a], [n[1], n[0]], alternative=sides)
        assert (ours.statistic, ours.p_value) == pytest.approx((z, p), abs=1e-10)


@given(
    values=st.tuples(
        st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=40), st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=40)
    ),
    sides=st.sampled_from([("two-sided", "two-sided"), ("larger", "greater"), ("smaller", "less")]),
)
def test_means_agree_with_scipy(values, sides):
    a, b = (np.array(side) for side in values)
    ours = compare_means(a, b, alternative=sides[0])
    if np.ptp(a) + np.ptp(b) > 1e-3:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy speaks of nearly equal values
            theirs = stats.ttest_ind(b, a, equal_var=False, alternative=sides[1])
        assert ours.p_value == pytest.approx(float(theirs.pvalue), abs=1e-8)


def test_sums_say_what_values_say():
    rng = np.random.default_rng(4)
    a, b = rng.gamma(2, 3, 500), rng.gamma(2, 3.3, 700)
    sums = [Sums(len(x), float(x.sum()), float((x**2).sum())) for x in (a, b)]
    from_values, from_sums = compare_means(a, b), compare_means(*sums)
    for name in ("p_value", "low", "high", "relative_low", "effect_size"):
        assert getattr(from_sums, name) == pytest.approx(getattr(from_values, name), rel=1e-9)


def test_a_ratio_with_denominators_of_one_is_a_mean():
    rng = np.random.default_rng(5)
    a, b = rng.normal(3, 1, 400), rng.normal(3.1, 1, 500)
    ratio, mean = compare_ratios(a, np.ones(400), b, np.ones(500)), compare_means(a, b)
    assert (ratio.p_value, ratio.low) == pytest.approx((mean.p_value, mean.low), rel=1e-9)


def test_ratios_hold_their_level_where_units_differ_in_size():
    rng = np.random.default_rng(6)

    def arm():
        visits = rng.poisson(np.exp(rng.normal(1, 0.8, 400))) + 1
        return rng.binomial(visits, rng.beta(2, 6, 400)), visits

    p = [compare_ratios(*arm(), *arm()).p_value for _ in range(600)]
    assert 0.025 <= np.mean(np.array(p) < 0.05) <= 0.08


def test_cuped_narrows_the_interval_by_what_the_covariate_explains():
    rng = np.random.default_rng(7)
    x = rng.normal(size=4000)
    y = x + rng.normal(size=4000)
    found = cuped(y, x)
    assert found.variance_reduction == pytest.approx(0.5, abs=0.03)
    assert found.adjusted.mean() == pytest.approx(y.mean(), abs=1e-12)
    assert np.var(found.adjusted, ddof=1) == pytest.approx(np.var(y, ddof=1) * (1 - found.variance_reduction), rel=1e-9)


def test_all_successes_are_no_difference_and_an_interval_that_knows_how_few_they_are():
    found = compare_proportions(20, 20, 30, 30)
    assert found.p_value == 1
    assert found.low < -0.05 < 0.05 < found.high


def test_identical_values_are_no_difference():
    assert compare_means([2.0, 2.0, 2.0], [2.0, 2.0]).p_value == 1


def test_values_that_never_vary_and_differ_are_a_certain_difference():
    assert compare_means([2.0, 2.0, 2.0], [3.0, 3.0]).p_value == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare_proportions(0, 0, 1, 2), "variant a has 0 rows"),
        (lambda: compare_proportions(-1, 5, 1, 2), "-1 successes"),
        (lambda: compare_proportions(6, 5, 1, 2), "6 successes in 5 rows"),
        (lambda: compare_means([], [1.0, 2.0]), "variant a has 0 values"),
        (lambda: compare_means([1.0, np.nan], [1.0, 2.0]), "1 of them missing"),
        (lambda: compare_ratios([1, 2], [0, 0], [1, 2], [1, 1]), "add up to 0"),
        (lambda: cuped([1, 2, 3], [1, 2]), "one covariate a unit"),
        (lambda: adjust([0.5, 1.5]), "outside 0 to 1"),
    ],
)
def test_impossible_input_is_refused_in_a_sentence(call, words):
    with pytest.raises(EvergreenError, match=words):
        call()


def test_adjusted_p_values_are_the_published_ones():
    holm = adjust([0.01, 0.04, 0.03, 0.005, 0.55, 0.6])
    assert holm == pytest.approx([0.05, 0.12, 0.12, 0.03, 1, 1], abs=1e-12)
    found = adjust([0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138], "benjamini_hochberg")
    assert found == pytest.approx([0.964, 0.2415, 0.0245, 0.964, 0.7532, 0.0245, 0.2415], abs=0.5e-4)
