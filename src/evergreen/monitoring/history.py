"""When windows in a row make an alert: rules over a history, and an alert's life from opening to closing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from evergreen.monitoring.frozen import Frozen
from evergreen.monitoring.policy import DriftPolicy, DriftReport

Event = Literal["opened", "repeated", "closed"]
_CERTAIN = {"missing", "retyped"}
COLUMNS = (
    "window_start",
    "window_end",
    "column",
    "status",
    "adjusted_p_value",
    "effect",
    "severity",
    "minimum_detectable_effect",
)


class OverTimePolicy(Frozen):
    """How windows in a row make an alert.

    Attributes:
        q: False discovery rate at which a window counts as a hit.
        windows_per_budget: Windows that share the budget ``q``; one window at q over this alerts at once.
        hits: Hits of the same column that alert ...
        of_last: ... within so many windows, the newest among them.
        min_effect: Smallest effect worth an alarm.
    """

    q: float = 0.05
    windows_per_budget: int = 30
    hits: int = 2
    of_last: int = 3
    min_effect: float = DriftPolicy().min_effect

    def false_alarms_per_month(self, windows_per_month: float) -> float:
        """The budget for false alerts a month: ``q`` for every ``windows_per_budget`` windows.

        A target that simulation confirms for the default rule, not a bound that is proved: the rule for one
        window alone would use it up if tests were exact and all hypotheses had nulls to find; the features'
        values get four fifths of it, and hits in several windows take part of the rest
        (``benchmarks/drift.py over-time``: quiet series of 30 windows of 15 independent columns).
        """
        return self.q * windows_per_month / self.windows_per_budget


class Alert(Frozen):
    """One event in the life of a column's alert.

    Attributes:
        column: The column.
        event: ``opened`` is told to people, ``repeated`` stays silent, ``closed`` is told once.
        window_end: Last day of the window that it happened in.
        severity: Severity in that window.
        reason: What made it so.
    """

    column: str
    event: Event
    window_end: dt.datetime
    severity: str
    reason: str


def history_rows(report: DriftReport, window_start: object, window_end: object) -> pd.DataFrame:
    """One row a column of a drift report, to append to the history; see ``COLUMNS``."""
    rows = [
        (
            pd.Timestamp(str(window_start)),
            pd.Timestamp(str(window_end)),
            name,
            column.status,
            column.adjusted_p_value,
            column.effect,
            column.severity,
            column.minimum_detectable_effect,
        )
        for name, column in report.columns.items()
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ["adjusted_p_value", "effect", "minimum_detectable_effect"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def disjoint_windows(history: pd.DataFrame) -> list[pd.Timestamp]:
    """Ends of windows that don't overlap, counted back from the newest; the last run of a window counts."""
    bounds = history[["window_start", "window_end"]].drop_duplicates("window_end", keep="last")
    kept: list[pd.Timestamp] = []
    border: pd.Timestamp | None = None
    for start, end in bounds.sort_values("window_end", ascending=False).itertuples(index=False):
        if border is None or end < border:
            kept.append(end)
            border = start
    return kept[::-1]


def alerts_over_time(history: pd.DataFrame, policy: OverTimePolicy | None = None) -> list[Alert]:
    """Every event of every alert, in order of time.

    A column alerts in a window at q / 30 at once, or when it hits at q in 2 of the last 3 windows, the newest
    among them; a missing or retyped column alerts at once. An open alert repeats silently while the rule
    holds and closes in the first window without a hit.

    Args:
        history: Rows of ``history_rows`` for all windows, in any order.
        policy: The rule; default ``OverTimePolicy()``.
    """
    policy = policy or OverTimePolicy()
    if history.empty:
        return []
    ends = disjoint_windows(history)
    rows = history[history["window_end"].isin(ends)].drop_duplicates(["window_end", "column"], keep="last")
    alerts: list[Alert] = []
    for name, of_column in rows.groupby("column", sort=True):
        alerts += _life(str(name), of_column.set_index("window_end").reindex(ends), ends, policy)
    return sorted(alerts, key=lambda alert: (alert.window_end, alert.column))


def open_alerts(alerts: Sequence[Alert]) -> dict[str, Alert]:
    """The latest event of each column whose alert is still open."""
    latest = {alert.column: alert for alert in alerts}
    return {name: alert for name, alert in latest.items() if alert.event != "closed"}


def _life(name: str, rows: pd.DataFrame, ends: Sequence[pd.Timestamp], policy: OverTimePolicy) -> list[Alert]:
    certain = rows["status"].isin(_CERTAIN).to_numpy()
    p_values = rows["adjusted_p_value"].fillna(1.0).to_numpy()
    large = rows["effect"].fillna(0.0).to_numpy() >= policy.min_effect
    hit = certain | ((p_values <= policy.q) & large)
    at_once = certain | ((p_values <= policy.q / policy.windows_per_budget) & large)
    recent = np.convolve(hit, np.ones(policy.of_last))[: len(hit)]
    holds = at_once | (hit & (recent >= policy.hits))
    severities = rows["severity"].fillna("none").tolist()
    events: list[Alert] = []
    is_open = False
    for i, end in enumerate(ends):
        if not holds[i] and not (is_open and not hit[i]):
            continue
        event: Event = "closed" if not holds[i] else "repeated" if is_open else "opened"
        is_open = bool(holds[i])
        reason = f"{int(recent[i])} of the last {policy.of_last} windows"
        if certain[i]:
            reason = f"column {rows['status'].iloc[i]}"
        elif at_once[i]:
            reason = f"adjusted p {p_values[i]:.2g} at once"
        events.append(Alert(column=name, event=event, window_end=end, severity=severities[i], reason=reason))
    return events
