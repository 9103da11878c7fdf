"""Sample sizes, detectable effects, power."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower, TTestIndPower

from evergreen.errors import EvergreenError
from evergreen.experiments import minimum_detectable_effect, paired_sample_size, power_curve, required_sample_size


@pytest.mark.parametrize(
    ("baseline", "effect", "power", "formula", "published"),
    [
        (0.75, -0.25, 0.9, "pooled", 76.70692),
        (0.20, 0.05, 0.8, "pooled", 1093.74),
        (0.20, 0.05, 0.8, "miller", 1030.22),
        (0.20, 0.05, 0.8, "cohen_h", 1091.90),
        (0.10, 0.01, 0.8, "pooled", 14750.79),
    ],
)
def test_sample_sizes_of_proportions_are_the_published_ones(baseline, effect, power, formula, published):
    found = required_sample_size(baseline, effect, power=power, formula=formula)
    assert found.per_arm == pytest.approx(published, abs=0.006)
    assert found.formula == formula


@pytest.mark.parametrize(("d", "published"), [(0.2, 393.41), (0.5, 63.77), (0.8, 25.52)])
def test_sample_sizes_of_means_are_those_of_the_noncentral_t(d, published):
    assert required_sample_size(0, d, kind="mean", std=1).per_arm == pytest.approx(published, abs=0.006)


def test_a_means_normal_sample_size_is_the_textbook_formula():
    found = required_sample_size(0, 0.3, power=0.85, kind="mean", std=10, formula="normal")
    assert 2 * found.per_arm == pytest.approx(39_903.99, abs=0.006)


def test_a_means_sample_size_by_t_is_that_of_g_power():
    assert required_sample_size(0, 0.3, power=0.85, kind="mean", std=10).total == 39_906


@settings(max_examples=25)
@given(d=st.floats(0.1, 1.5), power=st.floats(0.5, 0.99), alpha=st.floats(0.001, 0.2))
def test_means_agree_with_statsmodels(d, power, alpha):
    theirs = TTestIndPower().solve_power(d, alpha=alpha, power=power)
    assert required_sample_size(0, d, alpha, power, kind="mean", std=1).per_arm == pytest.approx(theirs, rel=1e-4)


@given(h=st.floats(0.05, 0.8), power=st.floats(0.5, 0.99))
def test_cohens_h_agrees_with_statsmodels(h, power):
    other = np.sin(np.arcsin(np.sqrt(0.2)) + h / 2) ** 2
    ours = required_sample_size(0.2, float(other) - 0.2, power=power, formula="cohen_h").per_arm
    assert ours == pytest.approx(NormalIndPower().solve_power(h, alpha=0.05, power=power, ratio=1), rel=1e-3)


@given(
    baseline=st.floats(0.01, 0.9),
    rows=st.integers(50, 1_000_000),
    formula=st.sampled_from(["pooled", "miller", "cohen_h"]),
    alternative=st.sampled_from(["two-sided", "one-sided"]),
)
def test_the_detectable_effect_of_the_required_rows_is_the_effect(baseline, rows, formula, alternative):
    effect = minimum_detectable_effect(baseline, rows, alternative=alternative, formula=formula)
    if np.isfinite(effect):
        needed = required_sample_size(baseline, effect, alternative=alternative, formula=formula)
        assert needed.per_arm == pytest.approx(rows, rel=1e-6)


def test_an_effect_that_nothing_could_show_is_infinite():
    assert minimum_detectable_effect(0.98, 20) == float("inf")


def test_power_rises_with_effect_and_rows():
    curve = power_curve(0.2, [0.02, 0.05], [500, 1094, 5000]).pivot_table("power", "effect", "rows_per_arm")
    assert curve.loc[0.05, 1094] == pytest.approx(0.8, abs=0.001)
    assert (np.diff(curve.to_numpy(), axis=0) > 0).all()
    assert (np.diff(curve.to_numpy(), axis=1) > 0).all()


def test_pairing_needs_a_fraction_of_the_rows():
    paired = paired_sample_size(0.79, 0.016, correlation=0.94, positive_share=0.25)
    alone = paired_sample_size(0.79, 0.016, correlation=0, positive_share=0.25)
    assert alone.per_arm / paired.per_arm == pytest.approx(1 / 0.06, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"baseline": 0.2, "minimum_effect": 0}, "minimum_effect is 0"),
        ({"baseline": 1.2, "minimum_effect": 0.1}, "baseline is 1.2"),
        ({"baseline": 0.9, "minimum_effect": 0.2}, "a share lies between 0 and 1"),
        ({"baseline": 0.2, "minimum_effect": 0.1, "power": 1.0}, "power is 1.0"),
        ({"baseline": 0.2, "minimum_effect": 0.1, "alpha": 0.0}, "alpha is 0.0"),
        ({"baseline": 1, "minimum_effect": 0.1, "kind": "mean"}, "standard deviation"),
        ({"baseline": 0.2, "minimum_effect": 0.1, "formula": "t"}, "isn't for a proportion"),
    ],
)
def test_impossible_plans_are_refused_in_a_sentence(arguments, words):
    with pytest.raises(EvergreenError, match=words):
        required_sample_size(**arguments)
