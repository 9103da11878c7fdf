"""Drift of a window's scores, by the same test as a feature's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evergreen.monitoring.drift.compare import compare_profiles
from evergreen.monitoring.drift.report import SIDE_SHARE, ColumnDrift
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.past.counts import past_columns
from evergreen.monitoring.past.replay import for_pooled, replayed_design, with_replayed_designs
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import MIN_UNSEEN, PROBABILITY, Reference

FEW_SCORES = (
    f"Scores are not compared: the version keeps scores of fewer than {MIN_UNSEEN} rows that it has not seen, and not "
    "the models behind its scores out of fold."
)
FEW_HOURS = (
    "Scores are not compared by the hour yet: fewer than sixteen windows before this one say how much they differ "
    "between hours of a day."
)


POOLED_BEFORE = 3
"""Windows before one of hours whose scores are looked at together with its own."""


def score_drift(
    reference: Reference, scores: NDArray[np.float64], policy: DriftPolicy, known: Profile | None
) -> ColumnDrift:
    """Drift of the scores at their part of the budget; the adjusted p-value may be held against the whole ``q``.

    Args:
        reference: The champion's memory.
        scores: The window's, made as the reference's were, shape (rows,).
        policy: What counts as drift.
        known: What they are held against; None: too few windows of hours are known.
    """
    if reference.scores is None or known is None:
        message = FEW_SCORES if reference.scores is None else FEW_HOURS
        return ColumnDrift(status="insufficient_data", message=message)
    found = compare_profiles(known, score_profile(reference, scores), policy, share=SIDE_SHARE).columns[PROBABILITY]
    adjusted = None if found.adjusted_p_value is None else min(found.adjusted_p_value / SIDE_SHARE, 1.0)
    return found.model_copy(update={"adjusted_p_value": adjusted})


def pooled_score_drift(
    reference: Reference,
    scores: NDArray[np.float64],
    recent: Sequence[NDArray[np.float64]],
    policy: DriftPolicy,
    known: Profile | None,
) -> tuple[ColumnDrift, ...]:
    """Drift of a window's scores and those before it taken as one: of two windows, and of four.

    Args:
        reference: The champion's memory.
        scores: The window's.
        recent: Scores of the window before, and of the three before.
        policy: What counts as drift.
        known: What a single window's scores are held against; None: too few windows of hours are known.
    """
    if known is None:
        return ()
    pooled = zip((2, 4), recent, strict=False)
    return tuple(
        score_drift(reference, np.concatenate([scores, before]), policy, for_pooled(known, windows))
        for windows, before in pooled
        if len(before)
    )


def score_profile(reference: Reference, scores: NDArray[np.float64]) -> Profile:
    """Summary of scores, on the edges of the reference's."""
    return build_profile(pd.DataFrame({PROBABILITY: scores}), reference.score_profile)


def profile_by_hours(
    reference: Reference, earlier: pd.DataFrame | None, start: dt.datetime, length: dt.timedelta, rows: int
) -> Profile | None:
    """The reference's scores, with the dependence that earlier windows of hours show.

    The three newest are looked at together with the window and teach nothing: else a shift would excuse itself.

    Args:
        reference: The champion's memory.
        earlier: Counts of the scores in earlier windows.
        start: First minute of the window.
        length: Its length.
        rows: Its rows.

    Returns:
        The profile; None with fewer than sixteen earlier windows.
    """
    if earlier is None:
        return None
    past = past_columns(earlier, reference.score_profile, start - POOLED_BEFORE * length, length)
    if PROBABILITY not in past or replayed_design(past[PROBABILITY], 1) is None:
        return None
    return with_replayed_designs(reference.score_profile, past, length, rows)
