"""What a retraining says in the end: one record that tells the whole story."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from evergreen.modelling.gate import GateCheck, QualityGate
from evergreen.modelling.promotion import Check
from evergreen.modelling.retraining import ChallengerRecord, TrainedChallenger, ValidationRecord
from evergreen.monitoring.rules import RetrainingTrigger, RuleOutcome
from evergreen.records import Record

NOT_RETRAINED = {"quiet": "not needed", "held": "held", "blocked": "blocked"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GatePart(_Part):
    """The quality gate."""

    passed: bool
    checks: tuple[GateCheck, ...]


class TriggerPart(_Part):
    """The trigger: its rules and what may hold it back, each with its numbers."""

    fired: bool
    reasons: tuple[str, ...]
    rules: tuple[RuleOutcome, ...]
    holds: tuple[RuleOutcome, ...]


class ValidationPart(_Part):
    """The decision between challenger and champion."""

    decision: str
    difference: float | None
    ci: tuple[float, float] | None
    reasons: tuple[str, ...]
    champion_auc: float | None
    challenger_auc: float | None
    alpha: float
    look: int
    rows: int
    minimum_detectable_gain: float | None
    rows_needed: int | None
    checks: tuple[Check, ...]


class ChampionPart(_Part):
    """The champion before and after."""

    before: str
    after: str


class RetrainingRecord(Record):
    """``retraining.json``.

    ``status``: ``not needed`` (no rule fired), ``held`` (too soon, or too few new rows), ``blocked`` (data unfit),
    ``promoted``, ``refused`` or ``undecidable``.

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
    """Put the story together.

    Args:
        gate: The quality gate.
        trigger: The trigger.
        trained: What was trained.
        validation: What was decided.
        outcome: What became of the challenger; None where there was nothing to settle.
        champion_after: The champion now.
    """
    status = outcome or trained.earlier_outcome or NOT_RETRAINED[trigger.status]
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


def _validation(record: ValidationRecord) -> ValidationPart | None:
    if record.decision is None or record.look is None:
        return None
    told = record.decision.model_dump(include=ValidationPart.model_fields.keys() - {"look"})
    return ValidationPart(**told, look=record.look)
