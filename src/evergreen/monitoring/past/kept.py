"""Which counts are kept: those of all windows so far, whichever champion saw them."""

from __future__ import annotations

import pandas as pd

from evergreen.monitoring.past.counts import no_counts, window_counts
from evergreen.monitoring.reference import Reference
from evergreen.monitoring.window import Window


def all_counts(past: pd.DataFrame, training: pd.DataFrame | None) -> pd.DataFrame:
    """What was kept, and before it the windows that the champion's training rows fall into.

    Args:
        past: The counts kept so far.
        training: Those of the champion's training rows; None where none were stored.
    """
    known = past if "counts" in past else no_counts()
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
    same = counts["window_end"].eq(pd.Timestamp(window.end)) & counts["window_start"].eq(pd.Timestamp(window.start))
    rest = counts[~same]
    joined = pd.concat([rest, here], ignore_index=True) if len(rest) else here
    return joined.sort_values(["window_end", "column"], kind="stable", ignore_index=True)
