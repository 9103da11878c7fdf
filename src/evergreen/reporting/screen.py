"""The screen at the end of a run: champion, metrics, alarms, decision, where to look."""

from __future__ import annotations

from dataclasses import dataclass

from evergreen.evaluation.judge import LOGISTIC_REGRESSION, EvaluationRecord, PromotionOutcome
from evergreen.invocation import command
from evergreen.modelling.record import TrainingRecord
from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.reporting.serving import ServingRecord
from evergreen.retraining.record import RetrainingRecord
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.wording import in_words

RULE = "─" * 78


@dataclass(frozen=True)
class Lifecycle:
    """The newest records of one use case; None where a pipeline has not run."""

    training: TrainingRecord | None = None
    evaluation: EvaluationRecord | None = None
    monitoring: MonitoringRecord | None = None
    trigger: RetrainingTrigger | None = None
    retraining: RetrainingRecord | None = None
    serving: ServingRecord | None = None


def summary(records: dict[str, Lifecycle], data: str) -> str:
    """One screen for all use cases.

    Args:
        records: Use case → its newest records.
        data: The folder that holds all layers.
    """
    parts = [_use_case(name, found) for name, found in records.items() if found != Lifecycle()]
    versions = [f"  {command('kedro models list', name)}" for name in records]
    where = f"Records and reports: {data}/08_reporting/<use_case>/"
    return "\n".join([RULE, *parts, where, "Versions:", *versions, RULE])


def _use_case(name: str, records: Lifecycle) -> str:
    lines = [name]
    if records.serving is not None:
        lines.append(f"champion   version {records.serving.version} {records.serving.algorithm} serves")
    elif records.evaluation is not None:
        lines.append("champion   none: scoring, monitoring and retraining were skipped")
    if records.evaluation is not None:
        lines += _evaluation(records.evaluation, records.training)
    if records.monitoring is not None:
        answer = retraining_answer(records.monitoring, records.trigger)
        lines += [_monitoring(records.monitoring), f"retrain?   {answer.sentence}"]
    if records.retraining is not None and _is_newest(records.retraining, records.trigger):
        lines += _retraining(records.retraining)
    return "\n  ".join(lines)


def _evaluation(evaluation: EvaluationRecord, training: TrainingRecord | None) -> list[str]:
    auc = evaluation.metrics["test"]["roc_auc"]
    baseline = evaluation.test_roc_auc.get(LOGISTIC_REGRESSION)
    promotion = evaluation.promotion
    figures = f"test AUC {_number(auc.value)} ({_number(auc.low)} to {_number(auc.high)})"
    against = f"logistic regression {_number(baseline)}"
    lines = [
        f"judged     version {evaluation.version} {evaluation.algorithm}: {figures}, {against}, "
        f"on {evaluation.n_test:,} test rows",
        f"decision   {promotion.outcome}{_reason(promotion)}",
    ]
    if training is not None and training.status == "reused":
        lines.append(f"training   version {training.version} reused: same rows, same parameters")
    return lines


def _monitoring(record: MonitoringRecord) -> str:
    drifted = [name for name, column in record.drift.columns.items() if column.alarm]
    alarms = [f"{len(drifted)} of {len(record.drift.columns)} columns drifted{_listed(drifted)}"]
    if record.performance is not None and any(drop.alert for drop in record.performance.metrics.values()):
        auc = record.performance.metrics["roc_auc"]
        alarms.append(f"performance fell (AUC {_number(auc.reference)} → {_number(auc.window.value)})")
    status = in_words(record.status)
    return f"monitored  version {record.version}, {record.rows:,} rows: {status}; {', '.join(alarms)}"


def _is_newest(record: RetrainingRecord, decision: RetrainingTrigger | None) -> bool:
    """Whether no decision was made after this retraining's."""
    return decision is None or decision.as_of == record.as_of


def _retraining(record: RetrainingRecord) -> list[str]:
    lines = [f"retraining {in_words(record.status)}: {record.reason}"]
    if record.challenger is not None:
        challenger = record.challenger
        lines.append(
            f"challenger version {challenger.version} {challenger.algorithm}, "
            f"trained on {challenger.training_rows:,} rows ({in_words(challenger.choice or 'earlier')})"
        )
    before, after = record.champion.before, record.champion.after
    lines.append(f"champion   version {before} → {after}" if before != after else f"champion   stays version {after}")
    return lines


def _listed(names: list[str], most: int = 3) -> str:
    shown = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return f" ({shown})" if names else ""


def _reason(promotion: PromotionOutcome) -> str:
    if promotion.decision is None:
        return ": it serves already"
    return ": " + " ".join(promotion.decision.reasons)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
