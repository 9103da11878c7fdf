"""The page's section on groups of rows: which group, which column, how much."""

from __future__ import annotations

from collections.abc import Mapping

from evergreen.monitoring.drift.report import DriftReport, GroupDrift, GroupFinding
from evergreen.reporting.blocks import Block, Table, Text
from evergreen.reporting.monitoring.wording import badge
from evergreen.wording import number_text, p_text, shortened

_HEAD = ("Column", "Where", "Verdict", "Effect", "Went", "Adjusted p", "Values before", "Values now", "Alert")
_NONE = (
    "No view by group: the version's profile counts no groups of rows. Versions count them that are trained while "
    "table.groups, or block, names the columns that make them (a store, a region)."
)
_LENGTH = 40


def group_blocks(drift: DriftReport, is_open: Mapping[str, object]) -> list[Block]:
    """What became of columns within groups of rows, those in alarm and those whose alert is open.

    Args:
        drift: The report on the window.
        is_open: Alerts that are open, by name.
    """
    if not drift.groups:
        return [Text(_NONE)]
    told = (
        "One store of fifty moves a column by too little to be seen over all rows. Each column is tested within each "
        "group of the reference, by the same test, against the group's own past and against what all other rows did "
        "meanwhile."
    )
    return [Text(told), *(block for view in drift.groups for block in _view(view, is_open))]


def _view(view: GroupDrift, is_open: Mapping[str, object]) -> list[Block]:
    loud = [found for found in view.found if found.verdict.alarm or found.name in is_open]
    rows = [_line(found, is_open) for found in loud]
    table: list[Block] = [Table(_HEAD, rows, frozenset(("Effect", *_HEAD[5:8])))] if rows else []
    return [Text(view.message), *table]


def _line(found: GroupFinding, is_open: Mapping[str, object]) -> tuple[str, ...]:
    return (
        found.column,
        f"{found.by} = {shortened(found.group, _LENGTH)}",
        badge(found.verdict)[0],
        number_text(found.verdict.effect, 2),
        found.direction or "–",
        p_text(found.verdict.adjusted_p_value),
        f"{found.reference_rows:,}",
        f"{found.window_rows:,}",
        "open" if found.name in is_open else "–",
    )
