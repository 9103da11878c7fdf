"""The ``retraining`` block of a use case's parameters."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from evergreen.records import Frozen
from evergreen.retraining.contenders import CandidatePolicy
from evergreen.retraining.gate import GatePolicy
from evergreen.retraining.trigger import RetrainingRules


class RetrainingParameters(Frozen):
    """When a challenger is trained, from what, and what it must do beside scoring well.

    Attributes:
        window_days: Length of the recent window that passes the gate, chooses the challenger and judges it; without
            dates it is the newest snapshot.
        explained_rows: Judging rows that the challenger's SHAP values are computed on.
        gate: What recent rows must be like.
        trigger: What starts a retraining.
        challenger: What competes to be the challenger.
    """

    window_days: int = Field(default=28, ge=1)
    explained_rows: int = Field(default=200, ge=10)
    gate: GatePolicy = GatePolicy()
    trigger: RetrainingRules = RetrainingRules()
    challenger: CandidatePolicy = CandidatePolicy()

    @model_validator(mode="before")
    @classmethod
    def _behaviour_moved(cls, values: Any) -> Any:
        if isinstance(values, dict) and "behaviour" in values:
            raise ValueError(
                "behaviour rules every judgement now: move retraining.behaviour to evaluation.behaviour as it is"
            )
        return values
