"""Whether what monitoring found is a reason to retrain."""

from __future__ import annotations

from typing import Literal

from evergreen.monitoring.drift.multivariate import MultivariateDrift
from evergreen.monitoring.drift.report import SEVERITIES, DriftReport, Severity
from evergreen.monitoring.estimated import EstimatedPerformance
from evergreen.monitoring.performance import PerformanceReport, PositiveRateShift
from evergreen.monitoring.quality import QualityReport
from evergreen.records import Check, Frozen


class TriggerPolicy(Frozen):
    """What is a reason to retrain.

    Attributes:
        severity: Smallest severity of a column that counts.
        min_importance: Smallest weight of columns in alarm, by importance, that counts.
        max_estimated_drop: Largest drop of the estimated ROC AUC below the reference's.
        max_days_since_training: Age of the model that is a reason by itself; None: never.
    """

    severity: Severity = "high"
    min_importance: float = 0.1
    max_estimated_drop: float = 0.05
    max_days_since_training: int | None = None

    @property
    def drift_allowed(self) -> str:
        """How far columns may drift, in words."""
        return f"below {self.severity}, or below {self.min_importance:.0%} of importance"


class Trigger(Frozen):
    """Whether to retrain, and why.

    Attributes:
        retrain: The decision.
        status: ``retrain``, ``keep``, or ``blocked`` where there are reasons but the data isn't fit to learn from.
        reasons: Reasons to retrain.
        blockers: Failed quality checks that stand against it.
        policy: The limits that were held against the findings.
    """

    retrain: bool
    status: Literal["retrain", "keep", "blocked"]
    reasons: tuple[Check, ...] = ()
    blockers: tuple[Check, ...] = ()
    policy: TriggerPolicy = TriggerPolicy()


def decide_retraining(
    *,
    drift: DriftReport | None = None,
    multivariate: MultivariateDrift | None = None,
    positive_rate: PositiveRateShift | None = None,
    performance: PerformanceReport | None = None,
    estimate: EstimatedPerformance | None = None,
    reference_auc: float | None = None,
    quality: QualityReport | None = None,
    days_since_training: int | None = None,
    policy: TriggerPolicy | None = None,
) -> Trigger:
    """Decide from the other records; one not given says nothing.

    An estimated drop counts only when the whole interval lies below the limit. Failed quality checks block:
    a model trained on broken data would be worse than an old one.
    """
    policy = policy or TriggerPolicy()
    reasons = [
        *_from_drift(drift, policy),
        *_from_performance(performance),
        *_from_estimate(estimate, reference_auc, policy),
    ]
    if multivariate is not None and multivariate.alarm:
        telling = ", ".join(multivariate.features)
        found = f"rows told apart with AUC {multivariate.auc:.3f} by {telling}"
        reasons.append(Check(passed=False, name="multivariate", found=found, allowed="AUC near .5"))
    if positive_rate is not None and positive_rate.alert and positive_rate.relative_change is not None:
        found = f"positive rate changed by {positive_rate.relative_change:+.0%}"
        reasons.append(Check(passed=False, name="predictions", found=found, allowed="within the limit"))
    oldest = policy.max_days_since_training
    if oldest is not None and days_since_training is not None and days_since_training > oldest:
        found, allowed = f"trained {days_since_training} days ago", f"{oldest} days"
        reasons.append(Check(passed=False, name="age", found=found, allowed=allowed))
    failed = [] if quality is None else quality.blockers
    blockers = tuple(
        Check(passed=False, name="quality", found=f"{check.subject}: {check.found_text}", allowed=check.allowed_text)
        for check in failed
    )
    retrain = bool(reasons) and not blockers
    status: Literal["retrain", "keep", "blocked"] = "retrain" if retrain else "keep"
    if reasons and blockers:
        status = "blocked"
    return Trigger(retrain=retrain, status=status, reasons=tuple(reasons), blockers=blockers, policy=policy)


def _from_drift(drift: DriftReport | None, policy: TriggerPolicy) -> list[Check]:
    if drift is None or drift.drifted_importance < policy.min_importance:
        return []
    least = SEVERITIES.index(policy.severity)
    grave = [name for name in drift.alarms if SEVERITIES.index(drift.columns[name].severity) >= least]
    if not grave:
        return []
    found = f"{', '.join(grave)} drifted; {drift.drifted_importance:.0%} of importance in alarm"
    return [Check(passed=False, name="drift", found=found, allowed=policy.drift_allowed)]


def _from_performance(performance: PerformanceReport | None) -> list[Check]:
    if performance is None:
        return []
    return [
        Check(
            name="performance",
            passed=False,
            found=f"{name} fell by {metric.drop:.3f} to {metric.window.value:.3f}",
            allowed=f"{name} by at most {metric.limit:.3f}",
        )
        for name, metric in performance.metrics.items()
        if metric.alert
    ]


def _from_estimate(
    estimate: EstimatedPerformance | None, reference_auc: float | None, policy: TriggerPolicy
) -> list[Check]:
    auc = None if estimate is None else estimate.metrics["roc_auc"]
    if auc is None or auc.high is None or reference_auc is None:
        return []
    limit = reference_auc - policy.max_estimated_drop
    if auc.high >= limit:
        return []
    return [Check(passed=False, name="estimate", found=f"estimated AUC at most {auc.high:.3f}", allowed=f"{limit:.3f}")]
