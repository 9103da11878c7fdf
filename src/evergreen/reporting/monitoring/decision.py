"""Should we retrain? What page, alerts, metrics and screen say: retraining's decision, or the reasons until then."""

from __future__ import annotations

from dataclasses import dataclass

from evergreen.invocation import command
from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.blocks import Tone
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.wording import counted

_DECIDED: dict[str, tuple[str, str, Tone]] = {
    "fired": ("Retrain", "Retraining was decided.", "bad"),
    "refresh": ("Refresh due", "No reason to retrain; a refresh on newer rows is due.", "good"),
    "held": ("Held back", "There are reasons to retrain, but retraining is held back.", "watch"),
    "blocked": ("Repair data first", "There are reasons to retrain, but the data is not fit to learn from.", "bad"),
    "quiet": ("Not needed", "Retraining is not needed.", "good"),
}


@dataclass(frozen=True)
class RetrainingAnswer:
    """What is said of retraining after a window.

    Attributes:
        status: ``fired``, ``refresh``, ``held``, ``blocked`` or ``quiet`` as decided; ``undecided`` until then.
        badge: The answer in a word or two.
        sentence: The answer in a sentence.
        details: Why, in sentences.
        tone: How good the news is.
    """

    status: str
    badge: str
    sentence: str
    details: tuple[str, ...]
    tone: Tone

    @property
    def fired(self) -> bool | None:
        """Whether to retrain; None until that is decided."""
        return None if self.status == "undecided" else self.status == "fired"


def retraining_answer(record: MonitoringRecord, decision: RetrainingTrigger | None) -> RetrainingAnswer:
    """The decision where it is about this window, and the reasons otherwise.

    Args:
        record: What monitoring found.
        decision: The newest decision of retraining, whatever window it is about; None where there is none.
    """
    if decision is not None and decision.speaks_of(record):
        badge, sentence, tone = _DECIDED[decision.status]
        return RetrainingAnswer(decision.status, badge, sentence, decision.reasons, tone)
    asking = record.asking
    details = tuple(reason.sentence for reason in asking)
    if not asking:
        return RetrainingAnswer("undecided", "No reason", "No reason to retrain was found.", details, "good")
    deciding = command("kedro run --pipeline=retraining", record.use_case)
    sentence = f"{counted(len(asking), 'reason')} to retrain; `{deciding}` decides."
    return RetrainingAnswer("undecided", counted(len(asking), "reason"), sentence, details, "watch")
