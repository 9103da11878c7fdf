"""How did performance, predictions and drift move over the windows? Pictures from the history of windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from evergreen.monitoring.alerts import disjoint_windows
from evergreen.monitoring.drift.report import of_a_group
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import PROBABILITY
from evergreen.reporting.charts.lines import Axes, DrawnLine, Level, line_picture
from evergreen.reporting.charts.picture import Colour, Picture
from evergreen.reporting.charts.scales import share_tick, tick_text
from evergreen.rows.spans import moment_text
from evergreen.wording import number_text, share_text

WINDOWS_SHOWN = 52
IN_ALARM = ("drift", "missing", "retyped")
Pair = tuple[float, float] | None


def windows_of(history: pd.DataFrame) -> list[pd.Timestamp]:
    """Ends of the newest windows that don't overlap, oldest first."""
    return [] if history.empty else disjoint_windows(history)[-WINDOWS_SHOWN:]


def auc_picture(metrics: pd.DataFrame, lowest: float | None = None) -> Picture | None:
    """ROC AUC window by window, as it was estimated and as it was measured, against what was promised.

    Args:
        metrics: The history of window metrics, of one version or of several.
        lowest: AUC below which the newest window is in alarm.
    """
    ends = windows_of(metrics)
    rows = metrics[metrics["metric"].eq("roc_auc")] if ends else metrics
    lines = [
        _line(rows[rows["kind"].eq("estimated")], ends, "estimated", "third"),
        _line(rows[rows["kind"].eq("measured")], ends, "measured", "now"),
    ] if ends else []  # fmt: skip
    found = [line for line in lines if any(value is not None for value in line.numbers)]
    if not found:
        return None
    promised = rows["reference"].dropna()
    limits = [] if promised.empty else [Level("promised", float(promised.iloc[-1]), "soft")]
    limits += [] if lowest is None else [Level("alarm below", lowest)]
    return line_picture("ROC AUC by window", found, _axes(ends), limits)


def positive_rate_picture(metrics: pd.DataFrame, limit: float | None = None) -> Picture | None:
    """Share of positive predictions window by window, against that of the reference.

    Args:
        metrics: The history of window metrics.
        limit: Largest relative change that is allowed.
    """
    ends = windows_of(metrics)
    rows = metrics[metrics["metric"].eq("positive_rate")] if ends else metrics
    line = _line(rows, ends, "positive predictions", "now") if ends else None
    if line is None or all(value is None for value in line.numbers):
        return None
    known = rows["reference"].dropna()
    before = None if known.empty else float(known.iloc[-1])
    limits = [] if before is None else [Level("reference", before, "soft")]
    if before is not None and limit is not None:
        limits += [Level("alarm above", before * (1 + limit)), Level("alarm below", before * (1 - limit))]
    axes = _axes(ends, share_text, share_tick)
    return line_picture("Share of positive predictions by window", [line], axes, limits)


def drift_picture(history: pd.DataFrame, limit: float | None = None) -> Picture | None:
    """The largest effect of any column that could be judged, and that of the scores, window by window."""
    ends = windows_of(history)
    rows = history[~history["status"].isin(("off", "insufficient_data")) & _over_all_rows(history)] if ends else history
    if not ends or rows["effect"].isna().all():
        return None
    features, scores = rows[rows["column"] != PROBABILITY], rows[rows["column"] == PROBABILITY]
    lines = []
    sides: list[tuple[pd.DataFrame, str, Colour]] = [
        (features, "largest of any judged column", "now"),
        (scores, "the scores", "third"),
    ]
    for part, name, colour in sides:
        values, alarms = [], set()
        for place, end in enumerate(ends):
            window = part[part["window_end"].eq(end)]
            effect = window["effect"].max()
            values.append(None if pd.isna(effect) else float(effect))
            if window["status"].isin(IN_ALARM).any():
                alarms.add(place)
        lines.append(DrawnLine(name, values, colour, alarms=frozenset(alarms)))
    axes = _axes(ends, low=0.0)
    limits = [] if limit is None else [Level("may alarm from", limit)]
    return line_picture("Drift by window, in standard deviations of an equal mean shift", lines, axes, limits)


def breadth_picture(history: pd.DataFrame) -> Picture | None:
    """How many columns were in alarm, window by window."""
    ends = windows_of(history)
    if not ends:
        return None
    used = history[_over_all_rows(history) & history["column"].ne(PROBABILITY)]
    rows = used[used["status"].isin(IN_ALARM)]
    counts = [float(rows["window_end"].eq(end).sum()) for end in ends]
    axes = _axes(ends, lambda value: f"{value:.0f}", tick_text, low=0.0, high=1.0)
    return line_picture("Columns in alarm by window", [DrawnLine("columns in alarm", counts, "bad")], axes)


def _over_all_rows(history: pd.DataFrame) -> pd.Series:
    """Which rows of the history are about a column over all rows, not within a group."""
    return ~history["column"].map(of_a_group).astype(bool)


def lowest_auc(record: MonitoringRecord) -> float | None:
    """The measured ROC AUC below which a window is in alarm; None where none was promised."""
    auc = record.performance.metrics.get("roc_auc") if record.performance else None
    return None if auc is None or auc.reference is None or auc.limit is None else auc.reference - auc.limit


def _line(rows: pd.DataFrame, ends: Sequence[pd.Timestamp], name: str, colour: Colour) -> DrawnLine:
    newest = rows.drop_duplicates("window_end", keep="last").set_index("window_end").reindex(pd.Index(ends))
    values = [None if pd.isna(value) else float(value) for value in newest["value"]]
    intervals: list[Pair] = [
        None if pd.isna(low) or pd.isna(high) else (float(low), float(high))
        for low, high in zip(newest["low"], newest["high"], strict=True)
    ]
    alarms = frozenset(place for place, alert in enumerate(newest["alert"]) if alert == 1)
    return DrawnLine(name, values, colour, intervals if any(intervals) else (), alarms)


def _axes(
    ends: Sequence[pd.Timestamp],
    text: Callable[[float], str] = number_text,
    tick: Callable[[float], str] | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Axes:
    axes = Axes([moment_text(end) for end in ends], text=text, low=low, high=high, across="Window up to")
    return axes if tick is None else Axes(axes.places, (), low, high, text, tick, axes.across)
