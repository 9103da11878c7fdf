"""What must a challenger show, and what was decided about it? The policy and the record of a promotion."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evergreen.records import Check, Frozen

Decision = Literal["promote", "refuse", "undecidable"]
Evidence = Literal["judging", "replay", "shadow", "split"]


class PromotionPolicy(Frozen):
    """What a challenger must show.

    Attributes:
        alpha: One-sided error rate of the lower bound over all looks at a champion's judging rows. .025 is the
            lower end of the usual 95 % interval.
        min_improvement: Smallest gain in AUC that is worth a change of champion.
        first_champion_floor: AUC that a first champion's lower bound must exceed.
        power: Probability with which the minimum detectable gain would be detected.
        min_units_per_class: Fewest independent rows (blocks) of each class on which anything is decided.
        max_slice_loss: Largest loss in AUC that any slice may suffer.
        max_calibration_error: Largest expected calibration error.
    """

    alpha: float = Field(default=0.025, gt=0, lt=0.5)
    min_improvement: float = Field(default=0.01, ge=0, lt=0.5)
    first_champion_floor: float = Field(default=0.6, ge=0, lt=1)
    power: float = Field(default=0.8, gt=0.5, lt=1)
    min_units_per_class: int = Field(default=10, ge=2)
    max_slice_loss: float = Field(default=0.05, ge=0, le=1)
    max_calibration_error: float = Field(default=0.1, gt=0, le=1)


DEFAULT_POLICY = PromotionPolicy()


class PromotionDecision(Frozen):
    """The decision with the numbers that it rests on.

    Attributes:
        decision: ``promote``; ``refuse``: the data speak against the challenger; ``undecidable``: they don't
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
        power: Probability behind the next two numbers.
        minimum_detectable_gain: Gain that these rows would have found, and promoted, with that power.
        rows_needed: Rows at which a gain of ``min_improvement`` (for a first champion: the gain found) would
            clear 0 with that power; where a class is too small to judge, rows at which it wouldn't be.
        rows: Judging rows.
        positives: Positive rows among them.
        blocks: Independent units among them.
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
    power: float
    minimum_detectable_gain: float | None = None
    rows_needed: int | None = None
    rows: int
    positives: int
    blocks: int
    checks: tuple[Check, ...] = ()
    reasons: tuple[str, ...]
