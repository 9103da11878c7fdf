"""How monitoring puts numbers, statuses and severities into words."""

from __future__ import annotations

from evergreen.monitoring.drift.report import ColumnDrift
from evergreen.reporting.blocks import Tone
from evergreen.wording import NOTHING

METRIC_NAMES = {
    "roc_auc": "ROC AUC", "accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1",
}  # fmt: skip
STATUS_NAMES = {
    "ok": "All quiet", "drift": "Drift", "performance": "Performance fell",
    "insufficient_data": "Insufficient data", "quality": "Data unfit to judge",
}  # fmt: skip
_SEVERITY_TONES: dict[str, Tone] = {"info": "watch", "warning": "watch", "high": "bad", "critical": "bad"}


def badge(column: ColumnDrift) -> tuple[str, Tone]:
    """A column's verdict in a word or two, and how good it is."""
    if column.status in ("missing", "retyped"):
        return column.status, "bad"
    if column.alarm:
        return column.severity, severity_tone(column.severity)
    others: dict[str, tuple[str, Tone]] = {
        "ok": ("no drift", "good"),
        "drift": ("no drift", "good"),
        "insufficient_data": (NOTHING, "plain"),
        "off": ("not judged", "plain"),
    }
    return others[column.status]


def severity_tone(severity: str) -> Tone:
    """How good a severity is."""
    return _SEVERITY_TONES.get(severity, "plain")
