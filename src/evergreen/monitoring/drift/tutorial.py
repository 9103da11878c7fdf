"""The rule that common tutorials use, so that people can see what it costs: it is not recommended.

Every column is tested at p < .05 on its own, as if rows were independent and other columns were not tested;
the z of the mean sets the severity; a run has drifted when more than 30 % of its columns did.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from evergreen.monitoring.drift.effects import shift_from_ks, shift_from_shares, shown
from evergreen.monitoring.drift.report import ColumnDrift
from evergreen.monitoring.parameters import Severity
from evergreen.monitoring.profiles.profile import NumericColumn, ValueColumn
from evergreen.monitoring.profiles.two_sample import (
    chi_square,
    ks_distance,
    ks_p_value,
    pool_rare_levels,
    pooled,
    size_factor,
)

DRIFTED_SHARE = 0.3
_ALPHA = 0.05
_MEDIUM_Z = 2.0
_HIGH_Z = 3.0


def judge_column(reference: ValueColumn, window: ValueColumn) -> ColumnDrift:
    """Verdict on one column by its own test at p < .05."""
    if not reference.count or not window.count:
        return ColumnDrift(status="insufficient_data", message="One side has no values.")
    ref, win = np.asarray(reference.counts, float), np.asarray(window.counts, float)
    h = float(size_factor(ref.sum(), win.sum()))
    distances = shown(reference, window)
    severity: Severity = "warning"
    if isinstance(reference, NumericColumn):
        distance = float(ks_distance(ref, win))
        p_value, effect = ks_p_value(distance, h), shift_from_ks(distance, h)
        z = abs(distances["distances"].mean_z or 0.0)
        severity = "high" if z > _HIGH_Z else "warning" if z > _MEDIUM_Z else "info"
    else:
        groups = pool_rare_levels(ref, win)
        ref, win = pooled(ref, groups), pooled(win, groups)
        statistic, df = chi_square(ref, win)
        p_value, effect = float(stats.chi2.sf(statistic, df)), shift_from_shares(ref, win, h)
    alarm = p_value < _ALPHA
    return ColumnDrift(
        status="drift" if alarm else "ok",
        alarm=alarm,
        severity=severity if alarm else "none",
        effect=effect,
        p_value=p_value,
        message=f"p = {p_value:.2g}, uncorrected.",
        **distances,
    )
