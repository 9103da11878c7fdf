"""How retraining makes its challenger: rows, recipe, registration, and what is said of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.record import TrainingRecord
from evergreen.retraining.contenders import Contender, RowPool, champions_recipe, train_contenders
from evergreen.retraining.forward import Replay
from evergreen.retraining.forward_contenders import searched_recipe, train_forward
from evergreen.retraining.gate import QualityGate
from evergreen.retraining.parameters import CandidatePolicy, RetrainingParameters
from evergreen.retraining.record import SKIPPED, ChallengerRecord, TrainedChallenger, contender_rows
from evergreen.retraining.row_pool import challenger_bounds, recent_start, rows_that_judge, select_pool
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.rows.fingerprint import fingerprint
from evergreen.rows.labelled import LabelledRows, without_empty_features
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec

KEPT_OUTCOMES = ("undecidable", "rejected")


def required(trigger: RetrainingTrigger | None, champion: registry.ModelVersion) -> RetrainingTrigger:
    """The decision, without which nothing is trained."""
    if trigger is None:
        first = command("kedro run --pipeline=retraining", champion.use_case)
        raise EvergreenError(f"{champion.use_case}: nothing is decided yet, so nothing is trained; run `{first}`.")
    return trigger


def challenger_rows(
    champion: registry.ModelVersion,
    features: ir.Table,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    training: TrainingParameters,
    retraining: RetrainingParameters,
    as_of: dt.date,
) -> RowPool:
    """All rows that a challenger may learn from, labelled by the champion's definition."""
    parent = registry.same_lineage(champion, table, training.label)
    if parent is None:
        raise EvergreenError(
            f"{champion.use_case}: the table's keys or outcome are not those of champion version {champion.version}, "
            "so a challenger could not be compared with it; start a new lineage with "
            f"`{command('kedro run --pipeline=training', champion.use_case)}`."
        )
    bounds = challenger_bounds(parent.bounds, as_of, split)
    recent_from = recent_start(as_of, split, retraining.window_days)
    pool = select_pool(
        features, window, table, bounds, as_of, parent.label, recent_from, parent.as_of, training.max_rows
    )
    return replace(pool, rows=without_empty_features(pool.rows, champion.use_case))


def candidates_of(trigger: RetrainingTrigger, policy: CandidatePolicy) -> CandidatePolicy:
    """What competes; a refresh knows the champion's recipe alone."""
    return policy.model_copy(update={"recipe": "champion"}) if trigger.status == "refresh" else policy


def training_recipe(
    champion: registry.ModelVersion, training: TrainingParameters, policy: CandidatePolicy
) -> TrainingParameters:
    """What is trained on each choice of rows: the champion's own recipe, or the whole search."""
    return champions_recipe(training, *registry.recipe(champion)) if policy.recipe == "champion" else training


def compete(
    champion: registry.ModelVersion,
    pool: RowPool,
    window: ir.Table,
    training: TrainingParameters,
    split: SplitParameters,
    policy: CandidatePolicy,
    window_days: int,
) -> tuple[list[Contender], registry.ForwardEvidence | None]:
    """Choices of rows, best first, and what judges the recipe forward where rows have dates."""
    train_end = champion.manifest.bounds.train_end
    recipe = training_recipe(champion, training, policy)
    if train_end is None:
        return train_contenders(pool, policy, recipe, split), None
    first = judged_from(pool, int(np.datetime64(train_end, "D").astype(np.int64)), policy, window_days)
    choose_days = policy.forward.choose_days
    judged = rows_that_judge(window, pool, champion.manifest.bounds, choose_days, training.max_rows)
    if policy.recipe == "search":
        recipe = searched_recipe(pool, first, recipe, split)
    name = fingerprint(recipe, policy, split, window_days, pool.rows.spec, first)
    known = _said_before(champion, name, judged, policy)
    contenders, found = train_forward(pool, judged, first, window_days, policy, recipe, split, known)
    return contenders, registry.forward_evidence(name, judged, found, first, choose_days)


