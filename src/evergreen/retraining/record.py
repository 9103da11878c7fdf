"""The records that the steps of a retraining leave on disk, and meet in."""

from __future__ import annotations

from collections.abc import Sequence

from evergreen.evaluation.decision import PromotionDecision
from evergreen.records import Check, Frozen, Record
from evergreen.retraining.contenders import Contender
from evergreen.retraining.gate import QualityGate
from evergreen.retraining.parameters import Choice
from evergreen.retraining.trigger import RetrainingTrigger

SKIPPED = "skipped"


class ContenderRow(Frozen):
    """One choice of rows: how many there were, and its ROC AUC on recent rows that it had not seen."""

    choice: Choice
    training_rows: int
    recent_roc_auc: float | None
    error: str | None


class TrainedChallenger(Frozen):
    """The version that wants to serve.

    Attributes:
        version: Its number.
        algorithm: Its algorithm.
        choice: Which rows it learnt from; None where an earlier version was taken up again.
        training_rows: How many.
        cv_roc_auc: Cross-validated ROC AUC on its own training rows.
        contenders: The choices of rows that competed, best first.
    """

    version: str
    algorithm: str
    choice: Choice | None
    training_rows: int
    cv_roc_auc: float
    contenders: tuple[ContenderRow, ...]


class ChallengerRecord(Record):
    """``challenger.json``; ``status``: ``skipped``, ``trained``, ``taken_up`` again, or ``decided`` before.

    Attributes:
        champion: The version that it challenges.
        challenger: The version that wants to serve, or None.
        earlier_outcome: What was decided before about a version trained on just these rows; None otherwise.
        refresh_due: Whether newer rows alone may let it serve.
        gain_asked: Whether a gain is to be shown; of a mere refresh it is not, and no look is spent.
        reason: Why, in a sentence.
    """

    champion: str
    challenger: TrainedChallenger | None
    earlier_outcome: str | None = None
    refresh_due: bool = False
    gain_asked: bool = True
    reason: str


class ValidationRecord(Record):
    """``validation.json``; ``status`` is ``skipped`` or the decision.

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


NOT_RETRAINED = {"quiet": "not_needed", "held": "held", "blocked": "blocked"}


class GatePart(Frozen):
    """The quality gate."""

    passed: bool
    checks: tuple[Check, ...]


class TriggerPart(Frozen):
    """The trigger: its rules and what may hold it back, each with its numbers."""

    fired: bool
    reasons: tuple[str, ...]
    rules: tuple[Check, ...]
    holds: tuple[Check, ...]


class ValidationPart(Frozen):
    """The decision between challenger and champion."""

    decision: str
    difference: float | None
    ci: tuple[float, float] | None
    reasons: tuple[str, ...]
    champion_auc: float | None
    challenger_auc: float | None
    alpha: float
    look: int | None
    odds: float | None = None
    rows: int
    minimum_detectable_gain: float | None
    rows_needed: int | None
    checks: tuple[Check, ...]


class ChampionPart(Frozen):
    """The champion before and after."""

    before: str
    after: str


class RetrainingRecord(Record):
    """``retraining.json``.

    ``status``: ``not_needed`` (no rule fired), ``held`` (too soon, or too little is new), ``blocked`` (data unfit),
    ``too_little`` (to learn from), ``promoted``, ``refreshed`` (newer rows, no proven gain), ``refused`` or
    ``undecidable``.

    Attributes:
        reason: Why, in a sentence.
        quality_gate: The gate.
        trigger: The trigger.
        challenger: The challenger, or None where none was trained.
        validation: The decision, or None where nothing was judged.
        champion: The champion before and after.
    """

    reason: str
    quality_gate: GatePart
    trigger: TriggerPart
    challenger: TrainedChallenger | None
    validation: ValidationPart | None
    champion: ChampionPart


def retraining_record(
    gate: QualityGate,
    trigger: RetrainingTrigger,
    trained: ChallengerRecord,
    validation: ValidationRecord,
    outcome: str | None,
    champion_after: str,
) -> RetrainingRecord:
    """Put the parts together.

    Args:
        gate: The quality gate.
        trigger: The trigger.
        trained: What was trained.
        validation: What was decided.
        outcome: What became of the challenger; None where there was nothing to settle.
        champion_after: The champion now.
    """
    status = outcome or trained.earlier_outcome or _not_retrained(gate, trigger)
    return RetrainingRecord(
        use_case=gate.use_case,
        as_of=gate.as_of,
        status=status,
        reason=validation.reason,
        quality_gate=GatePart(passed=gate.passed, checks=gate.checks),
        trigger=TriggerPart(fired=trigger.fired, reasons=trigger.reasons, rules=trigger.rules, holds=trigger.holds),
        challenger=trained.challenger,
        validation=_validation(validation),
        champion=ChampionPart(before=trigger.champion, after=champion_after),
    )


def _not_retrained(gate: QualityGate, trigger: RetrainingTrigger) -> str:
    return NOT_RETRAINED[trigger.status] if gate.passed else gate.status


def _validation(record: ValidationRecord) -> ValidationPart | None:
    if record.decision is None:
        return None
    fields = record.decision.model_dump(include=ValidationPart.model_fields.keys() - {"look"})
    return ValidationPart(**fields, look=record.look)
