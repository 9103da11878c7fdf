"""Claims about the tutorial rule: it decides as common tutorials do, and so cries wolf where ours does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evergreen.monitoring import DriftPolicy, DriftReport, build_profile, compare_profiles

TUTORIAL = DriftPolicy(rule="tutorial")
LEVELS = list("abcde")


def judged(reference: pd.DataFrame, window: pd.DataFrame) -> DriftReport:
    profile = build_profile(reference)
    return compare_profiles(profile, build_profile(window, profile), TUTORIAL)


def pair(seed: int, rows: int = 600) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole numbers, so that bins lose nothing, and categories."""
    rng = np.random.default_rng(seed)
    frames = []
    for shift in (0.0, rng.normal(0, 1.5)):
        number, level = rng.normal(shift, 12, rows).round(), np.arange(1, 6) + np.abs(shift)
        frames.append(pd.DataFrame({"x": number, "c": rng.choice(LEVELS, rows, p=level / level.sum())}))
    return frames[0], frames[1]


@pytest.mark.parametrize("seed", range(8))
def test_each_column_alarms_at_p_below_five_percent_of_its_own_test(seed):
    old, new = pair(seed)
    columns = judged(old, new).columns
    distance = stats.ks_2samp(old["x"], new["x"]).statistic
    ks = stats.kstwobign.sf(distance / np.sqrt(2 / len(old)))
    counts = np.array([side["c"].value_counts().reindex(LEVELS, fill_value=0) for side in (old, new)])
    chi_square = stats.chi2_contingency(counts, correction=False).pvalue
    for name, p_value in (("x", ks), ("c", chi_square)):
        assert columns[name].p_value == pytest.approx(p_value)
        assert columns[name].alarm == (p_value < 0.05)


@pytest.mark.parametrize(("z", "severity"), [(1.5, "info"), (2.5, "warning"), (3.5, "high")])
def test_the_means_z_makes_an_alarm_medium_above_two_and_high_above_three(z, severity):
    rng = np.random.default_rng(0)
    old = rng.normal(size=5_000)
    spread = 2 * rng.normal(size=5_000)  # another width: the distribution test alarms whatever the mean does
    error = np.sqrt(old.var(ddof=1) / 5_000 + spread.var(ddof=1) / 5_000)
    new = spread - spread.mean() + old.mean() + z * error
    column = judged(pd.DataFrame({"x": old}), pd.DataFrame({"x": new})).columns["x"]
    assert column.distances.mean_z == pytest.approx(z)
    assert (column.alarm, column.severity) == (True, severity)


@pytest.mark.parametrize(("moved", "drifted"), [(3, False), (4, True)])
def test_a_window_drifts_when_more_than_three_in_ten_columns_do(moved, drifted):
    rng = np.random.default_rng(1)
    old = pd.DataFrame(rng.normal(size=(2_000, 10))).rename(columns="x{}".format)
    new = old.sample(frac=1, random_state=0) + np.where(np.arange(10) < moved, 0.5, 0.0)
    report = judged(old, new)
    assert (len(report.alarms), report.drifted) == (moved, drifted)
