"""The churn world: one row per customer, each column by a stated law."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from evergreen.datasets.synthetic.scenario import Scenario
from evergreen.records import Frozen

VERSION: Final = 1
"""Raised whenever the same recipe would give other rows, so that files on disk are generated anew."""

SNAPSHOT_DATES: Final = {"customers": dt.date(2025, 11, 30), "current": dt.date(2026, 2, 28)}

CHURN_CUTOFF: Final = 0.07703
"""The 75 % quantile of the churn tendency without a scenario.

Convolving the laws of its six terms on a grid of 1e-4 gives .07703; 100 million simulated customers give
.07702 with a standard error of .00009.
"""

REGIONS: Final = {"North": 0.3, "South": 0.25, "East": 0.25, "West": 0.2}

SCHEMA: Final = pa.schema(
    [
        ("customer_id", pa.string()),
        ("age", pa.float64()),
        ("income", pa.float64()),
        ("credit_score", pa.float64()),
        ("account_balance", pa.float64()),
        ("transaction_frequency", pa.int64()),
        ("avg_transaction_amount", pa.float64()),
        ("months_as_customer", pa.float64()),
        ("number_of_products", pa.int64()),
        ("digital_engagement", pa.float64()),
        ("region", pa.string()),
        ("churned", pa.int64()),
        ("snapshot_date", pa.date32()),
    ]
)

_ALLOWED_SCENARIOS: Final = ("none", "economic_downturn", "concept_change", "missing_values")
_ROWS_PER_CHUNK: Final = 100_000
_STREAM_OF_TABLE: Final = {"customers": 11, "current": 12}
_FIRST_NEW_CUSTOMER: Final = 500_000_000


class ChurnRecipe(Frozen):
    """Everything that determines a churn table.

    The rows of ``current`` are drawn afresh; every second one carries the id of a customer who is also in a
    ``customers`` table of at least half its size, and the others carry ids that ``customers`` never has.

    Attributes:
        source: Always ``churn``.
        table: ``customers``, or the newer snapshot ``current``.
        size: Number of customers.
        seed: Seed of all random streams.
        scenarios: Changes of this snapshot; none for a snapshot of the same world.
    """

    source: Literal["churn"] = "churn"
    table: Literal["customers", "current"]
    size: int = Field(default=20_000, gt=0)
    seed: int = Field(default=42, ge=0)
    scenarios: tuple[Scenario, ...] = ()

    @model_validator(mode="after")
    def _scenarios_belong_to_a_snapshot(self) -> ChurnRecipe:
        for scenario in self.scenarios:
            if scenario.name not in _ALLOWED_SCENARIOS:
                raise ValueError(
                    f"the churn source has no scenario {scenario.name}; use one of {', '.join(_ALLOWED_SCENARIOS)}"
                )
            if scenario.start is not None:
                raise ValueError(f"scenario {scenario.name} changes a whole snapshot; leave out its start")
        return self

    @property
    def version(self) -> int:
        """Version of the generator."""
        return VERSION

    @property
    def schema(self) -> pa.Schema:
        """Columns and types of the table."""
        return SCHEMA

    def strength(self, name: str) -> float:
        """Joint strength of the scenarios called ``name``; 0 without one."""
        return max((s.strength for s in self.scenarios if s.name == name), default=0.0)

    def chunks(self) -> Iterator[pa.Table]:
        """Yield the table in pieces of at most 100,000 rows, in order of generation."""
        for chunk, first in enumerate(range(0, self.size, _ROWS_PER_CHUNK)):
            rows = np.arange(first, min(first + _ROWS_PER_CHUNK, self.size))
            yield self._customers(chunk, rows)

    def _customers(self, chunk: int, rows: NDArray[np.int64]) -> pa.Table:
        rng = np.random.default_rng([self.seed, _STREAM_OF_TABLE[self.table], chunk])
        n = len(rows)
        age = np.clip(rng.normal(35, 12, n), 18, 80).round(2)
        income = rng.lognormal(10.5, 0.6, n)
        score = rng.normal(650, 100, n)
        balance = rng.lognormal(8, 1.5, n).round(2)
        frequency = rng.poisson(25, n)
        transaction = rng.lognormal(4, 0.8, n)
        months = np.clip(rng.exponential(24, n), 1, 120).round(2)
        products = np.clip(rng.poisson(2.5, n), 1, 10)
        engagement = rng.beta(3, 2, n).round(4)
        region = rng.choice(len(REGIONS), n, p=list(REGIONS.values()))
        chance = rng.normal(0, 0.5, n)
        score_shock = rng.normal(20, 10, n)
        blank = {name: rng.random(n) for name in ("income", "credit_score", "region")}

        downturn = self.strength("economic_downturn")
        income = (income * (1 - 0.15 * downturn)).round(2)
        transaction = (transaction * (1 - 0.1 * downturn)).round(2)
        score = np.clip(score - downturn * score_shock, 300, 850).round(2)
        age_effect = -0.02 * (1 - 2 * self.strength("concept_change"))
        tendency = (
            age_effect * (age - 35)
            - 0.3 * (score - 650) / 100
            - 0.02 * np.log(balance + 1)
            + 0.1 * (frequency - 25) / 25
            - 0.3 * engagement
            + chance
        )
        missing = {name: draws < self.strength("missing_values") for name, draws in blank.items()}
        columns = {
            "customer_id": self._ids(rows),
            "age": age,
            "income": pa.array(income, mask=missing["income"]),
            "credit_score": pa.array(score, mask=missing["credit_score"]),
            "account_balance": balance,
            "transaction_frequency": frequency,
            "avg_transaction_amount": transaction,
            "months_as_customer": months,
            "number_of_products": products,
            "digital_engagement": engagement,
            "region": pa.array(np.array(list(REGIONS))[region], mask=missing["region"]),
            "churned": (tendency > CHURN_CUTOFF).astype(np.int64),
            "snapshot_date": pa.repeat(pa.scalar(SNAPSHOT_DATES[self.table]), n),
        }
        return pa.table(columns, schema=SCHEMA)

    def _ids(self, rows: NDArray[np.int64]) -> pa.Array:
        numbers = rows
        if self.table == "current":
            numbers = rows // 2 + np.where(rows % 2, _FIRST_NEW_CUSTOMER, 0)
        return pa.array([f"C{number:09d}" for number in numbers.tolist()])
