"""Everything that monitoring says of one window, as one record."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from evergreen.monitoring.estimated import EstimatedPerformance
from evergreen.monitoring.history import Alert, OverTimePolicy
from evergreen.monitoring.multivariate import MultivariateDrift
from evergreen.monitoring.performance import PerformancePolicy, PerformanceReport, PositiveRateShift
from evergreen.monitoring.policy import ColumnDrift, DriftPolicy, DriftReport
from evergreen.monitoring.quality import QualityPolicy, QualityReport
from evergreen.monitoring.trigger import Trigger, TriggerPolicy
from evergreen.records import Record


class MonitoringParameters(BaseModel):
    """The ``monitoring`` block of a use case's parameters.

    Attributes:
        window_days: Length of the window; a use case without dates looks at its newest snapshot.
        max_rows: About how many rows of the window are scored for prediction drift and performance.
        sample_rows: Rows of the window that the multivariate test looks at.
        max_positive_rate_change: Largest relative change of the share of positive predictions.
        drift: When a column alarms; its ``q`` is shared with the tests of the scores and of whole rows.
        over_time: How windows in a row make an alert.
        performance: When a drop of a metric is an alert.
        quality: Limits of the data quality checks.
        trigger: What is a reason to retrain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_days: int = Field(default=7, ge=1)
    max_rows: int = Field(default=100_000, ge=100)
    sample_rows: int = Field(default=5_000, ge=100, le=10_000)
    max_positive_rate_change: float = Field(default=0.2, gt=0)
    drift: DriftPolicy = DriftPolicy(q=0.05)
    over_time: OverTimePolicy = OverTimePolicy()
    performance: PerformancePolicy = PerformancePolicy()
    quality: QualityPolicy = QualityPolicy()
    trigger: TriggerPolicy = TriggerPolicy()


class MonitoringRecord(Record):
    """``monitoring.json``; ``status`` is ``ok``, ``drift``, ``performance``, ``insufficient_data`` or ``quality``.

    ``performance``: it fell, though nothing drifted. ``quality``: the data is unfit to be judged.

    Attributes:
        version: The champion that was watched.
        window_start: First day of the window; None without dates.
        window_end: Last day of the window.
        rows: Rows in the window.
        drift: The features, column by column.
        scores: Drift of the predicted probability, by the same test.
        positive_rate: Shift of the share of positive predictions.
        multivariate: Classifier two-sample test on the stored sample; None where no sample is stored.
        performance: Realised performance on mature labels; None where no label is known yet.
        estimate: Performance estimated without labels.
        quality: Checks of the data.
        reference_auc: ROC AUC on the version's test window; None where it has none.
        alerts: What this window opened, repeated or closed, by the rule over windows.
        open_alerts: Columns whose alert is open, by column.
        trigger: Whether to retrain, and why.
        false_alarm_budget: What the rule over windows promises, in words.
    """

    version: str
    window_start: dt.date | None
    window_end: dt.date
    rows: int
    drift: DriftReport
    scores: ColumnDrift
    positive_rate: PositiveRateShift
    multivariate: MultivariateDrift | None
    performance: PerformanceReport | None
    estimate: EstimatedPerformance
    quality: QualityReport
    reference_auc: float | None
    alerts: tuple[Alert, ...]
    open_alerts: dict[str, Alert]
    trigger: Trigger
    false_alarm_budget: str
