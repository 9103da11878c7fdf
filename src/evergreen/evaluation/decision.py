"""What must a challenger show, and what was decided about it? The policy and the record of a promotion."""

from __future__ import annotations

from typing import Literal

from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.records import Check, Frozen

Decision = Literal["promote", "refresh", "refuse", "undecidable"]
Evidence = Literal["judging", "replay", "shadow", "split"]


DEFAULT_POLICY = PromotionPolicy()


class ShownGain(Frozen):
    """What a part of the judged days shows.

    Attributes:
        part: ``all days`` since the champion's training end, or the ``newest days``.
        difference: Challenger's AUC less the champion's, compared within each cut-off.
        ci: One-sided bounds, each at ``alpha``; None where none can be stated.
        alpha: What this look may spend on the part.
        rows: Rows.
        days: Days.
    """

    part: Literal["all days", "newest days"]
    difference: float
    ci: tuple[float, float] | None
    alpha: float
    rows: int
    days: int


class PromotionDecision(Frozen):
    """The decision with the numbers that it rests on.

    Attributes:
        decision: ``promote``; ``refresh``: newer rows are likelier than not to serve better, which is no proven gain;
            ``refuse``: the data speak against the challenger; ``undecidable``: they don't
            suffice, the champion stays.
        against: What the challenger was compared with: the champion, or the floor for a first champion.
        champion_auc: The champion's AUC; None for a first champion.
        challenger_auc: The challenger's AUC.
        difference: Challenger's AUC less the champion's (less the floor for a first champion).
        ci: One-sided bounds of the difference, each at ``alpha``: a 1 − 2·alpha interval.
        alpha: One-sided error rate of this decision: what its look may spend.
        look: How many comparisons with this champion there were by now, this one included; None for a first champion.
        evidence: Where the rows come from: ``judging`` rows of the source, requests scored again (``replay``), scored
            by both versions (``shadow``), or served by either (``split``).
        experiment: The experiment that brought them; None for other rows.
        odds: Of a refresh: the probability that the challenger is ahead, from its lead and the standard error.
        power: Probability behind the next two numbers.
        minimum_detectable_gain: Gain that these rows would have found, and promoted, with that power.
        rows_needed: Rows at which a gain of ``min_improvement`` (for a first champion: the gain found) would
            clear 0 with that power; where a class is too small to judge, rows at which it wouldn't be.
        rows: Judging rows.
        positives: Positive rows among them.
        blocks: Independent units among them; days where rows have dates.
        shown: What all judged days show, and the newest; empty where rows have no dates.
        checks: The checks, as handed in.
        reasons: Why, in sentences; never empty.
    """

    decision: Decision
    against: Literal["champion", "floor"]
    champion_auc: float | None = None
    challenger_auc: float | None = None
    difference: float | None = None
    ci: tuple[float, float] | None = None
    alpha: float
    look: int | None = None
    evidence: Evidence = "judging"
    experiment: str | None = None
    odds: float | None = None
    power: float
    minimum_detectable_gain: float | None = None
    rows_needed: int | None = None
    rows: int
    positives: int
    blocks: int
    shown: tuple[ShownGain, ...] = ()
    checks: tuple[Check, ...] = ()
    reasons: tuple[str, ...]

    @property
    def serves(self) -> bool:
        """Whether the challenger takes over."""
        return self.decision in ("promote", "refresh")
