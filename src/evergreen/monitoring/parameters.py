"""The parameters that rule monitoring."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Literal

from pydantic import Field, model_validator

from evergreen.monitoring.drift.statistics import STATISTICS
from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS
from evergreen.use_cases import WINDOW_DAYS

_EACH_YEAR = re.compile(r"(\d\d)-(\d\d)$")
EstimateMethod = Literal["pape", "cbpe"]
Severity = Literal["none", "info", "warning", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("none", "info", "warning", "high", "critical")


class ReasonPolicy(Frozen):
    """From where on a finding is a reason; whether a reason starts a retraining stands under ``retraining.trigger``.

    Attributes:
        severity: Smallest severity of a column that counts.
        min_importance: Smallest weight of columns in alarm, by importance, that counts.
        max_drifted_share: Largest share of columns in alarm (reason ``breadth``).
        max_estimated_drop: Largest drop of the estimated ROC AUC below the reference's.
        max_days_since_training: Age of the model that is a reason by itself; None: never.
    """

    severity: Severity = "high"
    min_importance: float = Field(default=0.1, ge=0, le=1)
    max_drifted_share: float = Field(default=0.5, ge=0, le=1)
    max_estimated_drop: float = Field(default=0.05, ge=0, le=1)
    max_days_since_training: int | None = Field(default=None, ge=0, le=MOST_DAYS)


class SeasonPolicy(Frozen):
    """A time that is unlike others.

    Attributes:
        name: What people call it.
        first: First day, ``MM-DD`` for each year or ``yyyy-mm-dd`` for one.
        last: Last day, written like ``first``.
    """

    name: str
    first: str
    last: str

    @model_validator(mode="after")
    def _are_days(self) -> SeasonPolicy:
        for day in (self.first, self.last):
            try:
                _day(day, 2024)
            except ValueError as error:
                raise ValueError(
                    f"season {self.name}: found {day!r}, allowed are days written MM-DD (each year) or yyyy-mm-dd"
                ) from error
        return self

    def holds(self, first: dt.date, last: dt.date) -> bool:
        """Whether any of these days lies in the season; one that is given by year knows that year alone."""
        years = range(first.year - 1, last.year + 1)
        return any(begin <= last and first <= end for begin, end in map(self._in, years))

    def _in(self, year: int) -> tuple[dt.date, dt.date]:
        begin, end = _day(self.first, year), _day(self.last, year)
        return begin, end if end >= begin else _day(self.last, year + 1)


def _day(text: str, year: int) -> dt.date:
    found = _EACH_YEAR.match(text)
    if found is None:
        return dt.date.fromisoformat(text)
    month, day = map(int, found.groups())
    return dt.date(year, month, min(day, 28) if month == 2 else day)


class DriftPolicy(Frozen):
    """What counts as drift. Effects are mean shifts, in standard deviations, of two equal Gaussians.

    Attributes:
        rule: ``evergreen`` decides as below. ``tutorial`` decides as common tutorials do (each column at
            p < .05 with no correction, drift when more than 30 % of columns do), for comparison only.
        decides: The statistic in ``STATISTICS`` by which values count as changed; columns of which it says nothing are
            left to ``evergreen``.
        shows: Statistics in ``STATISTICS`` that are computed and shown beside it.
        q: The whole budget of a window: how many of the windows in which nothing changed may raise an alarm.
            ``COLUMNS_SHARE`` of it is the columns', ``SIDE_SHARE`` the scores' and the rows' as a whole each; of the
            columns' part ``GROUPS_SHARE`` is that of their view by group, where the table has ``groups``.
        min_effect: Smallest effect worth an alarm; from here an alarm is ``info``.
        warning_effect: From here an alarm is a ``warning``.
        high_effect: From here an alarm is ``high``.
        critical_effect: From here an alarm is ``critical``.
        min_rows: Values that either side needs to be tested at all.
        max_detectable_effect: A column whose minimum detectable effect is larger has insufficient data.
        off: Columns that take no part in alarms, such as calendar columns.
        known_seasons: Seasons and special days: a window in one is excused by that season's earlier windows.
    """

    rule: Literal["evergreen", "tutorial"] = "evergreen"
    decides: str = "evergreen"
    shows: tuple[str, ...] = ()
    q: float = Field(default=0.05, gt=0, lt=1)
    min_effect: float = Field(default=0.05, ge=0)
    warning_effect: float = 0.1
    high_effect: float = 0.25
    critical_effect: float = 0.5
    min_rows: int = Field(default=30, ge=2)
    max_detectable_effect: float = Field(default=0.5, gt=0)
    off: tuple[str, ...] = ()
    known_seasons: tuple[SeasonPolicy, ...] = ()

    @model_validator(mode="after")
    def _statistics_exist(self) -> DriftPolicy:
        for name in (self.decides, *self.shows):
            if name not in STATISTICS:
                raise ValueError(f"there is no drift statistic {name}; choose among {', '.join(STATISTICS)}")
        return self

    @model_validator(mode="after")
    def _limits_rise(self) -> DriftPolicy:
        limits = [self.min_effect, self.warning_effect, self.high_effect, self.critical_effect]
        if limits != sorted(limits):
            raise ValueError(f"severity limits must rise from min_effect to critical_effect, found {limits}")
        return self

    def severity(self, effect: float) -> Severity:
        """Severity of an alarm with this effect."""
        limits = [self.warning_effect, self.high_effect, self.critical_effect]
        return SEVERITIES[1 + sum(effect >= limit for limit in limits)]


class QualityPolicy(Frozen):
    """Limits of the data quality checks.

    Attributes:
        min_rows: Fewest rows of a window.
        max_null_share: Largest share of nulls in a column, unless the reference had more.
        max_duplicates: Most rows that repeat another row's key.
        max_age_days: Largest age of the newest row at ``as_of``.
        max_unseen_share: Largest share of rows with a level that the reference doesn't list.
        max_outside_share: Largest share of values beyond the reference's range.
        max_infinities: Most infinite values in a column.
    """

    min_rows: int = Field(default=1, ge=1)
    max_null_share: float = Field(default=0.5, ge=0, le=1)
    max_duplicates: int = Field(default=0, ge=0)
    max_age_days: int = Field(default=2, ge=0, le=MOST_DAYS)
    max_unseen_share: float = Field(default=0.01, ge=0, le=1)
    max_outside_share: float = Field(default=0.01, ge=0, le=1)
    max_infinities: int = Field(default=0, ge=0)


class PerformancePolicy(Frozen):
    """When a drop of a metric is an alert.

    Attributes:
        relative_drop: Largest allowed drop as a share of the reference's value.
        absolute_drop: Largest allowed drop in points; either limit alerts.
        ci: Coverage of the intervals that must agree; those of the drops hold jointly for all watched metrics, so
            that by chance any of them alerts in at most (1 − ci) / 2 of windows.
    """

    relative_drop: float = Field(default=0.1, ge=0, le=1)
    absolute_drop: float = Field(default=0.05, ge=0, le=1)
    ci: float = Field(default=0.95, gt=0, lt=1)


class OverTimePolicy(Frozen):
    """How windows in a row make an alert.

    Attributes:
        q: False discovery rate at which a window counts as a hit.
        windows_per_budget: Windows that share the budget ``q``; one window at q over this alerts at once.
        alone: Part of that level for the window alone where it is also looked at together with those before it.
        of_pair: Part for the window and the one before it taken as one, where four are looked at, too; these get the
            rest, and where there are no four the two get it.
        hits: Hits of the same column that alert ...
        of_last: ... within so many windows, the newest among them.
        min_effect: Smallest effect worth an alarm.
        lasting_share: Share of ``min_effect`` from which an open alert stays open, so that one at the border doesn't
            open and close by turns.
    """

    q: float = Field(default=0.05, gt=0, lt=1)
    windows_per_budget: int = Field(default=30, ge=1)
    alone: float = Field(default=0.1, gt=0, lt=1)
    of_pair: float = Field(default=0.5, gt=0, lt=1)
    hits: int = Field(default=2, ge=1)
    of_last: int = Field(default=3, ge=1)
    min_effect: float = DriftPolicy().min_effect
    lasting_share: float = Field(default=0.5, gt=0, le=1)

    def false_alarms_per_month(self, windows_per_month: float) -> float:
        """The budget for false alerts a month: ``q`` for every ``windows_per_budget`` windows.

        A target that simulation confirms for the default rule, not a bound that is proved: windows alone and in
        pairs would use it up if tests were exact and all hypotheses had nulls to find; the features' values get
        four fifths of it, and hits in several windows take part of the rest
        (``benchmarks/drift.py over-time``: quiet series of 30 windows of 15 independent columns).
        """
        return self.q * windows_per_month / self.windows_per_budget


class SkewPolicy(Frozen):
    """Which requests an audit of served features looks at.

    Attributes:
        days: Those of so many newest days.
        max_requests: At most so many, the newest.
    """

    days: int = Field(default=28, ge=1, le=MOST_DAYS)
    max_requests: int = Field(default=10_000, ge=1)


class MonitoringParameters(Frozen):
    """The ``monitoring`` block of a use case's parameters.

    Attributes:
        source: Whose rows are looked at: ``table``, the source's own; ``service``, what the service answered.
        window_days: Length of the use case's window, whose own parameter it is; without dates the newest snapshot.
        window: Length in hours, of which a day is a multiple, in place of ``window_days``: only with ``source:
            service``, whose answers have a time; the rows of a table have days alone.
        max_rows: About how many rows of the window are scored for prediction drift and performance.
        sample_rows: Rows of the window that the multivariate test looks at.
        max_positive_rate_change: Largest relative change of the share of positive predictions.
        estimate: How performance is estimated before labels. ``pape``: from rows like the window's, where the version
            keeps rows (``training.reference_sample_rows``), else as ``cbpe``: from all rows alike.
        drift: When a column alarms.
        over_time: How windows in a row make an alert.
        performance: When a drop of a metric is an alert.
        quality: Limits of the data quality checks.
        reasons: From where on a finding is a reason to retrain; formerly called ``trigger``.
        skew: Which requests ``skew_audit`` looks at.
        report_url: Address under which people open the monitoring page, which alert messages lead to; None: they name
            none.
    """

    source: Literal["table", "service"] = "table"
    window_days: int = Field(default=WINDOW_DAYS, ge=1, le=MOST_DAYS)
    window: Literal["1h", "2h", "3h", "4h", "6h", "8h", "12h"] | None = None
    max_rows: int = Field(default=100_000, ge=100)
    sample_rows: int = Field(default=5_000, ge=100, le=10_000)
    max_positive_rate_change: float = Field(default=0.2, gt=0)
    estimate: EstimateMethod = "pape"
    drift: DriftPolicy = DriftPolicy()
    over_time: OverTimePolicy = OverTimePolicy()
    performance: PerformancePolicy = PerformancePolicy()
    quality: QualityPolicy = QualityPolicy()
    reasons: ReasonPolicy = ReasonPolicy()
    skew: SkewPolicy = SkewPolicy()
    report_url: str | None = Field(default=None, pattern=r"^https?://\S+$")

    @model_validator(mode="before")
    @classmethod
    def _former_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "trigger" in data:
            known = {name: value for name, value in data.items() if name != "trigger"}
            return {**known, "reasons": {**known.get("reasons", {}), **data["trigger"]}}
        return data

    @model_validator(mode="after")
    def _hours_need_times(self) -> MonitoringParameters:
        if self.window is not None and self.source != "service":
            raise ValueError(
                f"window: {self.window} needs rows with a time, but the date of the source's own table is a day; set "
                "source: service, or leave window out and use window_days"
            )
        return self

    @property
    def length(self) -> dt.timedelta:
        """Length of the window."""
        return dt.timedelta(days=self.window_days) if self.window is None else dt.timedelta(hours=int(self.window[:-1]))
