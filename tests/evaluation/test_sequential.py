"""Looks before the end."""

from __future__ import annotations

import numpy as np
import pytest
from gsdesign import h1, hupdate
from hypothesis import given
from hypothesis import strategies as st

from evergreen.errors import EvergreenError
from evergreen.evaluation.sequential import spent
from evergreen.experiments import confidence_sequence, group_sequential_bounds

KINDS = ["obrien_fleming", "pocock", "lan_demets_obf", "lan_demets_pocock", "lan_demets_linear"]


def crossing_by_the_oracle(bounds, times) -> np.ndarray:
    """Chance of having crossed ± bounds up to each look, by Jennison and Turnbull's grid."""
    inside, grid, before = [], None, 0.0
    for bound, time in zip(np.minimum(bounds, 12), times, strict=True):
        args = (0.0, float(time), -float(bound), float(bound))
        grid = h1(60, *args) if grid is None else hupdate(60, *args, 0.0, before, grid)
        inside.append(float(np.sum(grid[2])))
        before = float(time)
    return 1 - np.array(inside)


def test_the_published_bounds_are_found():
    obf, pocock = group_sequential_bounds(5), group_sequential_bounds(5, kind="pocock")
    assert obf == pytest.approx([4.562, 3.226, 2.634, 2.281, 2.040], abs=0.0005)
    assert pocock == pytest.approx([2.413] * 5, abs=0.0005)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", [1, 2, 5, 12])
def test_all_looks_together_err_with_alpha(kind, looks):
    times = np.arange(1, looks + 1) / looks
    assert crossing_by_the_oracle(group_sequential_bounds(looks, kind=kind), times)[-1] == pytest.approx(0.05, abs=1e-5)


@given(
    times=st.lists(st.floats(0.05, 1), min_size=1, max_size=6, unique_by=lambda t: round(t, 2)).map(sorted),
    kind=st.sampled_from(KINDS[2:]),
    alpha=st.floats(0.005, 0.2),
)
def test_looks_that_come_when_they_come_spend_what_the_function_says(times, kind, alpha):
    found = crossing_by_the_oracle(group_sequential_bounds(times, alpha, kind), times)
    assert found == pytest.approx([spent(t, alpha, kind) for t in times], abs=2e-5)


def test_one_look_is_the_fixed_test():
    for kind in KINDS:
        assert group_sequential_bounds(1, kind=kind) == pytest.approx([1.959964], abs=1e-5)
        assert group_sequential_bounds(1, kind=kind, sides=1) == pytest.approx([1.644854], abs=1e-5)


def test_peeking_errs_where_the_sequence_does_not():
    rng = np.random.default_rng(8)
    looks, per_look, p = 30, 500, 0.1
    n = per_look * np.arange(1, looks + 1)
    a, b = (np.cumsum(rng.binomial(per_look, p, (1000, looks)), axis=1) / n for _ in range(2))
    error = np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert 0.24 <= (np.abs((b - a) / error) > 1.96).any(axis=1).mean() <= 0.34
    planned = 2 * int(n[-1])
    unit = np.array([confidence_sequence(0, 1.0, 2 * int(k), planned).half_width for k in n])
    assert (np.abs(b - a) > unit * error).any(axis=1).mean() <= 0.025


def test_the_sequence_is_narrowest_where_it_was_planned_to_be():
    def width(rows, planned):
        return confidence_sequence(0.0, 1 / np.sqrt(rows), rows, planned).half_width

    assert width(10_000, 10_000) < min(width(10_000, 2_000), width(10_000, 50_000))


@pytest.mark.parametrize(
    "call",
    [
        lambda: group_sequential_bounds(0),
        lambda: group_sequential_bounds([0.5, 0.4]),
        lambda: group_sequential_bounds([0.5, 1.2]),
        lambda: group_sequential_bounds(5, alpha=0),
        lambda: group_sequential_bounds(5, kind="haybittle"),
        lambda: confidence_sequence(0, 1, 0, 10),
        lambda: confidence_sequence(0, float("nan"), 10, 10),
    ],
)
def test_impossible_plans_are_refused(call):
    with pytest.raises(EvergreenError):
        call()
