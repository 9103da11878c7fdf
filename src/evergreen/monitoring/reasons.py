"""What monitoring found that may be a reason to retrain, each with its numbers; ``retraining`` decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evergreen.monitoring.alerts import Alert
from evergreen.monitoring.drift.multivariate import MultivariateDrift
from evergreen.monitoring.drift.report import DriftReport
from evergreen.monitoring.estimated import EstimatedPerformance
from evergreen.monitoring.parameters import SEVERITIES, ReasonPolicy
from evergreen.monitoring.performance import PerformanceReport, PositiveRateShift
from evergreen.records import Check

ReasonName = Literal["performance", "estimate", "drift", "breadth", "multivariate", "predictions", "age"]


def find_reasons(
    *,
    drift: DriftReport | None = None,
    multivariate: MultivariateDrift | None = None,
    positive_rate: PositiveRateShift | None = None,
    performance: PerformanceReport | None = None,
    estimate: EstimatedPerformance | None = None,
    reference_auc: float | None = None,
    days_since_training: int | None = None,
    policy: ReasonPolicy | None = None,
) -> tuple[Check, ...]:
    """Every reason, given or not; a check that fails is a reason to retrain.

    A finding that is not handed in gives no check. An estimated drop counts only when the whole interval lies below
    the limit.
    """
    policy = policy or ReasonPolicy()
    checks = [*_performance(performance), _estimate(estimate, reference_auc, policy)]
    if drift is not None:
        checks += [_drift(drift, policy), _breadth(drift, policy)]
    checks += [_multivariate(multivariate), _predictions(positive_rate)]
    if days_since_training is not None:
        checks.append(_age(days_since_training, policy))
    return tuple(checks)


def by_alerts(
    drift: DriftReport, open_alerts: Mapping[str, Alert], importance: Mapping[str, float] | None
) -> DriftReport:
    """The report with a column in alarm where an alert over windows is open, whatever this window alone says.

    Args:
        drift: The report on the window.
        open_alerts: The latest event of each open alert, by column.
        importance: Weight of each column, a column not named weighing nothing; None: all alike.
    """
    columns = {
        name: column.model_copy(
            update={
                "alarm": name in open_alerts,
                "severity": open_alerts[name].severity if name in open_alerts else "none",
            }
        )
        for name, column in drift.columns.items()
    }
    judged = [name for name, column in columns.items() if column.status != "off"]
    weights = {name: 1.0 if importance is None else importance.get(name, 0.0) for name in judged}
    alerted, total = [name for name in judged if columns[name].alarm], sum(weights.values())
    return drift.model_copy(
        update={
            "columns": columns,
            "drifted_share": len(alerted) / max(len(judged), 1),
            "drifted_importance": sum(weights[name] for name in alerted) / total if total else 0.0,
        }
    )


def _performance(performance: PerformanceReport | None) -> list[Check]:
    """One check for each metric in alert; where none is, how ROC AUC moved."""
    metrics = {} if performance is None else performance.metrics
    fallen = [
        _reason(
            "performance",
            False,
            f"{name} fell by {metric.drop:.3f} to {metric.window.value:.3f}",
            f"{name} by at most {metric.limit:.3f}",
            metric.drop,
        )
        for name, metric in metrics.items()
        if metric.alert
    ]
    if fallen:
        return fallen
    auc = metrics.get("roc_auc")
    if auc is None or auc.drop is None:
        return [_reason("performance", True, "no ROC AUC on mature labels", "a drop within the limits")]
    moved = f"roc_auc {'fell' if auc.drop > 0 else 'rose'} by {abs(auc.drop):.3f}"
    return [_reason("performance", True, moved, f"roc_auc by at most {auc.limit:.3f}, beyond noise")]


def _estimate(estimate: EstimatedPerformance | None, reference_auc: float | None, policy: ReasonPolicy) -> Check:
    auc = None if estimate is None else estimate.metrics.get("roc_auc")
    if auc is None or auc.value is None:
        return _reason("estimate", True, "no estimate", f"a drop of at most {policy.max_estimated_drop:g}")
    limit = None if reference_auc is None else reference_auc - policy.max_estimated_drop
    if limit is None or auc.high is None or auc.high >= limit:
        allowed = f"a drop of at most {policy.max_estimated_drop:g}, interval included"
        return _reason("estimate", True, f"estimated AUC {auc.value:.3f}", allowed)
    drop = limit + policy.max_estimated_drop - auc.high
    return _reason("estimate", False, f"estimated AUC at most {auc.high:.3f}", f"{limit:.3f}", drop)


def _drift(drift: DriftReport, policy: ReasonPolicy) -> Check:
    least = SEVERITIES.index(policy.severity)
    grave = [name for name in drift.alarms if SEVERITIES.index(drift.columns[name].severity) >= least]
    weight = f"{drift.drifted_importance:.0%} of importance in alarm"
    allowed = f"below {policy.severity}, or below {policy.min_importance:.0%} of importance"
    if not grave or drift.drifted_importance < policy.min_importance:
        return _reason("drift", True, weight, allowed)
    return _reason("drift", False, f"{', '.join(grave)} drifted; {weight}", allowed, drift.drifted_importance)


def _breadth(drift: DriftReport, policy: ReasonPolicy) -> Check:
    within = drift.drifted_share <= policy.max_drifted_share
    found, allowed = f"{drift.drifted_share:.0%} of columns drifted", f"{policy.max_drifted_share:.0%}"
    return _reason("breadth", within, found, allowed, drift.drifted_share)


def _multivariate(found: MultivariateDrift | None) -> Check:
    if found is None or found.auc is None:
        return _reason("multivariate", True, "no stored sample to compare with", "AUC near .5")
    by = f" by {', '.join(found.features)}" if found.alarm else ""
    told = f"rows are distinguished with AUC {found.auc:.3f}{by}"
    return _reason("multivariate", not found.alarm, told, "AUC near .5", found.auc - 0.5)


def _predictions(shift: PositiveRateShift | None) -> Check:
    if shift is None or shift.relative_change is None:
        return _reason("predictions", True, "no positive rate", "within the limit")
    found = f"positive rate changed by {shift.relative_change:+.0%}"
    return _reason("predictions", not shift.alert, found, "within the limit", abs(shift.relative_change))


def _age(days: int, policy: ReasonPolicy) -> Check:
    oldest = policy.max_days_since_training
    allowed = "any age" if oldest is None else f"{oldest} days"
    return _reason("age", oldest is None or days <= oldest, f"trained {days} days ago", allowed)


def _reason(name: ReasonName, passed: bool, found: str, allowed: str, effect: float | None = None) -> Check:
    return Check(name=name, passed=passed, found=found, allowed=allowed, effect=effect)
