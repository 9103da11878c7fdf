"""How retraining judges its challenger: rows that neither version has seen, checks, figures, decision."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.evaluation.explained import explain_leaderboard
from evergreen.evaluation.judge import ScoredRows
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.reporting.figures import evaluation_figures
from evergreen.reporting.pictures import Subject
from evergreen.reporting.shap_pictures import shap_summary_png
from evergreen.retraining.record import SKIPPED, ChallengerRecord, ValidationRecord
from evergreen.rows.labelled import LabelledRows


def contest_of(use_case: str, challenger: str, champion: str) -> registry.Contest:
    """The two versions that the records name, wherever the aliases point by now."""
    return registry.Contest(registry.load(use_case, challenger), registry.load(use_case, champion))


def judging_rows(contest: registry.Contest, window: ir.Table, evaluation: EvaluationParameters) -> LabelledRows:
    """Recent labelled rows that neither version has seen."""
    version = contest.challenger
    rows = registry.judging_rows(contest, window, evaluation.max_rows)
    if not len(rows.y):
        raise EvergreenError(
            f"{version.use_case}: no labelled row is left that neither version {version.version} nor the "
            f"champion has seen: raise split.judging_share or retraining.window_days."
        )
    return rows


def publish_judgement(contest: registry.Contest, rows: LabelledRows, explained_rows: int) -> None:
    """Store metrics, importance and pictures with the challenger: a champion must carry them when its alias is set."""
    version = contest.challenger
    manifest, old = version.manifest, contest.reigning
    rival = f"champion (version {old.version})"
    scores = old.probabilities(rows.rows), version.probabilities(rows.rows)
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
