"""Is this version better than the champion? Rows, a look at them, the judge's answer, kept for whoever asks again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np

from evergreen.evaluation.accumulating import JudgedDays
from evergreen.evaluation.decision import Evidence, PromotionDecision
from evergreen.evaluation.gain import days_passed, information_of
from evergreen.evaluation.judge import Contestant, ScoredRows, conditions, judge, judge_days
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.evaluation.spending import alpha_of_challenger
from evergreen.registry.artefacts import MODEL_FILE
from evergreen.registry.attempts import keep_judgement, kept_judgement, take_look, take_look_at_days
from evergreen.registry.forward import is_judged_forward, judged_scores
from evergreen.registry.settle import Contest
from evergreen.registry.versions import ModelVersion
from evergreen.retraining.parameters import RefreshPolicy
from evergreen.retraining.refresh import decide_refresh
from evergreen.rows.fingerprint import content_digest
from evergreen.rows.labelled import LabelledRows, select_judging_rows, select_later_rows


def judging_rows(contest: Contest, window: ir.Table, max_rows: int) -> LabelledRows:
    """Labelled rows that neither version has seen; where rows have dates, of days that neither had learnt.

    Args:
        contest: A challenger and the champion.
        window: The newest feature table.
        max_rows: About how many rows to fetch at the most.
    """
    new, old = contest.challenger.manifest, contest.reigning.manifest
    both = new.spec.with_features_of(old.spec)
    if not new.bounds.dated:
        rows = select_judging_rows(window, both, new.label, new.as_of, [old.bounds, new.bounds], None, max_rows)
        return replace(rows, spec=new.spec)
    later = new.bounds if not is_judged_forward(contest.challenger) else old.bounds
    rows = select_later_rows(window, both, new.label, new.as_of, [old.bounds, later], new.bounds.test_end, max_rows)
    scored = ~np.isnan(judged_scores(contest.challenger, replace(rows, spec=new.spec))[0]) if len(rows.y) else []
    return replace(rows.where(np.asarray(scored, dtype=bool)), spec=new.spec).by_day


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
    dated = contest.challenger.manifest.bounds.dated
    if evidence == "judging" and dated:
        decision = _judge_days(contest, rows, policy, digest)
    else:
        found = (
            _judge_requests(contest, rows, policy, digest, evidence, experiment)
            if dated
            else _compare(contest, rows, policy, take_look(contest, digest), evidence)
        )
        decision = found.model_copy(update={"experiment": experiment})
    keep_judgement(contest, digest, decision)
    return decision


def judge_refresh(
    contest: Contest, rows: LabelledRows, policy: EvaluationParameters, refresh: RefreshPolicy
) -> PromotionDecision:
    """May the champion's recipe on newer rows take over without a proven gain? No look is spent on it.

    Args:
        contest: A version of the champion's recipe and the champion.
        rows: What :func:`judging_rows` found.
        policy: What the version must fulfil beside.
        refresh: How far ahead it must be.
    """
    scores, cutoffs = judged_scores(contest.challenger, rows)
    champion = contest.reigning.probabilities(rows.rows)
    checks = conditions(rows.by_day, champion, scores, contestant(contest.challenger), policy, policy.promotion)
    judged = JudgedDays(rows.y.astype(bool), champion, scores, rows.day_numbers, cutoffs)
    return decide_refresh(judged, refresh, policy.promotion, checks)


def _judge_requests(
    contest: Contest,
    rows: LabelledRows,
    policy: EvaluationParameters,
    digest: str,
    evidence: Evidence,
    experiment: str | None,
) -> PromotionDecision:
    """Requests of an experiment, where rows have dates: another challenger out of the one budget of alpha."""
    look = take_look_at_days(contest, digest, 0.0, float(len(rows.y)), experiment or evidence)
    own = alpha_of_challenger(policy.promotion.alpha, look.challenger)
    promotion = policy.promotion.model_copy(update={"alpha": own})
    at_its_share = policy.model_copy(update={"promotion": promotion})
    found = _compare(contest, rows, at_its_share, len(look.elapsed), evidence)
    return found.model_copy(update={"look": look.number})


def _compare(
    contest: Contest, rows: LabelledRows, policy: EvaluationParameters, look: int, evidence: Evidence
) -> PromotionDecision:
    """Both versions' scores of the same rows, as one look at them."""
    pair = contest.reigning.probabilities(rows.rows), contest.challenger.probabilities(rows.rows)
    return judge(rows, *pair, contestant(contest.challenger), policy, look, evidence)


def _judge_days(contest: Contest, rows: LabelledRows, policy: EvaluationParameters, digest: str) -> PromotionDecision:
    challenger = contest.challenger
    scores, cutoffs = judged_scores(challenger, rows)
    passed = days_passed(rows.day_numbers, _judged_from(contest, cutoffs))
    elapsed = min(passed / policy.promotion.planned_days, 1.0)
    look = take_look_at_days(contest, digest, elapsed, information_of(rows.y, cutoffs))
    champion = contest.reigning.probabilities(rows.rows)
    return judge_days(rows, champion, scores, cutoffs, contestant(challenger), policy, look)


def _judged_from(contest: Contest, cutoffs: np.ndarray) -> dt.date | None:
    """The day after which the challenger is judged: the champion's training end, or when its recipe took its place."""
    end = contest.reigning.manifest.bounds.train_end
    if end is None or not is_judged_forward(contest.challenger) or not len(cutoffs):
        return end
    return max(end, dt.date(1970, 1, 1) + dt.timedelta(days=int(cutoffs.min())))


def contestant(version: ModelVersion) -> Contestant:
    """A version, as the judge needs it."""
    return Contestant(version.probabilities, (version.folder / MODEL_FILE).stat().st_size)
