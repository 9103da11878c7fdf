"""When windows in a row make an alert: rules over a history, and an alert's life from opening to closing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AliasChoices, Field

from evergreen.monitoring.drift.report import DriftReport
from evergreen.monitoring.parameters import SEVERITIES, OverTimePolicy, Severity
from evergreen.records import Frozen

Event = Literal["opened", "repeated", "closed"]
_CERTAIN = ["missing", "retyped"]
_NUMBERS = ("adjusted_p_value", "effect", "minimum_detectable_effect", "pair_adjusted_p_value", "pair_effect")
COLUMNS = ("window_start", "window_end", "column", "status", "severity", *_NUMBERS)


class Alert(Frozen):
    """One event in the life of a column's alert.

    Attributes:
        column: The column.
        event: ``opened`` is reported to people, ``repeated`` stays silent, ``closed`` is reported once.
        window_end: Last day of the window that it happened in.
        severity: Severity in that window; of a closed alert, the severity that it opened with.
        reason: What made it so.
        reported_as: Severity of the message that reported the opening, in which other columns may have stood: who heard
            of the opening shall hear of the closing.
    """

    column: str
    event: Event
    window_end: dt.datetime
    severity: Severity
    reason: str
    reported_as: Severity = Field(default="none", validation_alias=AliasChoices("reported_as", "told_as"))


def history_rows(
    report: DriftReport, window_start: object, window_end: object, pair: DriftReport | None = None
) -> pd.DataFrame:
    """One row a column of a drift report, to append to the history; see ``COLUMNS``.

    Args:
        report: Report on the window alone.
        window_start: First day of the window.
        window_end: Last day of the window.
        pair: Report on the window and the one before it taken as one, where there is one.
    """
    pairs = {} if pair is None else {name: column for name, column in pair.columns.items() if column.hypotheses}
    rows = []
    for name, column in report.columns.items():
        both = pairs.get(name)
        row = {
            "window_start": pd.Timestamp(str(window_start)),
            "window_end": pd.Timestamp(str(window_end)),
            "column": name,
            "status": column.status,
            "severity": _worst([column.severity, *([both.severity] if both else [])]),
            "adjusted_p_value": column.adjusted_p_value,
            "effect": column.effect,
            "minimum_detectable_effect": column.minimum_detectable_effect,
            "pair_adjusted_p_value": both.adjusted_p_value if both else None,
            "pair_effect": both.effect if both else None,
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(_NUMBERS, "float64"))


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

    A column alerts at once in a window at q / 30, of which a window that is also looked at together with the one
    before it leaves nine tenths to the two as one: a small shift that one window cannot tell from noise stands
    out in two. It alerts, too, when it hits at q in 2 of the last 3 windows, the newest among them; a missing or
    retyped column alerts at once. An open alert repeats silently while the rule holds and closes in the first
    window that, alone or with the one before it, is no hit even where ``lasting_share`` of the effect is enough.

    Args:
        history: Rows of ``history_rows`` for all windows, in any order.
        policy: The rule; default ``OverTimePolicy()``.
    """
    policy = policy or OverTimePolicy()
    if history.empty:
        return []
    ends = disjoint_windows(history)
    rows = history[history["window_end"].isin(ends)].drop_duplicates(["window_end", "column"], keep="last")
    rows = rows.reindex(columns=list(COLUMNS)).set_index(["window_end", "column"])
    wide = pd.DataFrame(rows.unstack("column")).reindex(ends)  # noqa: PD010 - nothing to aggregate
    names = wide["status"].columns
    found = _found(wide, policy)
    alerts: list[Alert] = []
    for number in np.flatnonzero(found.holds.any(axis=0)).tolist():
        alerts += _life(str(names[number]), found.of_column(number), ends, policy)
    return _reported_together(sorted(alerts, key=lambda alert: (alert.window_end, alert.column)))


def open_alerts(alerts: Sequence[Alert]) -> dict[str, Alert]:
    """The latest event of each column whose alert is still open."""
    latest = {alert.column: alert for alert in alerts}
    return {name: alert for name, alert in latest.items() if alert.event != "closed"}


