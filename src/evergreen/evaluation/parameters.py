"""The ``evaluation`` block of a use case's parameters."""

from __future__ import annotations

from pydantic import Field

from evergreen.evaluation.behaviour import BehaviourPolicy
from evergreen.evaluation.decision import PromotionPolicy
from evergreen.evaluation.slices import SlicePolicy
from evergreen.records import Frozen


class CardParameters(Frozen):
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
    card: CardParameters = CardParameters()
