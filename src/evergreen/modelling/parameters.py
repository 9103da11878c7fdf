"""The ``training`` block of a use case's parameters."""

from __future__ import annotations

from pydantic import Field

from evergreen.modelling.leakage import LeakagePolicy
from evergreen.modelling.tuning import TrainingPolicy
from evergreen.rows.labels import LabelPolicy


class TrainingParameters(TrainingPolicy):
    """The search, and what surrounds it.

    Attributes:
        max_rows: About how many rows training fetches at the most; beyond, whole blocks are sampled.
        reference_sample_rows: Rows of the training set that the version keeps for multivariate drift; 0: none.
        label: How the outcome becomes 0/1 in a first version.
        leakage: The guard against targets in disguise.
    """

    max_rows: int | None = Field(default=300_000, ge=1000)
    reference_sample_rows: int = Field(default=10_000, ge=0, le=10_000)
    label: LabelPolicy = LabelPolicy()
    leakage: LeakagePolicy = LeakagePolicy()
