"""What is a dashboard drawn from? Records of the pipelines, the registry and the service; None where there is none."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import pandas as pd

from evergreen.evaluation.judge import EvaluationRecord
from evergreen.experiments.record import SKIPPED, ExperimentRecord
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Frozen, Record
from evergreen.reporting.serving import Event, ServingRecord
from evergreen.retraining.backtest.record import BacktestRecord
from evergreen.retraining.record import RetrainingRecord
from evergreen.retraining.trigger import RetrainingTrigger


class RegisteredVersion(Frozen):
    """One version, as the registry lists it."""

    version: str
    algorithm: str
    status: str
    created: dt.datetime
    test_roc_auc: float | None


class TrainedAlgorithm(Frozen):
    """One algorithm of the champion's training.

    Attributes:
        algorithm: Its name.
        cv_roc_auc: Cross-validated ROC AUC; None where it failed.
        cv_spread: Standard deviation of it over folds.
        fit_seconds: Seconds that its fits took.
    """

    algorithm: str
    cv_roc_auc: float | None
    cv_spread: float | None
    fit_seconds: float | None


class Standing(Frozen):
    """What the registry knows of a use case.

    Attributes:
        serving: Which version serves; None before the first champion.
        versions: All versions, oldest first.
        events: The audit, oldest first: promotions, rollbacks, looks, rejections.
        algorithms: The algorithms of the newest training.
        importance: Mean absolute SHAP value by feature of the version that serves, largest first.
        units: Of the SHAP values.
    """

    serving: ServingRecord | None = None
    versions: tuple[RegisteredVersion, ...] = ()
    events: tuple[Event, ...] = ()
    algorithms: tuple[TrainedAlgorithm, ...] = ()
    importance: tuple[tuple[str, float], ...] = ()
    units: str = ""


class ServiceStatus(Record):
    """``service.json``: what the service last said of itself; ``status`` is ``alive`` or ``refused``.

    Attributes:
        said: When.
        started: Since when it runs.
        version: The version that it answers with.
        predictions: Rows answered.
        positive_rate: Share of positive answers.
        mean_confidence: Mean probability of the class that was answered.
        latency_ms: Mean time from a request's arrival to its answer, in milliseconds.
        restarts: Workers that crashed.
        refused: Why the champion cannot be served; None where it can.
        drifted: Columns in which live traffic drifted.
    """

    said: dt.datetime
    started: dt.datetime
    version: str = ""
    predictions: int = 0
    positive_rate: float | None = None
    mean_confidence: float | None = None
    latency_ms: float | None = None
    restarts: int = 0
    refused: str | None = None
    drifted: tuple[str, ...] = ()


@dataclass(frozen=True)
class DashboardRecords:
    """Everything that a dashboard may show.

    Attributes:
        use_case: Name of the use case.
        as_of: The newest date that any record pretends is today; None before the first.
        standing: What the registry knows.
        evaluation: How the version that serves was judged.
        monitoring: The newest window.
        profiles: Profiles of the probabilities, of the reference and of the window.
        history: Rows of all windows, a row a column; versions mixed.
        metrics: Window metrics of all windows, a row a number; versions mixed.
        policy: The rules of monitoring, whose limits are drawn.
        trigger: The newest decision of retraining.
        retraining: The newest retraining.
        experiment: What the newest experiment says.
        backtest: Which policy of retraining pays.
        service: What the service last said of itself.
    """

    use_case: str
    as_of: dt.date | None = None
    standing: Standing = field(default_factory=Standing)
    evaluation: EvaluationRecord | None = None
    monitoring: MonitoringRecord | None = None
    profiles: tuple[Profile, Profile] | None = None
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame)
    policy: MonitoringParameters | None = None
    trigger: RetrainingTrigger | None = None
    retraining: RetrainingRecord | None = None
    experiment: ExperimentRecord | None = None
    backtest: BacktestRecord | None = None
    service: ServiceStatus | None = None

    @property
    def running(self) -> ExperimentRecord | None:
        """The experiment, where there is one."""
        return None if self.experiment is None or self.experiment.status == SKIPPED else self.experiment


def watched_last(records: DashboardRecords) -> DashboardRecords:
    """The same, rows of the version that was watched last behind those of others.

    Where several versions watched a window, what is said of it is what that version saw: the last row counts.
    """
    seen = records.monitoring
    if seen is None:
        return records
    return replace(
        records, history=_behind(records.history, seen.version), metrics=_behind(records.metrics, seen.version)
    )


def _behind(rows: pd.DataFrame, version: str) -> pd.DataFrame:
    if "version" not in rows:
        return rows
    own = rows["version"].eq(version)
    return pd.concat([rows[~own], rows[own]], ignore_index=True)
