"""What does the evaluation say, in words and tables? The model card's sections on evidence."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evergreen.evaluation.judge import EvaluationRecord
from evergreen.evaluation.metrics import Metric
from evergreen.reporting.blocks import Block, Bullets, Pictures, Table, Text
from evergreen.reporting.model_card.drawings import calibration_picture, roc_picture
from evergreen.wording import NOTHING, number_text, range_text, share_text

_SLICES_SHOWN = 12
METRIC_LABELS = {
    "roc_auc": "ROC AUC", "average_precision": "Average precision", "accuracy": "Accuracy", "precision": "Precision",
    "recall": "Recall", "f1": "F1", "f1_weighted": "F1, weighted by class", "log_loss": "Log loss (lower is better)",
    "brier": "Brier score (lower is better)", "expected_calibration_error": "Calibration error (lower is better)",
}  # fmt: skip


def promotion_in_words(record: EvaluationRecord) -> list[str]:
    """What became of the challenger, and why."""
    decision = record.promotion.decision
    before, after = record.promotion.champion_before, record.promotion.champion_after
    moved = f"Outcome: {record.promotion.outcome}; champion before: {before or 'none'}, now: {after or 'none'}."
    return [moved, *(decision.reasons if decision else ())]


def metrics_blocks(record: EvaluationRecord) -> list[Block]:
    """Test metrics beside those of the training window."""
    test, train = record.metrics["test"], record.metrics.get("train", {})
    missing = Metric(value=None, status=NOTHING)
    head = ("Metric", "Test", "95 % interval", "Training, out of fold", "95 % interval (training)")
    rows = []
    for name, metric in test.items():
        beside = train.get(name, missing)
        label = METRIC_LABELS.get(name, name)
        rows.append(
            (label, number_text(metric.value), interval_text(metric), number_text(beside.value), interval_text(beside))
        )
    text = (
        f"At the threshold {number_text(record.threshold)}, chosen on out-of-fold scores of the training window. A "
        "test value clearly worse than the one beside it means overfitting, or a world that has changed since."
    )
    return [Text(text), Table(head, rows, frozenset(head[1:]))]


def curve_blocks(record: EvaluationRecord, roc: Mapping[str, pd.DataFrame], calibration: pd.DataFrame) -> list[Block]:
    """ROC and calibration, drawn."""
    error = record.metrics["test"]["expected_calibration_error"]
    drawn = {name: curve for name, curve in roc.items() if len(curve)}
    pictures = [roc_picture(drawn, record.algorithm)] if drawn else []
    pictures += [calibration_picture(calibration)] if len(calibration) else []
    text = (
        f"Predicted and observed shares differ by {number_text(error.value)} on average ({interval_text(error)}); "
        "an interval that starts at 0 is compatible with perfect calibration."
    )
    return [Text(text if error.value is not None else f"Calibration: {NOTHING}."), Pictures(pictures)]


def algorithm_blocks(record: EvaluationRecord) -> list[Block]:
    """Every algorithm of the leaderboard on the same rows, and what their comparisons say."""
    ranked = sorted(record.test_roc_auc.items(), key=lambda pair: -(pair[1] or 0.0))
    rows = [(f"{name} (this version)" if name == record.algorithm else name, number_text(auc)) for name, auc in ranked]
    rows.append(("chance", ".500"))
    words = [row["sentence"] for row in _plain(record, "comparisons")]
    table = Table(("Algorithm", "Test ROC AUC"), rows, frozenset({"Test ROC AUC"}))
    return [table, Bullets(words or ["No pair of algorithms was compared."])]


def slice_blocks(record: EvaluationRecord) -> list[Block]:
    """The slices that are most surely bad."""
    slices = _plain(record, "slices")
    judged = sorted((row for row in slices if row["high"] is not None), key=lambda row: row["high"])
    head = ("Slice", "Rows", "Share of 1", "ROC AUC", "95 % interval")
    rows = [
        (
            f"{row['column']} = {row['group']}", f"{row['n']:,}", share_text(row["base_rate"]),
            number_text(row["roc_auc"]), f"{number_text(row['low'])} to {number_text(row['high'])}",
        )
        for row in judged[:_SLICES_SHOWN]
    ]  # fmt: skip
    text = (
        f"{len(judged)} of {len(slices)} slices have enough rows to judge; the {len(rows)} that are most surely "
        "bad stand here, all of them in evaluation.json."
    )
    if len(judged) < len(slices):
        text += f" For the others: {NOTHING}."
    if not judged:
        return [Text(f"Slices: {NOTHING}.")]
    return [Text(text), Table(head, rows, frozenset(head[1:]))]


def importance_blocks(importance: pd.DataFrame, explained: str) -> list[Block]:
    """Features by mean absolute SHAP, with what the AUC loses without each."""
    units = str(importance["units"].iloc[0])
    head = ("Feature", f"Mean |SHAP| ({units})", "AUC lost without it", "95 % interval")
    rows = [
        (
            row["feature"],
            number_text(row["mean_abs_shap"]),
            number_text(row["auc_loss"], 4),
            range_text(row["auc_loss_low"], row["auc_loss_high"], 4),
        )
        for row in importance.to_dict("records")
    ]
    largest = max(float(importance["mean_abs_shap"].max()), 1e-12)
    bars = [float(share) for share in importance["mean_abs_shap"] / largest]
    text = (
        f"SHAP: {explained}. Beside it the AUC that is lost when the feature's values are dealt to other rows: where "
        "the interval holds 0 the model could do without it. Features that say the same hide each other's importance."
    )
    return [Text(text), Table(head, rows, frozenset(head[1:]), bars)]


def limits_found(record: EvaluationRecord) -> list[str]:
    """Limits that hold for every version, and those that the figures show."""
    undecided = sum(row["high"] is None for row in _plain(record, "slices"))
    found = [
        "The test rows come from one stretch of the past: the figures hold as long as the world stays as it was.",
        "Importance tells what the model uses, not what causes the outcome.",
        "Intervals are 95 % each, not for all figures at once.",
    ]
    if undecided:
        found.append(f"Slices too small to judge: {undecided}.")
    found += [
        f"{METRIC_LABELS.get(name, name)}: {metric.reason or metric.status}."
        for name, metric in record.metrics["test"].items()
        if metric.status != "ok"
    ]
    return found


def interval_text(metric: Metric) -> str:
    """A metric's interval, or why there is none."""
    return range_text(metric.low, metric.high) if metric.status == "ok" else metric.status


def _plain(record: EvaluationRecord, field: str) -> list[dict]:
    return record.model_dump(include={field})[field]
