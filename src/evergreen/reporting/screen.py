"""The screen at the end of a run: champion, metrics, alarms, decision, where to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from evergreen.evaluation.judge import LOGISTIC_REGRESSION, EvaluationRecord, PromotionOutcome
from evergreen.invocation import command
from evergreen.modelling.record import TrainingRecord
from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.reporting.serving import ServingRecord
from evergreen.retraining.record import RetrainingRecord
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.wording import in_words, number_text

RULE = "─" * 78
MOST_LINES = 25  # what fits a terminal


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
    """One screen for all use cases, of at most ``MOST_LINES`` lines: one line a use case where more are too many.

    Args:
        records: Use case → its newest records.
        data: The folder that holds all layers.
    """
    known = {name: found for name, found in records.items() if found != Lifecycle()}
    end = [
        f"Records and reports: {data}/08_reporting/<use_case>/, beginning with dashboard.html",
        f"Versions: {command('kedro models list')}",
        RULE,
    ]
    whole = [line for name, found in known.items() for line in _use_case(name, found)]
    room = MOST_LINES - len(end) - 1
    lines = whole if len(whole) <= room else [_in_one_line(name, found) for name, found in known.items()]
    if len(lines) > room:
        lines = [*lines[: room - 1], f"… and {len(lines) - room + 1} more"]
    return "\n".join([RULE, *lines, *end])


def _in_one_line(name: str, records: Lifecycle) -> str:
    """What serves, what was seen, what was decided."""
    serving = f"version {records.serving.version} serves" if records.serving is not None else "nothing serves"
    seen = f", {in_words(records.monitoring.status)}" if records.monitoring is not None else ""
    retraining = records.retraining
    decided = f", retraining {in_words(retraining.status)}" if _is_newest(retraining, records.trigger) else ""
    return f"{name}: {serving}{seen}{decided}"


def _use_case(name: str, records: Lifecycle) -> list[str]:
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
    if _is_newest(records.retraining, records.trigger):
        lines += _retraining(records.retraining)
    first, *others = [line for told in lines for line in told.splitlines()]
    return [first, *(f"  {line}" for line in others)]


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
    alarms = [f"{len(drifted)} of {len(record.drift.watched)} columns drifted{_listed(drifted)}"]
    if record.drift.group_alarms:
        alarms.append(f"{len(record.drift.group_alarms)} within groups of rows")
    if record.performance is not None and any(drop.alert for drop in record.performance.metrics.values()):
        auc = record.performance.metrics["roc_auc"]
        alarms.append(f"performance fell (AUC {_number(auc.reference)} → {_number(auc.window.value)})")
    status = in_words(record.status)
    return f"monitored  version {record.version}, {record.rows:,} rows: {status}; {', '.join(alarms)}"


def _is_newest(record: RetrainingRecord | None, decision: RetrainingTrigger | None) -> TypeGuard[RetrainingRecord]:
    """Whether no decision was made after this retraining's."""
    return record is not None and (decision is None or decision.as_of == record.as_of)


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
    return "–" if value is None else number_text(value)
