"""How monitoring puts numbers, statuses and severities into words."""

from __future__ import annotations

import numpy as np

from evergreen.modelling.report.pages import NOTHING, Tone
from evergreen.monitoring.policy import ColumnDrift

METRIC_NAMES = {
    "roc_auc": "ROC AUC", "accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1",
}  # fmt: skip
STATUS_NAMES = {
    "ok": "All quiet", "drift": "Drift", "performance": "Performance fell",
    "insufficient_data": "Insufficient data", "quality": "Data unfit to judge",
}  # fmt: skip
TRIGGER_NAMES = {"retrain": "Retrain", "keep": "Not needed", "blocked": "Repair data first"}
_SEVERITY_TONES: dict[str, Tone] = {"info": "watch", "warning": "watch", "high": "bad", "critical": "bad"}


def counted(number: int, noun: str) -> str:
    """``1 column``, ``2 columns``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: list[str], most: int = 5) -> str:
    """Names with commas, those beyond ``most`` counted."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def shortened(text: str, length: int) -> str:
    """The text, cut where it is longer than ``length``."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def share_text(share: float | None, sign: str = "") -> str:
    """A share as a percentage; a missing one reads "insufficient data"."""
    return NOTHING if share is None or not np.isfinite(share) else f"{share:{sign}.1%}"


def p_text(p_value: float | None) -> str:
    """A p-value for reading; a missing one reads "insufficient data"."""
    if p_value is None or not np.isfinite(p_value):
        return NOTHING
    return "< 0.0001" if p_value < 1e-4 else f"{p_value:.4f}" if p_value < 0.1 else f"{p_value:.2f}"


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
