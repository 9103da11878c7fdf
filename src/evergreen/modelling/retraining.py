"""The records that the steps of a retraining leave on disk, and meet in."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from evergreen.modelling.candidates import Choice, Contender
from evergreen.modelling.promotion import PromotionDecision
from evergreen.records import Record

SKIPPED = "skipped"


class ContenderRow(BaseModel):
    """One choice of rows: how many there were, and its ROC AUC on recent rows that it had not seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    choice: Choice
    training_rows: int
    recent_roc_auc: float | None
    error: str | None


class TrainedChallenger(BaseModel):
    """The version that wants to serve.

    Attributes:
        version: Its number.
        algorithm: Its algorithm.
        choice: Which rows it learnt from; None where an earlier version was taken up again.
        training_rows: How many.
        cv_roc_auc: Cross-validated ROC AUC on its own training rows.
        contenders: The choices of rows that competed, best first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    algorithm: str
    choice: Choice | None
    training_rows: int
    cv_roc_auc: float
    contenders: tuple[ContenderRow, ...]


class ChallengerRecord(Record):
    """``challenger.json``; ``status``: ``skipped``, ``trained``, ``taken up`` again, or ``decided`` before.

    Attributes:
        champion: The version that it challenges.
        challenger: The version that wants to serve, or None.
        earlier_outcome: What was decided before about a version trained on just these rows; None otherwise.
        reason: Why, in a sentence.
    """

    champion: str
    challenger: TrainedChallenger | None
    earlier_outcome: str | None = None
    reason: str


class ValidationRecord(Record):
    """``validation.json``; ``status`` is ``skipped`` or the decision: ``promote``, ``refuse``, ``undecidable``.

    Attributes:
        champion: The version that serves.
        challenger: The version that was judged, or None.
        look: How many challengers this champion's judging rows have judged by now.
        decision: The statistical decision with its numbers and checks, or None.
        reason: Why, in a sentence.
    """

    champion: str
    challenger: str | None
    look: int | None
    decision: PromotionDecision | None
    reason: str


def contender_rows(contenders: Sequence[Contender]) -> tuple[ContenderRow, ...]:
    """What the record says of the choices of rows."""
    return tuple(
        ContenderRow(
            choice=each.choice,
            training_rows=len(each.rows.y),
            recent_roc_auc=each.recent_roc_auc,
            error=each.error,
        )
        for each in contenders
    )
