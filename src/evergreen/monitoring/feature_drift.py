"""Drift of a window's features, with all that past windows say of dependence and seasons."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from evergreen.monitoring.drift.by_group import compare_groups, not_compared
from evergreen.monitoring.drift.compare import compare_profiles
from evergreen.monitoring.drift.report import DriftReport, GroupDrift, columns_share
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.past.counts import no_counts, past_columns
from evergreen.monitoring.past.replay import for_pooled, knows_a_year, with_replayed_designs
from evergreen.monitoring.past.seasons import alternatives
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import Reference

SEASONS_SEEN = "A shift counts only where it differs, too, from what earlier years' windows of the same weeks did."
HOURS = "Windows of hours are held against what hours before them did; seasons are looked for by windows of days."
GROUPS_BY_HOURS = "Groups are not compared by the hour: how much they differ between hours of a day is not known."
GROUPS_OF_TUTORIALS = "The tutorial rule looks at columns over all rows alone."
SEASONS_UNSEEN = "With less than a year of past windows a season cannot be told from drift yet."


def compare_features(
    reference: Reference,
    profiles: tuple[Profile, Profile | None, Profile | None],
    start: dt.date | None,
    policy: DriftPolicy,
    length: dt.timedelta,
    counts: pd.DataFrame | None,
) -> tuple[DriftReport, DriftReport | None, DriftReport | None]:
    """Drift in the window, in it and the one before taken as one, and in it and the three before.

    Args:
        reference: The champion's memory.
        profiles: Of the window, of the two, of the four; None where there are no such rows.
        start: The window's first day; None without dates.
        policy: What counts as drift.
        length: Length of a window.
        counts: Counts of past windows, of whatever champions; None: there are none.
    """
    past = (
        {}
        if start is None
        else past_columns(no_counts() if counts is None else counts, reference.profile, start, length)
    )
    hours = isinstance(start, dt.datetime)
    known = with_replayed_designs(reference.profile, past, length, profiles[0].rows)
    if hours or policy.rule == "tutorial":
        groups = not_compared(known, GROUPS_BY_HOURS if hours else GROUPS_OF_TUTORIALS)
    else:
        groups = compare_groups(known, profiles[0], policy, reference.importance or None)
    share = columns_share(groups)

    def compared(windows: int, profile: Profile) -> DriftReport:
        held = known if windows == 1 else for_pooled(known, windows)
        moved = alternatives(known, profile, past, start, policy.known_seasons) if start and not hours else {}
        weights = reference.importance or None
        return compare_profiles(held, profile, policy, importance=weights, seasons=moved, share=share)

    alone, *pooled = [
        None if profile is None else compared(windows, profile)
        for windows, profile in zip((1, 2, 4), profiles, strict=True)
    ]
    assert alone is not None
    alone = with_groups(alone, groups)
    if start is not None:
        said = SEASONS_SEEN if any(map(knows_a_year, past.values())) else SEASONS_UNSEEN
        said = HOURS if hours else said
        alone = alone.model_copy(update={"seasons": said})
    return alone, pooled[0], pooled[1]


def with_groups(report: DriftReport, groups: tuple[GroupDrift, ...]) -> DriftReport:
    """The report with what became of groups of rows, which count as the columns do."""
    drifted = report.drifted or any(view.alarms for view in groups)
    return report.model_copy(
        update={"groups": groups, "drifted": drifted, "status": "drift" if drifted else report.status}
    )
