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

from evergreen.monitoring.drift.report import ColumnDrift, DriftReport
from evergreen.monitoring.parameters import SEVERITIES, OverTimePolicy, Severity
from evergreen.records import Frozen
from evergreen.rows.spans import moment_text

Event = Literal["opened", "repeated", "closed"]
_CERTAIN = ["missing", "retyped"]
_NUMBERS = (
    "adjusted_p_value",
    "effect",
    "minimum_detectable_effect",
    "pair_adjusted_p_value",
    "pair_effect",
    "four_adjusted_p_value",
    "four_effect",
    "autocorrelation",
)
_SEPARATE = 0.2
"""Correlation of two windows below which hits in both are separate evidence."""
COLUMNS = ("window_start", "window_end", "column", "status", "severity", *_NUMBERS)


class Alert(Frozen):
    """One event in the life of a column's alert.

    Attributes:
        column: The column; where it is about a group of rows, ``column · within by = group``.
        event: ``opened`` is reported to people, ``repeated`` stays silent, ``closed`` is reported once.
        window_end: Last day or minute of the window that it happened in.
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
    report: DriftReport,
    window_start: object,
    window_end: object,
    pair: DriftReport | None = None,
    four: DriftReport | None = None,
) -> pd.DataFrame:
    """One row a column of a drift report, and one a column that stands out in a group, to append to the history.

    Its columns are ``COLUMNS``.

    Args:
        report: Report on the window alone.
        window_start: First day of the window.
        window_end: Last day of the window.
        pair: Report on the window and the one before it taken as one, where there is one.
        four: Report on the window and the three before it taken as one, likewise.
    """
    pairs, fours = _tested(pair), _tested(four)
    rows = []
    within = {found.name: found.verdict for view in report.groups for found in view.found}
    for name, column in {**report.columns, **within}.items():
        both, all_four = pairs.get(name), fours.get(name)
        row = {
            "window_start": pd.Timestamp(str(window_start)),
            "window_end": pd.Timestamp(str(window_end)),
            "column": name,
            "status": column.status,
            "severity": _worst([found.severity for found in (column, both, all_four) if found]),
            "adjusted_p_value": column.adjusted_p_value,
            "effect": column.effect,
            "minimum_detectable_effect": column.minimum_detectable_effect,
            "pair_adjusted_p_value": both.adjusted_p_value if both else None,
            "pair_effect": both.effect if both else None,
            "four_adjusted_p_value": all_four.adjusted_p_value if all_four else None,
            "four_effect": all_four.effect if all_four else None,
            "autocorrelation": column.autocorrelation,
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(_NUMBERS, "float64"))


def _tested(report: DriftReport | None) -> dict[str, ColumnDrift]:
    return {} if report is None else {name: found for name, found in report.columns.items() if found.hypotheses}


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

    A column alerts at once in a window at q / 30, of which a window that is also looked at together with those
    before it leaves a part to the two as one, and to the four: a small shift that one window cannot tell from noise
    stands out in several. It alerts, too, when it hits at q in 2 of the last 3 windows, the newest among them, as far
    as these are separate evidence: windows whose correlation, the column's at a lag of one to the power of their
    distance, is .2 or more count once. A missing or retyped column alerts at once. An open alert repeats silently
    while the rule holds and closes in the first window that, alone or with the one before it, is no hit even where
    ``lasting_share`` of the effect is enough.

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
    in_four: NDArray
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
    four_p_value = _counting(wide, "four_adjusted_p_value", "four_effect", policy)
    level = policy.q / policy.windows_per_budget
    has_pair, has_four = (wide[f"{name}_adjusted_p_value"].notna().to_numpy() for name in ("pair", "four"))
    alone = p_value <= np.where(has_pair | has_four, policy.alone, 1.0) * level
    paired = pair_p_value <= np.where(has_four, policy.of_pair, 1 - policy.alone) * level
    in_four = four_p_value <= (1 - policy.alone - policy.of_pair) * level
    hit = certain | (p_value <= policy.q)
    lower = policy.model_copy(update={"min_effect": policy.lasting_share * policy.min_effect})
    lasting = _counting(wide, "adjusted_p_value", "effect", lower) <= policy.q
    lasting |= _counting(wide, "pair_adjusted_p_value", "pair_effect", lower) <= policy.q
    lasting |= in_four
    recent = _separate_hits(hit, wide["autocorrelation"].to_numpy(float, na_value=0.0), policy.of_last)
    return _Found(
        status=status,
        severity=wide["severity"].fillna("none").to_numpy(object),
        p_value=p_value,
        pair_p_value=pair_p_value,
        certain=certain,
        alone=alone,
        paired=paired,
        in_four=in_four,
        hit=hit | (pair_p_value <= policy.q),
        lasting=certain | lasting,
        recent=recent,
        holds=certain | alone | paired | in_four | (hit & (recent >= policy.hits)),
    )


def _separate_hits(hit: NDArray[np.bool_], correlation: NDArray[np.float64], of_last: int) -> NDArray[np.intp]:
    """Hits among the last windows that are separate evidence, the newest window's first, shape (windows, columns)."""
    counted = hit.astype(int)
    distance = np.ones(hit.shape, int)  # windows since the last hit that counted
    with np.errstate(divide="ignore"):
        needed = np.where(correlation > 0, np.log(_SEPARATE) / np.log(np.clip(correlation, 1e-9, 1 - 1e-9)), 0.0)
    for back in range(1, of_last):
        before = np.zeros_like(hit)
        before[back:] = hit[:-back]
        taken = before & (distance > needed)
        counted += taken
        distance = np.where(taken, 1, distance + 1)
    return counted


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
            reason = f"no sign of drift in this window; open since {moment_text(opening.window_end)}"
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
    if found.in_four[i]:
        return "together with the three windows before"
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
