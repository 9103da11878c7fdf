"""Everything that monitoring says of one window, as one record."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, model_validator

from evergreen.monitoring.alerts import Alert
from evergreen.monitoring.drift.multivariate import MultivariateDrift
from evergreen.monitoring.drift.report import ColumnDrift, DriftReport
from evergreen.monitoring.estimated import EstimatedPerformance
from evergreen.monitoring.performance import PerformanceReport, PositiveRateShift
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.quality import QualityReport
from evergreen.records import Check, Record


def _moment(value: Any) -> dt.date:
    """A day, or a time of day where it is written with one."""
    if isinstance(value, dt.date):
        return value
    text = str(value)
    return dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)


_AS_TEXT = PlainSerializer(lambda moment: moment.isoformat(), return_type=str, when_used="json")
Moment = Annotated[dt.date, PlainValidator(_moment), _AS_TEXT]


class MonitoringRecord(Record):
    """``monitoring.json``; ``status`` is ``ok``, ``drift``, ``performance``, ``insufficient_data`` or ``quality``.

    ``performance``: it fell, though nothing drifted. ``quality``: the data is unfit to be judged.

    Attributes:
        version: The champion that was watched.
        window_start: First day of the window, or minute where it is one of hours; None without dates.
        window_end: Last day or minute of the window.
        rows: Rows in the window.
        drift: The features, column by column, over all rows and within groups of them.
        scores: Drift of the predicted probability, by the same test.
        positive_rate: Shift of the share of positive predictions.
        multivariate: Classifier two-sample test on the stored sample; None where no sample is stored.
        performance: Realised performance on mature labels; None where no label is known yet.
        estimate: Performance estimated without labels.
        quality: Checks of the data.
        reference_auc: ROC AUC on the version's test window; None where it has none.
        alerts: What this window opened, repeated or closed, by the rule over windows.
        open_alerts: Columns whose alert is open, by column.
        reasons: What may be a reason to retrain, given or not; a check that fails is one.
        false_alarm_budget: What the rule over windows promises, in words.
    """

    version: str
    window_start: Moment | None
    window_end: Moment
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
    reasons: tuple[Check, ...]
    false_alarm_budget: str

    @model_validator(mode="before")
    @classmethod
    def _former_layout(cls, data: Any) -> Any:
        """Monitoring once decided by itself, under ``trigger``; of that its reasons are kept."""
        if isinstance(data, dict) and "trigger" in data:
            former = {**data, "reasons": data["trigger"]["reasons"]}
            del former["trigger"]
            return former
        return data

    @property
    def asking(self) -> tuple[Check, ...]:
        """The reasons that are given."""
        return tuple(reason for reason in self.reasons if not reason.passed)

    @property
    def evidence(self) -> tuple[Check, ...]:
        """What a decision about retraining rests on: reasons, and what makes the data unfit."""
        return (*self.reasons, *self.quality.blockers)


class WindowProfile(Record):
    """``window_profile.json``: the window as the page draws it; ``status`` is that of the monitoring record.

    Attributes:
        version: The champion that was watched.
        features: Profile of the features.
        scores: Profile of the predicted probability.
    """

    version: str
    features: Profile
    scores: Profile
