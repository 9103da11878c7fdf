"""Challenger → test figures, explanations and the promotion decision."""

from __future__ import annotations

import logging

import ibis.expr.types as ir
import pandas as pd
import plotly.graph_objects as go

from evergreen import registry
from evergreen.evaluation.comparison import PairComparison, compare_models
from evergreen.evaluation.explained import Explained, explain_leaderboard
from evergreen.evaluation.judge import EvaluationRecord, PromotionOutcome, ScoredRows, evaluation_record
from evergreen.evaluation.metrics import Metric, classification_metrics
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.evaluation.slices import SliceMetric, slice_metrics
from evergreen.modelling.record import TrainingRecord
from evergreen.records import Record
from evergreen.reporting.figures import PICTURES, evaluation_figures
from evergreen.reporting.index import ContentsRecord
from evergreen.reporting.model_card.card import CardFacts, ModelCard, card_of
from evergreen.reporting.pictures import Subject
from evergreen.rows.labelled import select_judging_rows, select_test_rows

logger = logging.getLogger("evergreen.evaluation")


def line_up(
    training: TrainingRecord, challenger: registry.ModelVersion, incumbent: registry.ModelVersion | None
) -> registry.Contest:
    """Fix who is judged against whom; the training record stands among the inputs so that it comes first."""
    logger.info("%s: judging version %s.", training.use_case, challenger.version)
    return registry.Contest(challenger, incumbent)


def score_test_rows(
    features: ir.Table, window: ir.Table, contest: registry.Contest, evaluation: EvaluationParameters
) -> ScoredRows:
    """Fetch the rows that the version has not seen once, and score them with every algorithm of its leaderboard."""
    version, manifest = contest.challenger, contest.challenger.manifest
    spec, label, bounds, as_of = manifest.spec, manifest.label, manifest.bounds, manifest.as_of
    if registry.is_judged_forward(version):
        return registry.scored_test_days(version, window, evaluation.max_rows)
    if manifest.tested_on == "window":
        test = select_judging_rows(window, spec, label, as_of, [bounds], bounds.test_end, evaluation.max_rows)
    else:
        test = select_test_rows(features, spec, bounds, as_of, label, evaluation.max_rows)
    models = registry.leaderboard_models(version)
    scores = {name: model.predict_proba(test.X)[:, 1] for name, (model, _) in models.items()}
    return ScoredRows(test, scores, {name: each for name, (_, each) in models.items()}, manifest.algorithm)


def measure(scored: ScoredRows, contest: registry.Contest) -> dict[str, dict[str, Metric]]:
    """Metrics with intervals on the test window, and beside them out of fold on the training window."""
    threshold = contest.challenger.manifest.threshold
    train = registry.reference_scores(contest.challenger)
    return {
        "test": classification_metrics(scored.test.y, scored.judged, threshold, blocks=scored.test.blocks),
        "train": classification_metrics(train["label"], train["probability"], threshold),
    }


def slice_scores(scored: ScoredRows, evaluation: EvaluationParameters) -> list[SliceMetric]:
    """The judged version on every group of every feature."""
    test, spec = scored.test, scored.test.spec
    return slice_metrics(test.y, scored.judged, test.X, spec.categorical, spec.numeric, evaluation.slices, test.blocks)


def compare(scored: ScoredRows) -> list[PairComparison]:
    """The best three algorithms against each other, and the judged version against the logistic regression."""
    return compare_models(scored.test.y, scored.scores, scored.thresholds, blocks=scored.test.blocks)


def explain(
    scored: ScoredRows, contest: registry.Contest, evaluation: EvaluationParameters
) -> tuple[Explained, pd.DataFrame, pd.DataFrame]:
    """SHAP for every algorithm, and for the judged version permutation importance beside it."""
    models = {name: model for name, (model, _) in registry.leaderboard_models(contest.challenger).items()}
    explained = explain_leaderboard(models, scored, evaluation.explained_rows, evaluation.explained_rows_others)
    return explained, explained.importance, explained.by_algorithm


