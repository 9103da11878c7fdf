"""What happens to a synthetic world: when, and how strongly."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from evergreen.records import Frozen

ScenarioName = Literal[
    "none",
    "price_inflation",
    "mix_shift",
    "new_category",
    "concept_change",
    "missing_values",
    "economic_downturn",
]


class Scenario(Frozen):
    """One change of a synthetic world; several may be listed together.

    What ``strength`` s means, in the retail world from ``start`` on:

    - ``price_inflation``: prices × (1 + s).
    - ``mix_shift``: the share s of lines moves to products of the first category.
    - ``new_category``: the share s of lines sells products of a category that was absent before.
    - ``concept_change``: quantities × (price / typical price)^(−2s), so that at s = 1 the cheap products
      bring the large amounts.
    - ``missing_values``: the share s of ``retailer_id`` and of ``sales_quantity`` is null.

    In the churn world, which is a snapshot and therefore has no ``start``:

    - ``economic_downturn``: income × (1 − .15s), average transaction × (1 − .1s), credit score − s·N(20, 10).
    - ``concept_change``: the effect of age on churn × (1 − 2s), turned round at s = 1.
    - ``missing_values``: the share s of ``income``, ``credit_score`` and ``region`` is null.

    ``none`` changes nothing anywhere, so that a parameter can switch a scenario off.

    Attributes:
        name: Which change.
        start: First day of the change; needed in the retail world, refused in the churn world.
        strength: How much of it, between 0 (nothing) and 1.
    """

    name: ScenarioName
    start: dt.date | None = None
    strength: float = Field(default=1.0, ge=0, le=1)
