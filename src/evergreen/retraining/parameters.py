"""The ``retraining`` block of a use case's parameters."""

from __future__ import annotations

from pydantic import Field

from evergreen.evaluation.behaviour import BehaviourPolicy
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
        behaviour: Budgets and expected behaviour of a challenger.
    """

    window_days: int = Field(default=28, ge=1)
    explained_rows: int = Field(default=200, ge=10)
    gate: GatePolicy = GatePolicy()
    trigger: RetrainingRules = RetrainingRules()
    challenger: CandidatePolicy = CandidatePolicy()
    behaviour: BehaviourPolicy = BehaviourPolicy()
