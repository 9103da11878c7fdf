"""What becomes of a judged challenger: the alias moves or stays, the version's status says which."""

from __future__ import annotations

from dataclasses import dataclass

from evergreen.evaluation.judge import PromotionOutcome
from evergreen.evaluation.promotion import PromotionDecision
from evergreen.registry.aliases import clear_challenger, move_champion
from evergreen.registry.versions import ModelVersion, tag_version


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
    challenger = contest.challenger
    before = contest.champion.version if contest.champion else None
    outcome, after = "standing", before
    try:
        if decision is not None and decision.decision == "promote":
            reason = " ".join(decision.reasons)
            move_champion(challenger.use_case, challenger.version, before, reason, _evidence(decision))
            after = challenger.version
        if decision is not None:
            outcome = {"promote": "promoted", "refuse": "refused"}.get(decision.decision, decision.decision)
            told = " ".join(decision.reasons)
            tag_version(challenger.use_case, challenger.version, status=outcome, decision=told)
    finally:
        clear_challenger(challenger.use_case)
    return PromotionOutcome.model_validate(
        {"outcome": outcome, "champion_before": before, "champion_after": after, "decision": decision}
    )


def _evidence(decision: PromotionDecision) -> dict[str, float | str | None]:
    return {
        "challenger_auc": decision.challenger_auc,
        "champion_auc": decision.champion_auc,
        "difference": decision.difference,
        "lower_bound": decision.ci[0] if decision.ci else None,
        "alpha": decision.alpha,
    }
