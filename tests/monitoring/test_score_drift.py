"""Claims about scores by the hour: nights that differ from days raise no alarm, a shift does, few windows say so."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from drift_runs import memory_of
from evergreen.monitoring import DriftPolicy, build_profile
from evergreen.monitoring.past.counts import counts_by_hours
from evergreen.monitoring.reference import PROBABILITY, Reference
from evergreen.monitoring.score_drift import FEW_HOURS, pooled_score_drift, profile_by_hours, score_drift
from evergreen.schema import TableSpec

# DuckDB asks pandas for an option that pandas 3 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")

SIX_HOURS, ROWS = dt.timedelta(hours=6), 200
FIRST = dt.datetime(2026, 3, 1)


def memory(seed: int) -> Reference:
    scores = pd.DataFrame({PROBABILITY: expit(np.random.default_rng(seed).normal(size=4_000)), "label": 0})
    profile = build_profile(scores[[PROBABILITY]])
    return memory_of(TableSpec(entity="id", target="y", numeric=["x"]), profile, FIRST.date(), scores=scores)


def windows_of_scores(seed: int, windows: int, shift: float = 0.0) -> list[np.ndarray]:
    """Two windows of a day are .2 sd lower, two higher, as much as a day's own factor of sd .1 moves them."""
    rng = np.random.default_rng(seed)
    middle = (
        np.where(np.arange(windows) % 4 < 2, -0.2, 0.2) + np.repeat(rng.normal(0, 0.1, -(-windows // 4)), 4)[:windows]
    )
    middle[-4:] += shift
    return [expit(rng.normal(mean, 1.0, ROWS)) for mean in middle]


def p_values(seed: int, windows: int, shift: float = 0.0) -> list[float]:
    """Adjusted p-values of the newest window, and of it and those before it as one; none where it isn't judged."""
    reference, found = memory(seed), windows_of_scores(seed + 1, windows, shift)
    start = FIRST + (windows - 1) * SIX_HOURS
    times = np.repeat([FIRST + number * SIX_HOURS for number in range(windows - 1)], ROWS)
    rows = ibis.memtable(pd.DataFrame({"when": times, PROBABILITY: np.concatenate(found[:-1])}))
    last = start - dt.timedelta(minutes=1)
    earlier = counts_by_hours(rows, reference.score_profile, "when", last, SIX_HOURS)
    known = profile_by_hours(reference, earlier, start, SIX_HOURS, ROWS)
    alone = score_drift(reference, found[-1], DriftPolicy(), known)
    recent = (found[-2], np.concatenate(found[-4:-1]))
    pooled = pooled_score_drift(reference, found[-1], recent, DriftPolicy(), known)
    if alone.message == FEW_HOURS:
        assert pooled == ()
    return [each.adjusted_p_value for each in (alone, *pooled) if each.adjusted_p_value is not None]


def test_nights_that_differ_from_days_are_no_drift():
    found = np.array([p_values(seed, 60) for seed in range(0, 16, 2)])
    assert found.shape == (8, 3)
    assert (found <= 0.05).any(axis=1).sum() <= 1


def test_a_shift_of_all_scores_is_found():
    found = np.array([p_values(seed, 60, shift=1.5) for seed in range(0, 12, 2)])
    assert (found.min(axis=1) <= 0.05 / 30).sum() >= 5


def test_few_windows_are_not_judged():
    assert p_values(0, 8) == []
