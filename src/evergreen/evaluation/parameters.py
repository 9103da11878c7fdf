"""The ``evaluation`` block of a use case's parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS

Direction = Literal["increasing", "decreasing"]


class BehaviourPolicy(Frozen):
    """Budgets and expected behaviour.

    Attributes:
        max_row_latency_ms: Largest median CPU time to score one row alone, on one thread.
        max_batch_latency_ms: Largest CPU time a row when many are scored at once.
        max_model_mb: Largest model file.
        directions: Feature → whether the probability, averaged over other features, rises or falls with it.
        max_wrong_step: Largest step of that average against the stated direction.
    """

    max_row_latency_ms: float = Field(default=200.0, gt=0)
    max_batch_latency_ms: float = Field(default=5.0, gt=0)
    max_model_mb: float = Field(default=200.0, gt=0)
    directions: dict[str, Direction] = Field(default_factory=dict)
    max_wrong_step: float = Field(default=0.01, ge=0)


class PromotionPolicy(Frozen):
    """What a challenger must show.

    Attributes:
        alpha: One-sided error rate of the lower bound over all looks at a champion's judging rows. .025 is the
            lower end of the usual 95 % interval.
        min_improvement: Smallest gain in AUC that is worth a change of champion.
        first_champion_floor: AUC that a first champion's lower bound must exceed.
        power: Probability with which the minimum detectable gain would be detected.
        min_units_per_class: Fewest independent rows (blocks) of each class on which anything is decided.
        newest_days: Newest judged days that half of alpha is spent on where rows have dates, the other half on all.
        planned_days: Days over which the half for all days is spent, counted from the champion's training end.
        max_slice_loss: Largest loss in AUC that any slice may suffer.
        max_calibration_error: Largest expected calibration error.
    """

    alpha: float = Field(default=0.025, gt=0, lt=0.5)
    min_improvement: float = Field(default=0.01, ge=0, lt=0.5)
    first_champion_floor: float = Field(default=0.6, ge=0, lt=1)
    power: float = Field(default=0.8, gt=0.5, lt=1)
    min_units_per_class: int = Field(default=10, ge=2)
    newest_days: int = Field(default=28, ge=7, le=MOST_DAYS)
    planned_days: int = Field(default=364, ge=28, le=MOST_DAYS)
    max_slice_loss: float = Field(default=0.05, ge=0, le=1)
    max_calibration_error: float = Field(default=0.1, gt=0, le=1)


class SlicePolicy(Frozen):
    """How rows are sliced, and what a slice must not show.

    Attributes:
        numeric_groups: Quantile groups of a numeric column.
        min_rows: Levels of a categorical column with fewer rows are pooled as ``other``.
        min_units_per_class: Fewest independent rows (blocks) of each class for an AUC.
        min_auc: AUC that every slice must be able to reach.
        max_gap: Largest difference in AUC allowed between two groups of one column, beyond what chance among so many
            slices allows and beyond the champion's own.
        held_strictly: Columns, for instance of protected groups, in which no gap that is found may be larger.
        alpha: Chance that a gate refuses although no slice breaks it.
    """

    numeric_groups: int = Field(default=4, ge=2, le=20)
    min_rows: int = Field(default=100, ge=1)
    min_units_per_class: int = Field(default=10, ge=2)
    min_auc: float = Field(default=0.5, ge=0, le=1)
    max_gap: float = Field(default=0.4, gt=0, le=1)
    held_strictly: tuple[str, ...] = ()
    alpha: float = Field(default=0.05, gt=0, lt=0.5)


class CardPolicy(Frozen):
    """What only people can say for the model card.

    Attributes:
        intended_use: What the model is for, and what not.
        contact: Who answers questions about it.
        personal_data: Whether the features describe persons, and on what ground they are processed.
        limits: What is known not to hold.
    """

    intended_use: str = "Not stated."
    contact: str | None = None
    personal_data: str = "Nobody has stated yet whether the features describe persons."
    limits: tuple[str, ...] = ()


class EvaluationParameters(Frozen):
    """How versions are judged.

    Attributes:
        max_rows: About how many rows are fetched for a judgement at the most; beyond, whole blocks are sampled.
        explained_rows: Test rows that the judged version's SHAP values are computed on.
        explained_rows_others: Likewise for every other algorithm.
        promotion: What a challenger must show.
        slices: How rows are sliced, and what no slice may show.
        behaviour: Budgets and expected behaviour of a challenger.
        card: What only people can say for the model card.
    """

    max_rows: int = Field(default=300_000, ge=1000)
    explained_rows: int = Field(default=1000, ge=10)
    explained_rows_others: int = Field(default=100, ge=10)
    promotion: PromotionPolicy = PromotionPolicy()
    slices: SlicePolicy = SlicePolicy()
    behaviour: BehaviourPolicy = BehaviourPolicy()
    card: CardPolicy = CardPolicy()
