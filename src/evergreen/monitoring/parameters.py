"""The parameters that rule monitoring."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from evergreen.monitoring.alerts import OverTimePolicy
from evergreen.monitoring.drift.report import DriftPolicy
from evergreen.monitoring.performance import PerformancePolicy
from evergreen.monitoring.quality import QualityPolicy
from evergreen.monitoring.reasons import ReasonPolicy
from evergreen.records import Frozen
from evergreen.use_cases import WINDOW_DAYS


class MonitoringParameters(Frozen):
    """The ``monitoring`` block of a use case's parameters.

    Attributes:
        source: Whose rows are looked at: ``table``, the source's own; ``service``, what the service answered.
        window_days: Length of the use case's window, whose own parameter it is; without dates the newest snapshot.
        max_rows: About how many rows of the window are scored for prediction drift and performance.
        sample_rows: Rows of the window that the multivariate test looks at.
        max_positive_rate_change: Largest relative change of the share of positive predictions.
        drift: When a column alarms.
        over_time: How windows in a row make an alert.
        performance: When a drop of a metric is an alert.
        quality: Limits of the data quality checks.
        reasons: From where on a finding is a reason to retrain; formerly called ``trigger``.
    """

    source: Literal["table", "service"] = "table"
    window_days: int = Field(default=WINDOW_DAYS, ge=1)
    max_rows: int = Field(default=100_000, ge=100)
    sample_rows: int = Field(default=5_000, ge=100, le=10_000)
    max_positive_rate_change: float = Field(default=0.2, gt=0)
    drift: DriftPolicy = DriftPolicy()
    over_time: OverTimePolicy = OverTimePolicy()
    performance: PerformancePolicy = PerformancePolicy()
    quality: QualityPolicy = QualityPolicy()
    reasons: ReasonPolicy = ReasonPolicy()

    @model_validator(mode="before")
    @classmethod
    def _former_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "trigger" in data:
            known = {name: value for name, value in data.items() if name != "trigger"}
            return {**known, "reasons": {**known.get("reasons", {}), **data["trigger"]}}
        return data
