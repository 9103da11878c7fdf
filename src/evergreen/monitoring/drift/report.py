"""What counts as drift, and the report that says so."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from evergreen.monitoring.drift.effects import Distances
from evergreen.monitoring.parameters import Severity
from evergreen.records import Frozen

ColumnStatus = Literal["ok", "drift", "insufficient_data", "missing", "retyped", "off"]


# Parts of a window's false alarm budget: for the test of the scores and for that of whole rows each, and for columns.
# Scores are never null: what the test of a column keeps for its nulls, the share of positive predictions gets.
SIDE_SHARE = 0.1
COLUMNS_SHARE = 1 - 2 * SIDE_SHARE
GROUPS_SHARE = 0.1
"""Of the columns' part, what their view by group gets in windows in which any column of a group can be tested."""

WITHIN = " · within "


class Hypothesis(Frozen):
    """One tested difference of one column.

    Attributes:
        name: What may have changed: the distribution of values, the null share or the share of infinities.
        p_value: Valid p-value under the column's design effect.
        adjusted_p_value: The same after weighted Benjamini–Hochberg over all hypotheses of the run.
        effect: Noise-corrected effect on the common scale.
        alarm: Whether it survives both.
    """

    name: Literal["values", "nulls", "infinities"]
    p_value: float
    adjusted_p_value: float
    effect: float
    alarm: bool


class ShownStatistic(Frozen):
    """What a statistic says that is shown and decides nothing; see ``STATISTICS``."""

    p_value: float
    effect: float


class ColumnDrift(Frozen):
    """What became of one column.

    Attributes:
        status: Verdict in a word. ``missing`` and ``retyped`` columns raise an alarm without a test.
        alarm: Whether the column raises an alarm.
        severity: How much the alarm matters, by effect; ``none`` without alarm.
        effect: Effect of the hypothesis that speaks: the largest among alarms, else the likeliest.
        p_value: p-value of that hypothesis, before correction.
        adjusted_p_value: The same after weighted Benjamini–Hochberg.
        minimum_detectable_effect: Shift of location, or of shares, that these row numbers find with 80 % power; None
            without values.
        minimum_detectable_spread: Ratio of standard deviations that they find likewise; None for categories.
        hypotheses: All hypotheses tested.
        distances: Usual distances, shown and not decided on.
        statistics: Further statistics by name, likewise.
        design_effect: Variance inflation by dependent rows that the test of values took into account.
        design_windows: Held-out windows that it was estimated from; None where rows are taken as independent.
        autocorrelation: Cautious correlation of neighbouring windows; None where it was not measured.
        reference_null_share: Share of nulls in the reference.
        window_null_share: Share of nulls in the window.
        unseen_levels: Values of the window that the reference does not list, most frequent first.
        season_of: First day of the window of an earlier year that stood out in the same way, which excuses the shift;
            None where none does or nothing needs an excuse.
        message: One sentence for a reader.
    """

    status: ColumnStatus
    alarm: bool = False
    severity: Severity = "none"
    effect: float | None = None
    p_value: float | None = None
    adjusted_p_value: float | None = None
    minimum_detectable_effect: float | None = None
    minimum_detectable_spread: float | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    distances: Distances | None = None
    statistics: dict[str, ShownStatistic] = Field(default_factory=dict)
    design_effect: float = 1.0
    design_windows: float | None = None
    autocorrelation: float | None = None
    reference_null_share: float | None = None
    window_null_share: float | None = None
    unseen_levels: dict[str, int] = Field(default_factory=dict)
    season_of: dt.date | None = None
    message: str


class GroupFinding(Frozen):
    """What became of one column within one group of rows.

    Attributes:
        by: Column whose values make the groups.
        group: Value of it.
        column: Column that was looked at.
        reference_rows: Values that the group has in the reference.
        window_rows: Values that it has in the window.
        direction: Where numbers went, as far as that is sure.
        verdict: The same as for a column over all rows.
    """

    by: str
    group: str
    column: str
    reference_rows: int
    window_rows: int
    direction: Literal["higher", "lower"] | None = None
    verdict: ColumnDrift

    @property
    def name(self) -> str:
        """What alerts and histories call it."""
        return f"{self.column}{WITHIN}{self.by} = {self.group}"


