"""Which pictures an evaluation draws."""

from __future__ import annotations

import plotly.graph_objects as go

from evergreen.evaluation.curves import (
    calibration_curve,
    gain_curve,
    precision_recall_curve,
    roc_curve,
    score_histogram,
)
from evergreen.evaluation.explanation import Explanation
from evergreen.evaluation.judge import ScoredRows, roc_auc_by_algorithm
from evergreen.reporting.pictures import (
    Subject,
    calibration_figure,
    confusion_matrix_figure,
    gain_figure,
    precision_recall_figure,
    roc_figure,
    score_distribution_figure,
    styled,
)
from evergreen.reporting.shap_pictures import shap_summary_figure

PICTURES = (
    "roc",
    "precision_recall",
    "confusion_matrix",
    "calibration",
    "score_distribution",
    "gain",
    "shap_summary",
)


def evaluation_figures(scored: ScoredRows, explanation: Explanation, subject: Subject) -> dict[str, go.Figure]:
    """Every picture of ``PICTURES``; they say so where the test rows hold one class only."""
    y, judged = scored.test.y, scored.judged
    if y.min() == y.max():
        return {
            name: styled(go.Figure(), subject.title(name), "Insufficient data: one class only.") for name in PICTURES
        }
    threshold = scored.thresholds[scored.algorithm]
    scores = scored.scores
    return {
        "roc": roc_figure(
            {name: roc_curve(y, found) for name, found in scores.items()}, roc_auc_by_algorithm(scored), subject
        ),
        "precision_recall": precision_recall_figure(
            {name: precision_recall_curve(y, found) for name, found in scores.items()}, float(y.mean()), subject
        ),
        "confusion_matrix": confusion_matrix_figure(y, judged, threshold, subject),
        "calibration": calibration_figure(calibration_curve(y, judged), subject),
        "score_distribution": score_distribution_figure(score_histogram(y, judged), threshold, subject),
        "gain": gain_figure({name: gain_curve(y, found) for name, found in scores.items()}, subject),
        "shap_summary": shap_summary_figure(explanation, subject),
    }
