"""Which counts are kept: those of all windows so far, whichever champion saw them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis.expr.types as ir
import pandas as pd

from evergreen.monitoring.past.counts import counts_by_hours, no_counts, window_counts
from evergreen.monitoring.reference import Reference
from evergreen.monitoring.window import Window
from evergreen.rows.spans import are_hours, lengths

KEPT_HOURS = dt.timedelta(days=60)
"""How long counts of windows of hours are kept; those of days stay."""
ENOUGH_WINDOWS = 40


def all_counts(past: pd.DataFrame, training: pd.DataFrame | None, earlier: pd.DataFrame | None = None) -> pd.DataFrame:
    """What was kept, and before it the windows that the champion's training rows fall into.

    Args:
        past: The counts kept so far.
        training: Those of the champion's training rows; None where none were stored.
        earlier: Those of windows of hours that were counted anew; None: none were.
    """
    known = past if "counts" in past else no_counts()
    hours = known[are_hours(known["window_end"])]
    if len(hours) or earlier is not None:
        days = all_counts(known.drop(hours.index), training)
        hours = hours if earlier is None else _without(earlier, hours)
        parts = [part for part in (days, hours) if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else no_counts()
    if training is None or training.empty:
        return known
    older = training if known.empty else training[training["window_end"] < known["window_start"].min()]
    newer = training[training["window_end"] > known["window_end"].max()] if len(known) else training.iloc[:0]
    parts = [part for part in (older, known, newer) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else no_counts()


def with_window(counts: pd.DataFrame, window: Window, reference: Reference, version: str) -> pd.DataFrame:
    """All counts with this window's, which replace what was kept of the same window.

    Args:
        counts: Those of :func:`all_counts`.
        window: What was looked at; without dates nothing is added.
        reference: The champion's memory.
        version: The champion.
    """
    if window.start is None:
        return counts
    here = window_counts(window.profile, reference.profile, window.start, window.end, version)
    ends = counts["window_end"]
    same = ends.eq(pd.Timestamp(window.end)) & counts["window_start"].eq(pd.Timestamp(window.start))
    rest = counts[~same & ~(are_hours(ends) & ends.lt(pd.Timestamp(window.end) - KEPT_HOURS))]
    joined = pd.concat([rest, here], ignore_index=True) if len(rest) else here
    return joined.sort_values(["window_end", "column"], kind="stable", ignore_index=True)


def with_earlier_hours(
    window: Window, table: ir.Table, reference: Reference, past: pd.DataFrame, length: dt.timedelta
) -> Window:
    """A window of hours with the counts of those before it, from the table, unless enough of them are kept.

    The first look at a service that has answered for a week shall know how its nights differ from its days.

    Args:
        window: What is looked at; one of days stays as it is.
        table: Rows with a time, earlier ones among them.
        reference: The champion's memory.
        past: The counts kept so far.
        length: Length of the window.
    """
    if not isinstance(window.start, dt.datetime) or not isinstance(window.end, dt.datetime):
        return window
    if "counts" in past and len(past):
        here = past[(lengths(past["window_start"], past["window_end"]) == length) & (past["window_end"] < window.start)]
        if here["window_end"].nunique() >= ENOUGH_WINDOWS:
            return window
    assert reference.spec.date is not None
    last = window.end - length
    return replace(window, earlier=counts_by_hours(table, reference.profile, reference.spec.date, last, length))


def _without(earlier: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    """Counts of hours, those that were counted anew in place of the kept ones of the same windows."""
    kept = hours[~hours["window_end"].isin(earlier["window_end"])]
    return pd.concat([kept, earlier], ignore_index=True) if len(kept) else earlier
