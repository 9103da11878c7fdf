"""What becomes of a judged challenger: the alias moves or stays, the version's status says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evergreen.evaluation.decision import Decision, PromotionDecision
from evergreen.evaluation.judge import PromotionOutcome
from evergreen.registry.aliases import clear_challenger, move_champion, registry_lock
from evergreen.registry.audit_log import Action, AliasChange, Evidence, audit, note
from evergreen.registry.lineage import compare_declarations
from evergreen.registry.versions import ModelVersion, tag_version

REASON_CHARACTERS = 1000
OUTCOMES: dict[Decision, Literal["promoted", "refreshed", "refused", "undecidable"]] = {
    "promote": "promoted", "refresh": "refreshed", "refuse": "refused", "undecidable": "undecidable",
}  # fmt: skip


@dataclass(frozen=True)
class Contest:
    """Who is judged against whom, as the aliases stood when the judgement began.

    Attributes:
        challenger: The version to judge; the champion itself where nobody challenges it.
        champion: The version that serves, or None before the first.
    """

    challenger: ModelVersion
    champion: ModelVersion | None

    @property
    def standing(self) -> bool:
        """Whether the judged version serves already."""
        return self.champion is not None and self.champion.version == self.challenger.version

    @property
    def new_lineage(self) -> bool:
        """Whether the two answer different questions, so that the challenger is judged as a first version is."""
        if self.champion is None:
            return True
        new, old = self.challenger.manifest, self.champion.manifest
        return new.label != old.label or bool(compare_declarations(self.champion.version, old.spec, new.spec).meaning)

    @property
    def reigning(self) -> ModelVersion:
        """The champion of a contest that needs one."""
        assert self.champion is not None  # a retraining starts from a champion
        return self.champion


def settle(contest: Contest, decision: PromotionDecision | None) -> PromotionOutcome:
    """Carry out a promotion decision and clear the challenger alias either way.

    Args:
        contest: The versions that the decision is about.
        decision: The decision; None where the judged version serves already.

    Returns:
        What happened.

    Raises:
        EvergreenError: Where somebody else moved the champion alias since the contest began.
    """
    challenger, planned = contest.challenger, outcome_of(contest, decision)
    before = planned.champion_before
    try:
        if decision is not None:
            if decision.look is not None and decision.decision != "promote":
                note_look(contest, decision)
            if decision.serves:
                reason = " ".join(decision.reasons)
                action: Action = "refresh" if decision.decision == "refresh" else "promote"
                move_champion(challenger.use_case, challenger.version, before, reason, evidence_of(decision), action)
            reasons = " ".join(decision.reasons)
            tag_version(challenger.use_case, challenger.version, status=planned.outcome, decision=reasons)
    finally:
        clear_challenger(challenger.use_case)
    return planned


def outcome_of(contest: Contest, decision: PromotionDecision | None) -> PromotionOutcome:
    """What becomes of a contest once its decision is carried out."""
    before = contest.champion.version if contest.champion else None
    if decision is None:
        return PromotionOutcome(outcome="standing", champion_before=before, champion_after=before, decision=None)
    after = contest.challenger.version if decision.serves else before
    outcome = OUTCOMES[decision.decision]
    return PromotionOutcome(outcome=outcome, champion_before=before, champion_after=after, decision=decision)


def note_look(contest: Contest, decision: PromotionDecision) -> None:
    """Write into the audit that a challenger was judged and did not win, once a look."""
    challenger = contest.challenger
    with registry_lock(challenger.use_case):
        looks = [line.evidence.get("look") for line in audit(challenger.use_case) if _about(line, contest)]
        if decision.look not in looks:
            reason = " ".join(decision.reasons)[:REASON_CHARACTERS]
            note(challenger.use_case, "look", challenger.version, reason, evidence_of(decision))


def _about(line: AliasChange, contest: Contest) -> bool:
    versions = contest.champion and contest.champion.version, contest.challenger.version
    return line.action == "look" and (line.from_version, line.to_version) == versions


def evidence_of(decision: PromotionDecision) -> Evidence:
    """What the audit keeps of a decision."""
    return {
        "decision": decision.decision,
        "evidence": decision.evidence,
        **({"experiment": decision.experiment} if decision.experiment else {}),
        "look": decision.look,
        "rows": decision.rows,
        "challenger_auc": decision.challenger_auc,
        "champion_auc": decision.champion_auc,
        "difference": decision.difference,
        **({} if decision.odds is None else {"odds": decision.odds}),
        "lower_bound": decision.ci[0] if decision.ci else None,
        "alpha": decision.alpha,
    }
