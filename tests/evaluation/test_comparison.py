"""Tests between models against statsmodels, published numbers, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from evergreen.errors import EvergreenError
from evergreen.evaluation.adjustment import benjamini_hochberg, holm
from evergreen.evaluation.comparison import (
    compare_models,
    delong_test,
    mcnemar_test,
)


def pair_of_models(seed: int, rows: int = 400, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(rows) < 0.3
    common = rng.normal(size=rows)
    a, b = (0.9 * common + 0.43 * rng.normal(size=rows) + shift * y for shift in (0.9, 0.9 + gain))
    return y, a, b


def test_mcnemar_matches_the_published_number():
    found = mcnemar_test([[794, 86], [150, 570]])
    assert found.statistic == pytest.approx(16.818, abs=5e-4)
    assert not found.exact


@settings(max_examples=50)
@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_mcnemar_agrees_with_statsmodels(counts):
    table = np.reshape(counts, (2, 2))
    found = mcnemar_test(table)
    assert found.exact == (table[0, 1] + table[1, 0] < 25)
    if table[0, 1] + table[1, 0] == 0:
        assert found.p_value == 1.0
        return
    expected = mcnemar(table, exact=found.exact, correction=True)
    # at equal counts the corrected difference is 0 here, and (0 − 1)² in statsmodels
    if found.exact or table[0, 1] != table[1, 0]:
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)


def test_mcnemar_can_be_told_which_distribution():
    assert mcnemar_test([[5, 40], [20, 5]], exact=True).exact
    assert not mcnemar_test([[5, 4], [2, 5]], exact=False).exact


def test_holm_and_benjamini_hochberg_match_published_numbers():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005, 0.55, 0.6]), [0.05, 0.12, 0.12, 0.03, 1, 1], atol=1e-12)
    np.testing.assert_allclose(
        benjamini_hochberg([0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138]),
        [0.964, 0.2415, 0.0245, 0.964, 0.7532, 0.0245, 0.2415],
        atol=1e-4,
    )


@settings(max_examples=50)
@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=20))
@pytest.mark.slow
def test_corrections_agree_with_statsmodels(thousandths):
    p_values = np.array(thousandths) / 1_000
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p_values), multipletests(p_values, method="fdr_bh")[1], atol=1e-12)


def test_corrections_of_nothing_are_nothing():
    assert len(holm([])) == len(benjamini_hochberg([])) == 0


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_swapping_the_models_flips_every_sign(seed):
    y, a, b = pair_of_models(seed, 120)
    forth, back = delong_test(y, a, b), delong_test(y, b, a)
    assert (back.auc_a, back.auc_b) == (forth.auc_b, forth.auc_a)
    assert back.difference == pytest.approx(-forth.difference, abs=1e-12)
    assert back.z == pytest.approx(-forth.z, abs=1e-9)
    assert back.p_value == pytest.approx(forth.p_value, rel=1e-9)
    assert back.ci == pytest.approx((-forth.ci[1], -forth.ci[0]), abs=1e-12)


def test_a_model_does_not_differ_from_its_own_monotone_transform():
    y, a, _ = pair_of_models(1)
    found = delong_test(y, a, np.exp(a))
    assert (found.difference, found.z, found.p_value) == (0.0, 0.0, 1.0)


def test_equal_models_differ_at_the_stated_rate():
    rejected = sum(delong_test(*pair_of_models(seed, 300)).p_value < 0.05 for seed in range(600))
    assert 0.024 <= rejected / 600 <= 0.077  # 5 % ± 3 standard errors of 600 draws


def test_interval_and_p_value_tell_the_same_story():
    for seed in range(60):
        found = delong_test(*pair_of_models(seed, 200, gain=0.15), alpha=0.1)
        assert (found.p_value < 0.1) == (found.ci[0] > 0 or found.ci[1] < 0)


def test_ignoring_blocks_rejects_too_often_and_respecting_them_does_not():
    rng = np.random.default_rng(0)
    naive = blocked = 0
    for _ in range(300):
        blocks = np.repeat(np.arange(40), 10)
        y = rng.random(400) < rng.beta(1, 2, 40)[blocks]
        a, b = (rng.normal(size=40)[blocks] + 0.5 * rng.normal(size=400) + y for _ in range(2))
        naive += delong_test(y, a, b).p_value < 0.05
        blocked += delong_test(y, a, b, blocks=blocks).p_value < 0.05
    assert naive / 300 > 0.2
    assert blocked / 300 < 0.095  # 5 % plus 3.6 standard errors of 300 draws


def test_the_verdict_names_the_better_model_or_what_could_have_been_seen():
    y, a, b = pair_of_models(2, 2_000, gain=0.6)
    scores = {"forest": a, "boosting": b, "logistic": a + 1e-3 * np.sin(np.arange(2_000)), "prior": a * 0}
    rows = compare_models(y, scores, dict.fromkeys(scores, 0.5), top=3)
    assert len(rows) == 3
    best = next(row for row in rows if {row.a, row.b} == {"boosting", "forest"})
    assert best.sentence.startswith("boosting ranks better than forest")
    same = next(row for row in rows if {row.a, row.b} == {"logistic", "forest"})
    assert same.sentence.startswith("No difference between")
    assert "80% power" in same.sentence
    assert "prior" not in {row.a for row in rows} | {row.b for row in rows}


def test_the_detectable_difference_is_detected_with_its_power():
    y, a, b = pair_of_models(3, 1_500)
    row = compare_models(y, {"a": a, "b": b}, {"a": 0, "b": 0})[0]
    better_auc = norm.cdf(0.9 / np.sqrt(2)) + row.detectable_difference
    gain = np.sqrt(2) * norm.ppf(better_auc) - 0.9
    found = [delong_test(*pair_of_models(seed, 1_500, gain)).p_value < 0.05 for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def test_correctness_tables_use_each_models_own_threshold():
    y = np.tile([0, 1], 50)
    a, b = y * 0.2, y * 0.8
    row = compare_models(y, {"a": a, "b": b}, {"a": 0.1, "b": 0.9})[0]
    counts = {row.a: row.only_a_correct, row.b: row.only_b_correct}
    assert counts == {"a": 50, "b": 0}


def test_blocks_leave_mcnemar_out():
    y, a, b = pair_of_models(4)
    row = compare_models(y, {"a": a, "b": b}, {"a": 0, "b": 0}, blocks=np.arange(400) // 4)[0]
    assert row.mcnemar_p is None
    assert row.delong_p is not None


@pytest.mark.parametrize("y", [np.zeros(10), np.ones(10), np.tile([0, 1], 5), np.zeros(0)])
def test_too_few_rows_are_said_to_be_insufficient(y):
    s = np.linspace(0, 1, len(y))
    rows = compare_models(y, {"a": s, "b": -s}, {"a": 0, "b": 0})
    assert [row.status for row in rows] == ["insufficient_data"]
    assert "cannot be compared" in rows[0].sentence


def test_bad_input_is_refused_in_words():
    with pytest.raises(EvergreenError, match="2 × 2"):
        mcnemar_test([[1, 2, 3]])
    with pytest.raises(EvergreenError, match="no decision threshold for b"):
        compare_models([0, 1], {"a": [0, 1], "b": [0, 1]}, {"a": 0.5})
