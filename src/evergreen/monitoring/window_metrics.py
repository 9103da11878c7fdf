"""What a window measured, estimated and predicted, as rows that can be drawn over time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from evergreen.monitoring.window import Findings, Window

KEYS = ("window_start", "window_end", "version", "kind", "metric")
NUMBERS = ("value", "low", "high", "reference")
COLUMNS = (*KEYS, "first_day", "last_day", *NUMBERS, "rows", "alert")


def window_metrics(version: str, window: Window, findings: Findings) -> pd.DataFrame:
    """One row a number of this window, to append to the history of windows; columns are ``COLUMNS``.

    ``kind`` is ``measured`` (on outcomes), ``estimated`` (without them), ``predictions`` (``positive_rate``,
    ``mean_probability``, ``mean_confidence``) or ``drift`` (``columns_in_alarm``, ``columns_judged``). ``first_day``
    and ``last_day``, times of day in windows of hours, bound the rows that the number is about: where outcomes come
    late, what is measured now is about earlier days.
    ``reference`` is what the version promised; ``low`` and ``high`` bound the value at 95 %; what is unknown is
    null; ``alert`` is 1 or 0.

    Args:
        version: The champion that was watched.
        window: What was looked at.
        findings: What the tests said.
    """
    rows = [*_measured(window, findings), *_estimated(window, findings), *_predictions(window, findings)]
    rows += [
        _row(window, "drift", "columns_in_alarm", len(findings.drift.alarms), rows=window.profile.rows),
        _row(window, "drift", "columns_judged", len(findings.drift.watched), rows=window.profile.rows),
    ]
    frame = pd.DataFrame(rows).assign(version=version).reindex(columns=list(COLUMNS))
    days = dict.fromkeys(["window_start", "window_end", "first_day", "last_day"], "datetime64[us]")
    return frame.astype(days | dict.fromkeys(NUMBERS, "float64") | {"rows": "int64", "alert": "int64"})


def _measured(window: Window, findings: Findings) -> list[dict[str, object]]:
    if findings.performance is None:
        return []
    last = window.end if window.outcomes_end is None else window.outcomes_end
    about = (None if window.start is None else last - (window.end - window.start), last)
    return [
        _row(
            window,
            "measured",
            name,
            found.window.value,
            low=found.window.low,
            high=found.window.high,
            reference=found.reference,
            rows=findings.performance.rows,
            alert=found.alert,
            about=about,
        )
        for name, found in findings.performance.metrics.items()
    ]


def _estimated(window: Window, findings: Findings) -> list[dict[str, object]]:
    rows = findings.estimate.rows
    return [
        _row(window, "estimated", name, found.value, low=found.low, high=found.high, rows=rows)
        for name, found in findings.estimate.metrics.items()
    ]


def _predictions(window: Window, findings: Findings) -> list[dict[str, object]]:
    rate, scored = findings.positive_rate, len(window.probability)
    rows = [
        _row(
            window,
            "predictions",
            "positive_rate",
            rate.window,
            reference=rate.reference,
            rows=scored,
            alert=rate.alert,
        )
    ]
    if scored:
        confidence = np.maximum(window.probability, 1 - window.probability)
        rows += [
            _row(window, "predictions", "mean_probability", float(window.probability.mean()), rows=scored),
            _row(window, "predictions", "mean_confidence", float(confidence.mean()), rows=scored),
        ]
    return rows


def _row(
    window: Window,
    kind: str,
    metric: str,
    value: float | None,
    *,
    rows: int,
    low: float | None = None,
    high: float | None = None,
    reference: float | None = None,
    alert: bool = False,
    about: tuple[dt.date | None, dt.date] | None = None,
) -> dict[str, object]:
    first, last = about or (window.start, window.end)
    return {
        "window_start": window.start or window.end,
        "window_end": window.end,
        "kind": kind,
        "metric": metric,
        "first_day": first or last,
        "last_day": last,
        "value": value,
        "low": low,
        "high": high,
        "reference": reference,
        "rows": rows,
        "alert": alert,
    }