def judged_from(pool: RowPool, train_end: int, policy: CandidatePolicy, window_days: int) -> int:
    """Day after which a challenger is judged, as days since 1970.

    The champion's training end; moved on by whole ages of a challenger, less a window: were the next one judged on
    newer days alone, a change that came just before could not be answered for weeks.
    """
    age = int(pool.rows.day_numbers.max()) - train_end
    moved = policy.max_age_days * max(age // policy.max_age_days, 0)
    return train_end + max(moved - window_days, 0)


def _said_before(
    champion: registry.ModelVersion, recipe: str, judged: LabelledRows, policy: CandidatePolicy
) -> Replay | None:
    """What models of the same recipe said against the same champion when it was last judged."""
    number = registry.find_by_recipe(champion.use_case, recipe, champion.version)
    if number is None:
        return None
    return registry.known_replay(registry.load(champion.use_case, number), judged, policy.candidates)


def register_contender(
    contenders: list[Contender],
    forward: registry.ForwardEvidence | None,
    plan: registry.TrainingPlan,
    training: TrainingParameters,
    window_days: int,
) -> TrainingRecord:
    """Register the best choice of rows as challenger; later windows are held against its recent rows."""
    best = contenders[0]
    example, learnt = best.rows.X.head(), registry.learnt_rows(plan, best.rows)
    logged = [registry.log_candidate(plan.use_case, "retraining", each, example, learnt) for each in best.candidates]
    record, _ = registry.register_challenger(
        plan, best.rows, logged, training.reference_sample_rows, window_days, best.recent, "window", forward
    )
    return record


def new_challenger(trigger: RetrainingTrigger, record: TrainingRecord, contenders: list[Contender]) -> ChallengerRecord:
    """Say what was trained."""
    best = contenders[0]
    challenger = TrainedChallenger(
        version=record.version,
        algorithm=record.algorithm,
        choice=best.choice,
        training_rows=len(best.rows.y),
        cv_roc_auc=best.candidates[0].cv_roc_auc_mean,
        contenders=contender_rows(contenders),
    )
    reason = f"Version {record.version} learnt from {best.choice.replace('_', ' ')} rows."
    return _record(trigger, "trained", reason, challenger)


def challenger_again(plan: registry.TrainingPlan, trigger: RetrainingTrigger) -> ChallengerRecord:
    """Take up an equal version: to judge it where a run was interrupted before, to leave it where it was decided on."""
    record, _ = registry.reuse_version(plan)
    outcome = registry.status_of(plan.use_case, record.version)
    found = registry.load(plan.use_case, record.version).manifest
    challenger = TrainedChallenger(
        version=record.version,
        algorithm=found.algorithm,
        choice=None,
        training_rows=found.training_rows,
        cv_roc_auc=found.cv_roc_auc_mean,
        contenders=(),
    )
    if outcome == registry.UNDECIDED:
        return _record(trigger, "taken_up", f"Version {record.version} waits for its judgement.", challenger)
    reason = f"Version {record.version} learnt from just these rows and was {outcome} before: new rows are needed."
    return _record(trigger, "decided", reason, challenger, outcome if outcome in KEPT_OUTCOMES else "refused")


def no_challenger(trigger: RetrainingTrigger, gate: QualityGate) -> ChallengerRecord:
    """Say why nothing is trained."""
    return _record(trigger, SKIPPED, " ".join(trigger.reasons) if gate.passed else gate.reason, None)


def _record(
    trigger: RetrainingTrigger,
    status: str,
    reason: str,
    challenger: TrainedChallenger | None,
    earlier_outcome: str | None = None,
) -> ChallengerRecord:
    return ChallengerRecord(
        use_case=trigger.use_case,
        as_of=trigger.as_of,
        status=status,
        champion=trigger.champion,
        challenger=challenger,
        earlier_outcome=earlier_outcome,
        refresh_due=trigger.refresh_due,
        gain_asked=trigger.status != "refresh",
        reason=reason,
    )
