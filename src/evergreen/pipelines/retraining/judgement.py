"""How retraining judges its challenger: rows that neither version has seen, checks, figures, decision."""

from __future__ import annotations

import ibis.expr.types as ir
import numpy as np

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.evaluation.behaviour import BehaviourPolicy, behaviour_checks
from evergreen.evaluation.explained import explain_leaderboard
from evergreen.evaluation.judge import ScoredRows, judge_challenger
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.evaluation.promotion import PromotionDecision
from evergreen.evaluation.slice_gates import auc_gate, gap_gate
from evergreen.evaluation.slices import SlicePolicy, slice_metrics
from evergreen.evaluation.spending import spend_alpha
from evergreen.records import Check
from evergreen.registry.artefacts import MODEL_FILE
from evergreen.reporting.figures import evaluation_figures
from evergreen.reporting.pictures import Subject
from evergreen.reporting.shap_pictures import shap_summary_png
from evergreen.retraining.record import SKIPPED, ChallengerRecord, ValidationRecord
from evergreen.rows.labelled import LabelledRows, select_judging_rows

Scores = tuple[np.ndarray, np.ndarray]


def contest_of(use_case: str, challenger: str, champion: str) -> registry.Contest:
    """The two versions that the records name, wherever the aliases point by now."""
    return registry.Contest(registry.load(use_case, challenger), registry.load(use_case, champion))


def judging_rows(contest: registry.Contest, window: ir.Table, evaluation: EvaluationParameters) -> LabelledRows:
    """Recent labelled rows that neither version has seen."""
    new, old = contest.challenger.manifest, contest.reigning.manifest
    bounds, end = [old.bounds, new.bounds], new.bounds.test_end
    rows = select_judging_rows(window, new.spec, new.label, new.as_of, bounds, end, evaluation.max_rows)
    if not len(rows.y):
        raise EvergreenError(
            f"{new.use_case}: no labelled row is left that neither version {contest.challenger.version} nor the "
            f"champion has seen: raise split.judging_share or retraining.window_days."
        )
    return rows


def contest_scores(contest: registry.Contest, rows: LabelledRows) -> Scores:
    """The champion's and the challenger's probabilities of the judging rows."""
    return contest.reigning.probabilities(rows.rows), contest.challenger.probabilities(rows.rows)


def publish_judgement(contest: registry.Contest, rows: LabelledRows, scores: Scores, explained_rows: int) -> None:
    """Store metrics, importance and pictures with the challenger: a champion must carry them when its alias is set."""
    version = contest.challenger
    manifest, old = version.manifest, contest.reigning
    rival = f"champion (version {old.version})"
    scored = ScoredRows(
        test=rows,
        scores={manifest.algorithm: scores[1], rival: scores[0]},
        thresholds={manifest.algorithm: manifest.threshold, rival: old.manifest.threshold},
        algorithm=manifest.algorithm,
    )
    explained = explain_leaderboard({manifest.algorithm: version.pipeline}, scored, explained_rows, explained_rows)
    train = registry.reference_scores(version)
    metrics = {
        "test": classification_metrics(rows.y, scores[1], manifest.threshold, blocks=rows.blocks),
        "train": classification_metrics(train["label"], train["probability"], manifest.threshold),
    }
    subject = Subject(version.use_case, version.version, manifest.algorithm, len(rows.y))
    pictures = evaluation_figures(scored, explained.judged, subject)
    png = shap_summary_png(explained.judged, subject)
    registry.publish_evaluation(version, metrics, explained.importance, pictures, png)


def judge(
    contest: registry.Contest,
    rows: LabelledRows,
    scores: Scores,
    look: int,
    evaluation: EvaluationParameters,
    behaviour: BehaviourPolicy,
) -> PromotionDecision:
    """Decide between the two, at the part of alpha that this look may spend."""
    version, promotion = contest.challenger, evaluation.promotion
    policy = promotion.model_copy(update={"alpha": spend_alpha(promotion.alpha, look)})
    size = (version.folder / MODEL_FILE).stat().st_size
    checks = [
        *_slice_gates(rows, scores[1], evaluation.slices),
        *behaviour_checks(version.probabilities, rows.X, scores[1], size, behaviour),
    ]
    return judge_challenger(rows, *scores, policy, evaluation.slices, checks)


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


def _slice_gates(rows: LabelledRows, scores: np.ndarray, policy: SlicePolicy) -> list[Check]:
    spec = rows.spec
    slices = slice_metrics(rows.y, scores, rows.X, spec.categorical, spec.numeric, policy, rows.blocks)
    return [auc_gate(slices, policy), gap_gate(slices, policy)]
