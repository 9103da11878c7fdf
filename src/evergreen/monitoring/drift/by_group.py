"""Whether columns changed within groups of rows: one store of fifty, which no column shows over all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evergreen.monitoring.drift.column_tests import minimum_detectable_effect
from evergreen.monitoring.drift.report import GROUPS_SHARE, ColumnDrift, GroupDrift, GroupFinding
from evergreen.monitoring.drift.severity import counting_effect
from evergreen.monitoring.drift.statistics import Statistic, deciding
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.past.seasons import moved_by
from evergreen.monitoring.profiles.groups import GroupCounts, GroupedColumn
from evergreen.monitoring.profiles.profile import (
    CategoricalColumn,
    DesignEffect,
    NumericColumn,
    Profile,
    TimeColumn,
    ValueColumn,
)
from evergreen.monitoring.profiles.two_sample import Array, normal_score_z, size_factor

SHOWN = 50
_STANDS_OUT = 0.2
_WORTH_AN_EXCUSE = 0.05
_SURE_DIRECTION = 3.0


@dataclass(frozen=True)
class _Test:
    """One column within one group."""

    by: str
    group: int
    column: str
    reference: ValueColumn
    window: ValueColumn
    design: DesignEffect
    found: Statistic


def compare_groups(
    reference: Profile,
    window: Profile,
    policy: DriftPolicy,
    importance: Mapping[str, float] | None = None,
) -> tuple[GroupDrift, ...]:
    """Compare a window's columns with the reference's within each of its groups.

    A column alarms within a group when the test of its values, by the group's few cells, survives Benjamini–Hochberg
    at ``GROUPS_SHARE`` of ``policy.q`` over all groups and columns *and* its effect within the group reaches
    ``policy.min_effect``. What all other rows did in the same window excuses it: the group must differ both from its
    own reference and from that moved as the others' shares moved. Shares of nulls are left to the view over all rows.

    Args:
        reference: Profile that knows how things were, with the design effects that past windows taught.
        window: Profile of the rows to judge.
        policy: What counts as drift.
        importance: Weight of each column in severities; None: all alike.

    Returns:
        One view for each column that makes groups.
    """
    tests = [
        test
        for by, known in reference.groups.items()
        if by in window.groups
        for test in _tests(by, known, window.groups[by], reference, window, policy)
    ]
    adjusted = stats.false_discovery_control([test.found.p_value for test in tests]) if tests else []
    findings = [
        _finding(test, float(p_value), reference, policy, importance)
        for test, p_value in zip(tests, adjusted, strict=True)
        if p_value <= _STANDS_OUT * GROUPS_SHARE
    ]
    return tuple(_view(by, known, window, tests, findings, policy) for by, known in reference.groups.items())


def not_compared(reference: Profile, message: str) -> tuple[GroupDrift, ...]:
    """The views of a window whose groups are not compared, and why."""
    return tuple(
        GroupDrift(by=by, status="insufficient_data", groups=len(known.groups), message=message)
        for by, known in reference.groups.items()
    )


def _tests(
    by: str, known: GroupCounts, seen: GroupCounts, reference: Profile, window: Profile, policy: DriftPolicy
) -> Iterator[_Test]:
    for name, column in known.columns.items():
        before, now = reference.columns[name], window.columns.get(name)
        if name in policy.off or name not in seen.columns or now is None:
            continue
        assert not isinstance(before, TimeColumn)
        assert not isinstance(now, TimeColumn)
        sides = np.array([column.counts, seen.columns[name].counts], float)
        whole = np.array([_in_cells(side, column) for side in (before, now)])
        values = sides.sum(axis=-1)
        judged = (values.min(axis=0) >= policy.min_rows) & ((sides.sum(axis=0) > 0).sum(axis=-1) > 1)
        for group in np.flatnonzero(judged).tolist():
            design = _design(before.design, column, group, values[0, group] / before.count)
            if design is not None:
                pair = _column(column, sides[0, group]), _column(column, sides[1, group])
                found = deciding(policy.decides, *pair, design)
                if found.p_value <= _WORTH_AN_EXCUSE:
                    found = _unless_all_moved(found, pair, whole - sides[:, group], design, policy)
                yield _Test(by, group, name, *pair, design, found)


def _in_cells(column: ValueColumn, cells: GroupedColumn) -> Array:
    """A column's counts over all rows in the cells of its groups."""
    if isinstance(column, NumericColumn):
        reached = np.cumsum(column.counts)[np.searchsorted(column.edges, cells.edges)]
        return np.diff([0, *reached, column.count]).astype(float)
    named = column.counts[: len(cells.levels)]
    return np.array([*named, column.count - sum(named)], float)


def _column(cells: GroupedColumn, counts: Array) -> ValueColumn:
    """A group's counts as a column of its own, to be tested as any other."""
    whole = tuple(int(count) for count in counts)
    if cells.edges:
        return NumericColumn.model_construct(
            kind="numeric", nulls=0, infinities=0, minimum=None, maximum=None, mean=None, std=None,
            edges=cells.edges, counts=whole, design=DesignEffect(), pair_design=None,
        )  # fmt: skip
    return CategoricalColumn.model_construct(
        kind="categorical", nulls=0, levels=cells.levels, counts=whole, unseen={}, border_share=0.0,
        design=DesignEffect(), pair_design=None,
    )  # fmt: skip


