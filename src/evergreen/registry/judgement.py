"""Is this version better than the champion? Rows, a look at them, the judge's answer, kept for whoever asks again."""

from __future__ import annotations

from dataclasses import replace

import ibis.expr.types as ir

from evergreen.evaluation.decision import Evidence, PromotionDecision
from evergreen.evaluation.judge import Contestant, ScoredRows, judge
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.registry.artefacts import MODEL_FILE
from evergreen.registry.attempts import keep_judgement, kept_judgement, take_look
from evergreen.registry.settle import Contest
from evergreen.registry.versions import ModelVersion
from evergreen.rows.fingerprint import content_digest
from evergreen.rows.labelled import LabelledRows, select_judging_rows


def judging_rows(contest: Contest, window: ir.Table, max_rows: int) -> LabelledRows:
    """Labelled rows that neither version has seen.

    Args:
        contest: A challenger and the champion.
        window: The newest feature table.
        max_rows: About how many rows to fetch at the most.
    """
    new, old = contest.challenger.manifest, contest.reigning.manifest
    bounds, end = [old.bounds, new.bounds], new.bounds.test_end
    both = new.spec.with_features_of(old.spec)
    rows = select_judging_rows(window, both, new.label, new.as_of, bounds, end, max_rows)
    return replace(rows, spec=new.spec)


def judge_first(version: ModelVersion, scored: ScoredRows, policy: EvaluationParameters) -> PromotionDecision:
    """May the version be the first champion? Judged on its own test rows."""
    return judge(scored.test, None, scored.judged, contestant(version), policy)


def judge_challenger(
    contest: Contest,
    rows: LabelledRows,
    policy: EvaluationParameters,
    evidence: Evidence = "judging",
    experiment: str | None = None,
) -> PromotionDecision:
    """May the challenger replace the champion? Every comparison takes a look; asked again it repeats its answer.

    Args:
        contest: A challenger and the champion.
        rows: What :func:`judging_rows` found.
        policy: What the challenger must show.
        evidence: Where the rows come from.
        experiment: The experiment that brought them, or None.
    """
    digest = content_digest(rows.rows)
    kept = kept_judgement(contest, digest)
    if kept is not None:
        return kept
    challenger = contest.challenger
    look = take_look(contest, digest)
    pair = contest.reigning.probabilities(rows.rows), challenger.probabilities(rows.rows)
    found = judge(rows, *pair, contestant(challenger), policy, look, evidence)
    decision = found.model_copy(update={"experiment": experiment})
    keep_judgement(contest, digest, decision)
    return decision


def contestant(version: ModelVersion) -> Contestant:
    """A version, as the judge needs it."""
    return Contestant(version.probabilities, (version.folder / MODEL_FILE).stat().st_size)
