"""The parameters that rule rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS


class SplitParameters(Frozen):
    """How a use case's rows are divided.

    Attributes:
        history_days: Burn-in at the start of the table, whose rows have too little history to learn from.
        test_days: Length of the test window at the end of the mature rows.
        label_delay_days: Days until an outcome is known; younger rows take no part.
        judging_share: Share of entities kept from training so that versions can be compared on them, in a panel and
            without dates. Other dated use cases are judged on days that came later, and keep no row from training.
        folds: Cross-validation folds.
        fold_order: ``stratified`` deals blocks by label; ``timeline`` validates on later days than it trains on.
    """

    history_days: int = Field(default=90, ge=0, le=MOST_DAYS)
    test_days: int = Field(default=91, ge=1, le=MOST_DAYS)
    label_delay_days: int = Field(default=0, ge=0, le=MOST_DAYS)
    judging_share: float = Field(default=0.3, gt=0, lt=1)
    folds: int = Field(default=5, ge=2)
    fold_order: Literal["stratified", "timeline"] = "stratified"


class LabelPolicy(Frozen):
    """How a threshold on a numeric outcome is found.

    Attributes:
        quantile: Outcomes above this quantile of the training rows count as 1.
    """

    quantile: float = Field(default=0.8, gt=0, lt=1)
