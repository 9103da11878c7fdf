"""Claims about a whole run's budget: columns, scores and rows as a whole share it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from drift_runs import dependent_run, independent_run, parts
from evergreen.monitoring.conclude import overall_status
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.performance import PerformanceReport

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("run", "repetitions"), [(independent_run, 20), (dependent_run, 12)])
def test_a_run_where_nothing_changed_seldom_alarms_in_any_of_its_parts(run, repetitions):
    any_part = sum(list(parts(run(seed)))[-1] for seed in range(repetitions))
    assert any_part <= stats.binom.isf(0.001, repetitions, 0.05)


def test_the_parts_of_a_run_share_its_budget_and_not_more():
    findings = independent_run(0, rows=1_000, window_rows=400)
    assert findings.multivariate is not None
    scores = findings.scores.hypotheses[0].p_value / (0.8 * 0.1)  # four fifths of a tenth: nulls get the rest
    assert findings.scores.adjusted_p_value == pytest.approx(min(scores, 1.0))
    assert findings.drift.q == pytest.approx(0.8 * MonitoringParameters().drift.q)
    assert np.isfinite(findings.multivariate.p_value)


def test_a_window_is_not_quiet_where_any_of_its_parts_speaks():
    quiet = independent_run(0)
    assert overall_status(quiet) == "ok"
    fell = replace(quiet, performance=PerformanceReport(status="alert", rows=500, metrics={}))
    assert overall_status(fell) == "performance"
    more = replace(fell, positive_rate=quiet.positive_rate.model_copy(update={"alert": True}))
    assert overall_status(more) == "drift"