def draw(scored: ScoredRows, explained: Explained, contest: registry.Contest) -> dict[str, go.Figure]:
    """The pictures of the evaluation."""
    version = contest.challenger
    subject = Subject(version.use_case, version.version, scored.algorithm, len(scored.test.y))
    return evaluation_figures(scored, explained.judged, subject)


def hang(pictures: dict[str, go.Figure]) -> tuple[go.Figure, ...]:
    """One dataset a picture, so that Kedro-Viz can show it."""
    return tuple(pictures[name] for name in PICTURES)


def decide(
    scored: ScoredRows,
    window: ir.Table,
    contest: registry.Contest,
    evaluation: EvaluationParameters,
) -> PromotionOutcome:
    """Decide about the champion; nothing is moved yet.

    A challenger is judged against the champion on rows that neither has seen; the first of a lineage against the
    floor, as is the rival of a champion that can't score any more, because its columns are gone.
    """
    decision = None
    gone = contest.champion is not None and registry.lacking(contest.champion, window.columns)
    if contest.new_lineage or gone:
        decision = registry.judge_first(contest.challenger, scored, evaluation)
    elif not contest.standing:
        rows = registry.judging_rows(contest, window, evaluation.max_rows)
        decision = registry.judge_challenger(contest, rows, evaluation)
    return registry.outcome_of(contest, decision)


def report(
    scored: ScoredRows,
    metrics: dict[str, dict[str, Metric]],
    slices: list[SliceMetric],
    comparisons: list[PairComparison],
    promotion: PromotionOutcome,
    contest: registry.Contest,
) -> EvaluationRecord:
    """Put the figures together."""
    version = contest.challenger
    return evaluation_record(version.use_case, version.version, scored, metrics, slices, comparisons, promotion)


def write_card(
    record: EvaluationRecord,
    scored: ScoredRows,
    explained: Explained,
    contest: registry.Contest,
    evaluation: EvaluationParameters,
) -> tuple[ModelCard, str, str]:
    """The model card, as it is stored with the version, as markdown and as a page."""
    facts = CardFacts(**contest.challenger.card_facts(), **evaluation.card.model_dump())
    card = card_of(facts, record, scored, explained)
    return card, card.markdown, card.html


def publish(
    record: EvaluationRecord,
    scored: ScoredRows,
    explained: Explained,
    pictures: dict[str, go.Figure],
    card: ModelCard,
    contest: registry.Contest,
) -> Record:
    """Store figures, pictures and card with the version: a champion carries them when its alias is set."""
    registry.publish_evaluation(contest.challenger, registry.Evaluated(record, explained, pictures, card, scored))
    return Record(use_case=record.use_case, as_of=record.as_of, status="published")


def settle(
    published: Record,  # noqa: ARG001 - a champion must carry its figures when its alias is set
    record: EvaluationRecord,
    contest: registry.Contest,
) -> EvaluationRecord:
    """Carry the decision out: move the champion alias or leave it, and clear the challenger's either way."""
    registry.settle(contest, record.promotion.decision)
    decision = record.promotion.decision
    why = " ".join(decision.reasons) if decision else "It serves already."
    logger.info("%s: version %s %s. %s", record.use_case, record.version, record.status, why)
    return record


def list_contents(
    record: EvaluationRecord,
    *published: str | pd.DataFrame | go.Figure,  # noqa: ARG001 - the list is made when all of it is there
) -> ContentsRecord:
    """Say what there is to look at, once it is written."""
    files = {
        "Model card": "model_card.html",
        "Importance of features": "importance.csv",
        "Importance by algorithm": "explanations.csv",
    }
    return ContentsRecord(
        use_case=record.use_case,
        as_of=record.as_of,
        status=record.status,
        version=record.version,
        files=files,
    )
