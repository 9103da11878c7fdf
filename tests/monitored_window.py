"""A small monitored window, made by the same functions that monitoring runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evergreen.evaluation.metrics import classification_metrics
from evergreen.monitoring import build_profile, compare_profiles, estimate_performance
from evergreen.monitoring.alerts import alerts_over_time, history_rows, open_alerts
from evergreen.monitoring.drift.multivariate import MultivariateDrift
from evergreen.monitoring.drift.report import ColumnDrift
from evergreen.monitoring.performance import measure_performance, positive_rate_shift
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.quality import check_quality
from evergreen.monitoring.reasons import find_reasons
from evergreen.monitoring.record import MonitoringRecord

DAY = dt.date(2026, 2, 28)
IMPORTANCE = {"age": 0.3, "income": 0.1, "plan": 0.1}


@dataclass(frozen=True)
class Observed:
    """What the page is made of."""

    record: MonitoringRecord
    reference: Profile
    window: Profile
    history: pd.DataFrame


def table(seed: int, rows: int = 2_000, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "income": rng.lognormal(10 + shift, 1, rows),
            "plan": rng.choice(["basic", "plus", "<b>&pro"], rows),
        }
    )


def observe(reference: pd.DataFrame, window: pd.DataFrame, quiet_windows: int = 3, **changes: Any) -> Observed:
    """Monitor ``window`` after some quiet windows; ``changes`` replace fields of the record."""
    before = build_profile(reference)
    now = build_profile(window, before)
    ends = [DAY - dt.timedelta(days=7 * number) for number in range(quiet_windows, -1, -1)]
    calm = compare_profiles(before, build_profile(reference.iloc[::2], before))
    drift = compare_profiles(before, now, importance=IMPORTANCE)
    rows = [history_rows(calm if end < DAY else drift, end - dt.timedelta(days=6), end) for end in ends]
    history = pd.concat(rows, ignore_index=True)
    alerts = alerts_over_time(history)
    rng = np.random.default_rng(0)
    scores = rng.random(600)
    labels = (rng.random(600) < scores).astype(int)
    performance = measure_performance(labels, scores, classification_metrics(labels, scores))
    estimate = estimate_performance(scores, labels, scores)
    quality = check_quality(before, now)
    reasons = find_reasons(drift=drift, performance=performance)
    fields: dict[str, Any] = {
        "use_case": "churn",
        "as_of": DAY,
        "status": "quality" if quality.status == "failed" else drift.status,
        "version": "7",
        "window_start": DAY - dt.timedelta(days=6),
        "window_end": DAY,
        "rows": now.rows,
        "drift": drift,
        "scores": ColumnDrift(status="ok", effect=0.01, p_value=0.5, adjusted_p_value=0.5, message="No drift found."),
        "positive_rate": positive_rate_shift(scores > 0.5, scores > 0.4),
        "multivariate": MultivariateDrift(
            status="drift", alarm=True, auc=0.61, p_value=1e-9, effect=0.4, minimum_detectable_auc=0.52,
            features={"income": 0.08, "age": 0.01},
        ),
        "performance": performance,
        "estimate": estimate,
        "quality": quality,
        "reference_auc": 0.777,
        "alerts": tuple(alert for alert in alerts if alert.window_end == pd.Timestamp(DAY)),
        "open_alerts": open_alerts(alerts),
        "reasons": reasons,
        "false_alarm_budget": "The rule over windows is set to 0.007 false alerts a month.",
    }  # fmt: skip
    return Observed(MonitoringRecord(**{**fields, **changes}), before, now, history)