class GroupDrift(Frozen):
    """What became of columns within the values of one.

    Attributes:
        by: Column whose values make the groups.
        status: ``drift`` where any column of any group is in alarm; ``insufficient_data`` where no group has rows
            enough, or the window lacks the column.
        groups: Groups that the reference counts.
        judged: Those with a column that could be tested.
        tests: Tests of a column within a group.
        minimum_detectable_effect: Shift that half of the tests find with 80 % power; None without tests of numbers.
        found: What stands out, in alarm first.
        message: One sentence for a reader.
    """

    by: str
    status: Literal["ok", "drift", "insufficient_data"]
    groups: int
    judged: int = 0
    tests: int = 0
    minimum_detectable_effect: float | None = None
    found: tuple[GroupFinding, ...] = ()
    message: str

    @property
    def alarms(self) -> list[GroupFinding]:
        """What is in alarm, largest effect first."""
        return [finding for finding in self.found if finding.verdict.alarm]


class DriftReport(Frozen):
    """What became of a window.

    Attributes:
        status: ``drift`` when any column alarms, over all rows or within a group (tutorial rule: when enough do),
            ``insufficient_data`` when no column could be tested well enough, else ``ok``.
        drifted: Whether ``status`` is ``drift``.
        rule: The rule that decided.
        q: False discovery rate that it used.
        hypotheses: Number of hypotheses that shared it.
        reference_rows: Rows of the reference.
        window_rows: Rows of the window.
        window_start: First day of the window, where known.
        window_end: Last day of the window, where known.
        drifted_share: Share of judged columns in alarm.
        drifted_importance: The same, weighted by importance.
        columns: Verdicts by column.
        new_columns: Columns of the window that the reference doesn't have.
        seasons: What can be said of seasons, in a sentence; None where rows have no dates.
        groups: The same within groups of rows; empty where the reference counts none.
    """

    status: Literal["ok", "drift", "insufficient_data"]
    drifted: bool
    rule: Literal["evergreen", "tutorial"]
    q: float
    hypotheses: int
    reference_rows: int
    window_rows: int
    window_start: dt.date | None = None
    window_end: dt.date | None = None
    drifted_share: float
    drifted_importance: float
    columns: dict[str, ColumnDrift]
    new_columns: tuple[str, ...] = ()
    seasons: str | None = None
    groups: tuple[GroupDrift, ...] = ()

    @property
    def watched(self) -> list[str]:
        """Columns that take part in alarms, whether or not there were rows enough to judge them."""
        return [name for name, column in self.columns.items() if column.status != "off"]

    @property
    def unjudged(self) -> list[str]:
        """Those that there were too few rows for."""
        return [name for name, column in self.columns.items() if column.status == "insufficient_data"]

    @property
    def mostly_unjudged(self) -> bool:
        """Whether more than half of the watched columns could not be judged."""
        return 2 * len(self.unjudged) > len(self.watched)

    @property
    def alarms(self) -> list[str]:
        """Columns in alarm, largest effect first."""
        named = [name for name, column in self.columns.items() if column.alarm]
        return sorted(named, key=lambda name: -(self.columns[name].effect or math.inf))

    @property
    def group_alarms(self) -> list[GroupFinding]:
        """Columns in alarm within a group of rows."""
        return [finding for view in self.groups for finding in view.alarms]


def columns_share(groups: Sequence[GroupDrift]) -> float:
    """The columns' part of the budget, less that of their view by group where any column of a group was tested."""
    return COLUMNS_SHARE - GROUPS_SHARE if any(view.tests for view in groups) else COLUMNS_SHARE


def of_a_group(name: str) -> bool:
    """Whether alerts and histories mean a column within a group by this name, not over all rows."""
    return WITHIN in name