@dataclass(frozen=True)
class _Found:
    """What the rule finds, shape (windows, columns); ``of_column`` takes one column, shape (windows,)."""

    status: NDArray
    severity: NDArray
    p_value: NDArray
    pair_p_value: NDArray
    certain: NDArray
    alone: NDArray
    paired: NDArray
    hit: NDArray
    lasting: NDArray
    recent: NDArray
    holds: NDArray

    def of_column(self, number: int) -> _Found:
        return _Found(*(getattr(self, name)[:, number] for name in self.__dataclass_fields__))


def _found(wide: pd.DataFrame, policy: OverTimePolicy) -> _Found:
    status = wide["status"].to_numpy(object)
    certain = np.isin(status, _CERTAIN)
    p_value = _counting(wide, "adjusted_p_value", "effect", policy)
    pair_p_value = _counting(wide, "pair_adjusted_p_value", "pair_effect", policy)
    level = policy.q / policy.windows_per_budget
    has_pair = wide["pair_adjusted_p_value"].notna().to_numpy()
    alone = p_value <= np.where(has_pair, policy.alone, 1.0) * level
    paired = pair_p_value <= (1 - policy.alone) * level
    hit = certain | (p_value <= policy.q)
    lower = policy.model_copy(update={"min_effect": policy.lasting_share * policy.min_effect})
    lasting = _counting(wide, "adjusted_p_value", "effect", lower) <= policy.q
    lasting |= _counting(wide, "pair_adjusted_p_value", "pair_effect", lower) <= policy.q
    sums = np.cumsum(np.concatenate([np.zeros((policy.of_last, hit.shape[1]), int), hit]), axis=0)
    recent = sums[policy.of_last :] - sums[: -policy.of_last]
    return _Found(
        status=status,
        severity=wide["severity"].fillna("none").to_numpy(object),
        p_value=p_value,
        pair_p_value=pair_p_value,
        certain=certain,
        alone=alone,
        paired=paired,
        hit=hit | (pair_p_value <= policy.q),
        lasting=certain | lasting,
        recent=recent,
        holds=certain | alone | paired | (hit & (recent >= policy.hits)),
    )


def _counting(wide: pd.DataFrame, p_value: str, effect: str, policy: OverTimePolicy) -> NDArray[np.float64]:
    """P-values, those of effects that are not worth an alarm and those that are absent read as 1."""
    large = wide[effect].to_numpy(float, na_value=0.0) >= policy.min_effect
    return np.where(large, wide[p_value].to_numpy(float, na_value=1.0), 1.0)


def _life(name: str, found: _Found, ends: Sequence[pd.Timestamp], policy: OverTimePolicy) -> list[Alert]:
    events: list[Alert] = []
    opening: Alert | None = None
    for i, end in enumerate(ends):
        if found.holds[i]:
            event: Event = "repeated" if opening else "opened"
            severity, reason = found.severity[i], _reason(found, i, policy)
        elif opening and not found.lasting[i]:
            event, severity = "closed", opening.severity
            reason = f"no sign of drift in this window; open since {opening.window_end:%Y-%m-%d}"
        else:
            continue
        events.append(Alert(column=name, event=event, window_end=end, severity=severity, reason=reason))
        opening = None if event == "closed" else opening or events[-1]
    return events


def _reason(found: _Found, i: int, policy: OverTimePolicy) -> str:
    if found.certain[i]:
        return f"column {found.status[i]}"
    if found.alone[i]:
        return f"adjusted p {found.p_value[i]:.2g} at once"
    if found.paired[i]:
        return f"adjusted p {found.pair_p_value[i]:.2g} together with the window before"
    return f"{found.recent[i]} of the last {policy.of_last} windows"


def _reported_together(alerts: Sequence[Alert]) -> list[Alert]:
    """Alerts with the severity of the message that reported their opening: the worst that opened with them."""
    worst: dict[dt.datetime, Severity] = {}
    for alert in alerts:
        if alert.event == "opened":
            worst[alert.window_end] = _worst([worst.get(alert.window_end, "none"), alert.severity])
    reported: dict[str, Severity] = {}
    finished = []
    for alert in alerts:
        if alert.event == "opened":
            reported[alert.column] = worst[alert.window_end]
        finished.append(alert.model_copy(update={"reported_as": reported[alert.column]}))
    return finished


def _worst(severities: Sequence[Severity]) -> Severity:
    return max(severities, key=SEVERITIES.index)
