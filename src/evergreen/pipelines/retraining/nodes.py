"""Window, alarms and champion → a challenger that is promoted, refused, or not needed."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir

from evergreen import registry
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.modelling.leakage import check_leakage
from evergreen.modelling.parameters import TrainingParameters
from evergreen.monitoring.record import MonitoringRecord
from evergreen.pipelines.retraining.attempts import age_of, note_attempt
from evergreen.pipelines.retraining.challenger import (
    candidates_of,
    challenger_again,
    challenger_rows,
    compete,
    new_challenger,
    no_challenger,
    register_contender,
    required,
)
from evergreen.pipelines.retraining.judgement import (
    contest_of,
    judged,
    judging_rows,
    nothing_to_validate,
    publish_judgement,
)
from evergreen.retraining.gate import (
    QualityGate,
    contract_breach,
    count_window,
    gate_of,
    judge_gate,
    missing_share,
    nothing_to_check,
    recent_rows,
    usual_window,
)
from evergreen.retraining.parameters import RetrainingParameters
from evergreen.retraining.record import ChallengerRecord, RetrainingRecord, ValidationRecord, retraining_record
from evergreen.retraining.row_pool import recent_start
from evergreen.retraining.trigger import RetrainingTrigger, decide_trigger
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import resolve_as_of
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen.retraining")


def decide(
    champion: registry.ModelVersion,
    monitoring: MonitoringRecord,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    retraining: RetrainingParameters,
    as_of: str | None,
) -> RetrainingTrigger:
    """Decide whether there is a reason to retrain, and nothing that holds it back."""
    today = resolve_as_of(window, table, as_of, dt.datetime.now(dt.UTC).date())
    age = age_of(champion, window, table, split, today)
    trigger = decide_trigger(monitoring, age, retraining.trigger, retraining.refresh)
    logger.info("%s: retraining %s. %s", trigger.use_case, trigger.status, " ".join(trigger.reasons))
    return trigger


def check_quality(
    trigger: RetrainingTrigger | None,
    champion: registry.ModelVersion,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    retraining: RetrainingParameters,
    as_of: str | None,
) -> QualityGate:
    """Stop before anything is learnt from rows that are too few, too empty, repeated, or not what they should be."""
    trigger = required(trigger, champion)
    today = resolve_as_of(window, table, as_of, dt.datetime.now(dt.UTC).date())
    if not trigger.fired:
        return nothing_to_check(trigger.use_case, today)
    rows = recent_rows(window, table, today, split, retraining.window_days)
    known = table.without(set(table.features) - set(champion.manifest.spec.features))
    usual, breach = missing_share(registry.reference(champion).profile), contract_breach(rows, known, trigger.use_case)
    start = recent_start(today, split, retraining.window_days)
    such = usual_window(window, known, start, retraining.window_days, champion.manifest.training_rows)
    checks = judge_gate(count_window(rows, known), retraining.gate, usual, breach, such)
    return gate_of(trigger.use_case, today, checks)


def train_challenger(
    quality_gate: QualityGate,
    trigger: RetrainingTrigger | None,
    champion: registry.ModelVersion,
    features: ir.Table,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    training: TrainingParameters,
    retraining: RetrainingParameters,
    window_days: int,
) -> ChallengerRecord:
    """Train a challenger from each choice of rows, and register the one that does best on recent rows."""
    trigger = required(trigger, champion)
    if not (trigger.fired and quality_gate.passed):
        return no_challenger(trigger, quality_gate)
    pool = challenger_rows(champion, features, window, table, split, training, retraining, trigger.as_of)
    check_leakage(pool.rows.X, pool.rows.y, pool.rows.spec, training.leakage)
    policy = candidates_of(trigger, retraining.challenger)
    settings = [training, split, policy]
    plan = registry.plan_training(trigger.use_case, pool.rows, settings, champion.version)
    if plan.reuse is not None:
        return challenger_again(plan, trigger)
    contenders, forward = compete(champion, pool, window, training, split, policy, retraining.window_days)
    record = register_contender(contenders, forward, plan, training, window_days)
    return new_challenger(trigger, record, contenders)


def validate_challenger(
    retrained: ChallengerRecord, window: ir.Table, evaluation: EvaluationParameters, retraining: RetrainingParameters
) -> ValidationRecord:
    """Judge challenger and champion on rows that neither has seen, and store the figures before any alias moves."""
    if retrained.challenger is None or retrained.earlier_outcome is not None:
        return nothing_to_validate(retrained)
    contest = contest_of(retrained.use_case, retrained.challenger.version, retrained.champion)
    rows = judging_rows(contest, window, evaluation)
    decision = judged(contest, rows, retrained, evaluation, retraining)
    publish_judgement(contest, rows, decision, retraining.explained_rows, evaluation)
    return ValidationRecord(
        use_case=retrained.use_case, as_of=retrained.as_of, status=decision.decision, champion=retrained.champion,
        challenger=retrained.challenger.version, look=decision.look, decision=decision,
        reason=" ".join(decision.reasons),
    )  # fmt: skip


def promote_challenger(
    quality_gate: QualityGate, trigger: RetrainingTrigger, retrained: ChallengerRecord, validation: ValidationRecord
) -> RetrainingRecord:
    """Carry the decision out: move the champion alias or leave it, and clear the challenger's either way."""
    outcome: str | None = None
    after = trigger.champion
    if validation.challenger is not None:
        contest = contest_of(validation.use_case, validation.challenger, validation.champion)
        settled = registry.settle(contest, validation.decision)
        note_attempt(contest.reigning, trigger, retrained, settled)
        outcome, after = settled.outcome, settled.champion_after or after
    record = retraining_record(quality_gate, trigger, retrained, validation, outcome, after)
    registry.publish_record(record, "retraining")
    logger.info("%s: retraining %s. %s", record.use_case, record.status, record.reason)
    return record