def _design(known: DesignEffect, column: GroupedColumn, group: int, share: float) -> DesignEffect | None:
    """A group's design effect: its own in the reference, or the column's as far as so few rows feel it.

    What all rows of a window share inflates a test in proportion to the rows, so that a group feels its share of it.

    Args:
        known: The column's over all rows, which past windows may have taught.
        column: What the reference says of the group's own rows.
        group: Number of the group.
        share: Share of the reference's values that are the group's.
    """
    own = column.inflations[group] if column.inflations else None
    if column.inflations and own is None:
        return None
    names = ("values", "ranks", "scales")
    ours = {name: getattr(own, name) if own else 1.0 for name in names}
    common = {"values": known.values, "ranks": known.ranks, "scales": known.of_scales}
    felt = {name: 1 + (common[name] - 1) * min(share, 1.0) for name in names}
    windows = own.windows if own else None
    if known.windows is not None and any(felt[name] > ours[name] for name in names):
        windows = known.windows if windows is None else min(windows, known.windows)
    return DesignEffect(**{name: max(ours[name], felt[name]) for name in names}, windows=windows)


def _unless_all_moved(
    found: Statistic, pair: tuple[ValueColumn, ValueColumn], others: Array, design: DesignEffect, policy: DriftPolicy
) -> Statistic:
    """The less surprising of how a group differs from its reference and from that moved as all other rows moved."""
    rows = others.sum(axis=1)
    if rows.min() < policy.min_rows:
        return found
    share = others / rows[:, None]
    h, h_others = size_factor(pair[0].count, pair[1].count), size_factor(*rows)
    moved = moved_by(pair[0], share[1] - share[0])
    beside = deciding(policy.decides, moved, pair[1], design.times(float(1 + h_others / h)))
    return beside if beside.p_value > found.p_value else found


def _finding(
    test: _Test, adjusted: float, reference: Profile, policy: DriftPolicy, importance: Mapping[str, float] | None
) -> GroupFinding:
    level = policy.q * GROUPS_SHARE
    effect = test.found.effect
    alarm = adjusted <= level and effect >= policy.min_effect
    weights = {name: (importance or {}).get(name, 0.0 if importance else 1.0) for name in reference.columns}
    counting = counting_effect(effect, weights[test.column], sum(weights.values()) / len(weights))
    group = reference.groups[test.by].groups[test.group]
    direction = _direction(test)
    went = f", {direction}" if direction else ""
    whole = min(adjusted / GROUPS_SHARE, 1.0)
    verdict = ColumnDrift(
        status="drift" if alarm else "ok",
        alarm=alarm,
        severity=policy.severity(counting) if alarm else "none",
        effect=effect,
        p_value=test.found.p_value,
        adjusted_p_value=whole,
        design_effect=test.design.values,
        design_windows=test.design.windows,
        autocorrelation=_autocorrelation(reference, test.column),
        message=f"Where {test.by} is {group}, {test.column} is distributed differently{went}, like a shift of "
        f"{effect:.2f} standard deviations (p {whole:.2g} over all groups and columns).",
    )
    return GroupFinding(
        by=test.by,
        group=group,
        column=test.column,
        reference_rows=test.reference.count,
        window_rows=test.window.count,
        direction=direction,
        verdict=verdict,
    )


def _direction(test: _Test) -> str | None:
    if not isinstance(test.reference, NumericColumn):
        return None
    z = float(normal_score_z(*(np.asarray(side.counts, float) for side in (test.reference, test.window))))
    if abs(z) < _SURE_DIRECTION * np.sqrt(test.design.ranks):
        return None
    return "higher" if z > 0 else "lower"


def _autocorrelation(reference: Profile, name: str) -> float | None:
    column = reference.columns[name]
    return None if isinstance(column, TimeColumn) else column.design.autocorrelation


def _view(
    by: str,
    known: GroupCounts,
    window: Profile,
    tests: list[_Test],
    findings: list[GroupFinding],
    policy: DriftPolicy,
) -> GroupDrift:
    groups = len(known.groups)
    if by not in window.groups:
        return GroupDrift(by=by, status="insufficient_data", groups=groups, message=f"The window lacks {by}.")
    ours = [test for test in tests if test.by == by]
    if not ours:
        message = f"No group by {by} has {policy.min_rows} rows on both sides whose dependence is known."
        return GroupDrift(by=by, status="insufficient_data", groups=groups, message=message)
    found = sorted((each for each in findings if each.by == by), key=_loudest_first)[:SHOWN]
    alarms = sum(each.verdict.alarm for each in found)
    alpha = policy.q * GROUPS_SHARE / len(tests)
    limits = [
        limit
        for test in ours
        if isinstance(test.reference, NumericColumn)
        and (limit := minimum_detectable_effect(test.reference, test.window, test.design, alpha)) is not None
    ]
    detectable = float(np.median(limits)) if limits else None
    judged = len({test.group for test in ours})
    unseen = "" if detectable is None else f"; in half of them a shift below {detectable:.2f} would go unnoticed"
    said = f"{alarms} in alarm" if alarms else "no column changed"
    return GroupDrift(
        by=by,
        status="drift" if alarms else "ok",
        groups=groups,
        judged=judged,
        tests=len(ours),
        minimum_detectable_effect=detectable,
        found=tuple(found),
        message=f"Within {judged} of {groups} groups by {by} {len(ours)} tests: {said}{unseen}.",
    )


def _loudest_first(finding: GroupFinding) -> tuple[bool, float, str]:
    return not finding.verdict.alarm, -(finding.verdict.effect or 0.0), finding.name
