"""How retraining judges its challenger: rows that neither version has seen, checks, figures, decision."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.evaluation.comparison import compare_models
from evergreen.evaluation.decision import PromotionDecision
from evergreen.evaluation.explained import explain_leaderboard
from evergreen.evaluation.judge import ScoredRows, evaluation_record
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.evaluation.slices import slice_metrics
from evergreen.reporting.figures import evaluation_figures
from evergreen.reporting.model_card.card import CardFacts, card_of
from evergreen.reporting.pictures import Subject
from evergreen.retraining.parameters import RetrainingParameters
from evergreen.retraining.record import SKIPPED, ChallengerRecord, ValidationRecord
from evergreen.retraining.refresh import with_refresh
from evergreen.rows.labelled import LabelledRows


def contest_of(use_case: str, challenger: str, champion: str) -> registry.Contest:
    """The two versions that the records name, wherever the aliases point by now."""
    return registry.Contest(registry.load(use_case, challenger), registry.load(use_case, champion))


def judging_rows(contest: registry.Contest, window: ir.Table, evaluation: EvaluationParameters) -> LabelledRows:
    """Labelled rows that neither version has seen; where rows have dates, none of a day that either had learnt."""
    version = contest.challenger
    rows = registry.judging_rows(contest, window, evaluation.max_rows)
    if not len(rows.y):
        dated = version.manifest.bounds.dated
        advice = "wait for a week of newer outcomes" if dated else "raise split.judging_share"
        raise EvergreenError(
            f"{version.use_case}: no labelled row is left that neither version {version.version} nor the "
            f"champion has seen: {advice}."
        )
    return rows


def judged(
    contest: registry.Contest,
    rows: LabelledRows,
    retrained: ChallengerRecord,
    evaluation: EvaluationParameters,
    retraining: RetrainingParameters,
) -> PromotionDecision:
    """The one judge's answer: is a gain shown, where that was asked; and if not, is a refresh due that is ahead?"""
    shown = registry.judge_challenger(contest, rows, evaluation) if retrained.gain_asked else None
    refreshes = retrained.refresh_due and (not retrained.gain_asked or retraining.challenger.recipe == "champion")
    if not refreshes or (shown is not None and shown.serves):
        assert shown is not None  # a challenger is trained to show a gain or to refresh
        return shown
    refresh = registry.judge_refresh(contest, rows, evaluation, retraining.refresh)
    return refresh if shown is None else with_refresh(shown, refresh)


def publish_judgement(
    contest: registry.Contest,
    rows: LabelledRows,
    decision: PromotionDecision,
    explained_rows: int,
    evaluation: EvaluationParameters,
) -> None:
    """Store figures, pictures and card with the challenger: a champion must carry them when its alias is set."""
    version, scored = contest.challenger, _scored(contest, rows)
    models = {scored.algorithm: version.pipeline}
    explained = explain_leaderboard(models, scored, explained_rows, explained_rows)
    spec, threshold, train = rows.spec, version.manifest.threshold, registry.reference_scores(version)
    metrics = {
        "test": classification_metrics(rows.y, scored.judged, threshold, blocks=rows.blocks),
        "train": classification_metrics(train["label"], train["probability"], threshold),
    }
    slices = slice_metrics(
        rows.y, scored.judged, rows.X, spec.categorical, spec.numeric, evaluation.slices, rows.blocks
    )
    pairs = compare_models(rows.y, scored.scores, scored.thresholds, blocks=rows.blocks)
    outcome = registry.outcome_of(contest, decision)
    record = evaluation_record(version.use_case, version.version, scored, metrics, slices, pairs, outcome)
    pictures = evaluation_figures(
        scored, explained.judged, Subject(version.use_case, version.version, scored.algorithm, len(rows.y))
    )
    card = card_of(CardFacts(**version.card_facts(), **evaluation.card.model_dump()), record, scored, explained)
    registry.publish_evaluation(version, registry.Evaluated(record, explained, pictures, card, scored))


def _scored(contest: registry.Contest, rows: LabelledRows) -> ScoredRows:
    """The judging rows with both versions' scores, the challenger's as the judged one."""
    new, old = contest.challenger, contest.reigning
    algorithm, rival = new.manifest.algorithm, f"champion (version {old.version})"
    return ScoredRows(
        test=rows,
        scores={algorithm: registry.judged_scores(new, rows)[0], rival: old.probabilities(rows.rows)},
        thresholds={algorithm: new.manifest.threshold, rival: old.manifest.threshold},
        algorithm=algorithm,
    )


def nothing_to_validate(trained: ChallengerRecord) -> ValidationRecord:
    """Say why nothing is judged."""
    return ValidationRecord(
        use_case=trained.use_case,
        as_of=trained.as_of,
        status=SKIPPED,
        champion=trained.champion,
        challenger=None,
        look=None,
        decision=None,
        reason=trained.reason,
    )
