"""Window and champion → predictions."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir

from evergreen import progress, registry
from evergreen.evaluation.judge import EvaluationRecord
from evergreen.modelling.parameters import ScoringParameters
from evergreen.modelling.scoring import TableScoring
from evergreen.predictions import Predictions, ScoredBy
from evergreen.rows.windows import resolve_as_of, window_rows

logger = logging.getLogger("evergreen.scoring")


def score(
    champion: registry.ModelVersion,
    window: ir.Table,
    scoring: ScoringParameters,
    window_days: int,
    as_of: str | None,
    evaluation: EvaluationRecord | None,  # noqa: ARG001 - the champion is looked up after it was decided on
) -> Predictions:
    """Score the window, or the whole table, with the champion."""
    registry.require_columns(champion, window.columns)
    manifest = champion.manifest
    today = resolve_as_of(window, manifest.spec, as_of, dt.datetime.now(dt.UTC).date())
    rows = window if scoring.whole_table else window_rows(window, manifest.spec, today, window_days)
    by = ScoredBy(champion.use_case, champion.version, manifest.threshold, today)
    logger.info("%s: scoring with version %s as of %s.", champion.use_case, champion.version, today)
    compiled = registry.plain_form(champion)
    how = TableScoring(rows, manifest.spec, champion.probabilities, by, scoring, compiled, manifest.algorithm)
    return Predictions(today, progress.counted(how.batches(), "batch"), how)
