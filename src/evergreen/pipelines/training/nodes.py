"""Features → a registered challenger."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir
import pandas as pd

from evergreen import progress, registry
from evergreen.modelling.leakage import check_leakage
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.record import TrainingRecord, leaderboard_text, progress_text
from evergreen.modelling.search import Candidate, train_candidates
from evergreen.rows.labelled import (
    LabelledRows,
    require_both_outcomes,
    select_training_set,
    window_bounds,
    without_empty_features,
)
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import resolve_as_of
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen.training")


def select_rows(
    features: ir.Table,
    incumbent: registry.ModelVersion | None,
    table: TableSpec,
    split: SplitParameters,
    training: TrainingParameters,
    as_of: str | None,
) -> LabelledRows:
    """Cut the training window and label its rows, by the champion's definition where there is one."""
    today = resolve_as_of(features, table, as_of, dt.datetime.now(dt.UTC).date())
    parent = registry.same_lineage(incumbent, table, training.label)
    bounds = window_bounds(features, table, split, today)
    label = parent.label if parent else training.label
    return select_training_set(features, table, bounds, today, label, training.max_rows)


def refuse_leaks(labelled_rows: LabelledRows, use_case: str, training: TrainingParameters) -> LabelledRows:
    """Leave out features without a value, and stop where outcomes are too few or hide among the features."""
    require_both_outcomes(labelled_rows)
    rows = without_empty_features(labelled_rows, use_case)
    check_leakage(rows.X, rows.y, rows.spec, training.leakage)
    return rows


def plan(
    training_set: LabelledRows,
    incumbent: registry.ModelVersion | None,
    use_case: str,
    training: TrainingParameters,
    split: SplitParameters,
) -> registry.TrainingPlan:
    """Find out whether a version was already trained on just these rows with just these parameters."""
    lineage = registry.same_lineage(incumbent, training_set.spec, training.label)
    parent = incumbent.version if incumbent and lineage else None
    return registry.plan_training(use_case, training_set, [training, split], parent)


def train(
    training_set: LabelledRows,
    training_plan: registry.TrainingPlan,
    training: TrainingParameters,
    split: SplitParameters,
) -> list[registry.LoggedCandidate]:
    """Search and fit every algorithm, one nested MLflow run each; nothing where a version is reused."""
    if training_plan.reuse is not None:
        return []
    use_case, logged = training_plan.use_case, dict[str, registry.LoggedCandidate]()
    example, learnt = training_set.X.head(), registry.learnt_rows(training_plan, training_set)
    waiting = progress.counted(training.algorithms, "algorithm")
    next(waiting)

    def keep(candidate: Candidate) -> None:
        logged[candidate.algorithm] = registry.log_candidate(use_case, "training", candidate, example, learnt)
        logger.info("%s: %s", use_case, progress_text(candidate))
        next(waiting, None)

    rows = training_set
    ranked = train_candidates(
        rows.X, rows.y, rows.share, rows.dates, rows.spec, training, split, sample_weight=rows.weights, on_result=keep
    )
    return [logged[candidate.algorithm] for candidate in ranked]


def register(
    training_set: LabelledRows,
    training_plan: registry.TrainingPlan,
    candidates: list[registry.LoggedCandidate],
    training: TrainingParameters,
    window_days: int,
) -> tuple[TrainingRecord, pd.DataFrame]:
    """Register the winner as challenger, or take up the version that is already there."""
    if training_plan.reuse is not None:
        record, selected = registry.reuse_version(training_plan)
    else:
        record, selected = registry.register_challenger(
            training_plan, training_set, candidates, training.reference_sample_rows, window_days
        )
    logger.info("%s: version %s %s.\n%s", record.use_case, record.version, record.status, leaderboard_text(record))
    return record, selected
