"""The ``training`` block of a use case's parameters."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

from joblib.parallel import BACKENDS
from pydantic import Field, PositiveInt, field_validator

from evergreen.modelling.cluster import CLUSTERS
from evergreen.modelling.encoding import FEW_LEVELS
from evergreen.modelling.estimators import ALGORITHMS, COMPETITORS, GRIDS, algorithm
from evergreen.records import Frozen
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import MOST_DAYS

ROW_CAPS = {"SVM": 2_000, "NeuralNetwork": 10_000, "GradientBoosting": 20_000}


class LeakagePolicy(Frozen):
    """What counts as a target in disguise.

    Attributes:
        max_auc: Cross-validated ROC AUC from which one feature, or a tree on two, is a leak.
        pair_depth: Depth of the tree; 6 tells a product of two columns from two strong features, 3 doesn't.
        folds: Cross-validation folds.
        allow: Features that pass in spite of everything, with a logged warning.
        max_rows: Rows looked at, drawn in proportion to the classes.
        suspects: Features, of the forest's most important, whose pairs are tried.
    """

    max_auc: float = Field(default=0.98, gt=0.5, le=1)
    pair_depth: int = Field(default=6, ge=1)
    folds: int = Field(default=3, ge=2)
    allow: list[str] = Field(default_factory=list)
    max_rows: int = Field(default=10_000, ge=100)
    suspects: int = Field(default=6, ge=2)


class ThresholdPolicy(Frozen):
    """How the decision threshold is chosen.

    Attributes:
        method: ``fixed``: as given; ``best_f1``: the highest F1 on out-of-fold scores; ``cost``: the lowest
            total cost on out-of-fold scores.
        fixed: The threshold of ``fixed``.
        cost_false_positive: Cost of acting for nothing.
        cost_false_negative: Cost of failing to act.
    """

    method: Literal["fixed", "best_f1", "cost"] = "best_f1"
    fixed: float = Field(default=0.5, ge=0, le=1)
    cost_false_positive: float = Field(default=1.0, gt=0)
    cost_false_negative: float = Field(default=1.0, gt=0)


class ScoringParameters(Frozen):
    """What is scored, and what is kept of it.

    Attributes:
        whole_table: Score every row instead of the window's alone.
        batch_rows: Rows in memory at a time.
        keep_features: Whether predictions carry the features that they were made from (personal data).
        hash_entities: Whether entity ids are replaced by a keyed-less BLAKE2b digest.
        retention_days: Predictions of older ``as_of`` dates are deleted by ``kedro models prune``; None keeps them.
    """

    whole_table: bool = False
    batch_rows: int = Field(default=100_000, ge=1)
    keep_features: bool = True
    hash_entities: bool = False
    retention_days: int | None = Field(default=400, ge=1, le=MOST_DAYS)


class TrainingParameters(Frozen):
    """The ``training`` block: what competes, over which spaces, at what cost, and what surrounds the search.

    Attributes:
        algorithms: Names of the competitors.
        strategy: ``default``: successive halving of ``grids`` on few rows, then cross-validation of the best;
            ``grid``: cross-validation of every configuration; ``none``: built-in parameters only.
        k: Features to keep, capped at what exists.
        price_column: Numeric feature that ``price_tier`` is cut from, or None.
        few_levels: Most levels of a category that are few: it becomes one indicator a level in linear, SVM and neural
            models, a code in trees; one of more levels its target mean. 0: always its target mean.
        seed: Random state of everything.
        n_jobs: Parallel fits, -1 for all cores; results don't depend on it.
        backend: joblib backend that takes the fits: ``threading``, ``loky``, or a cluster by ``dask`` or ``ray``.
        cluster: Address of the cluster's scheduler; None: one of this machine's cores, for as long as fits take.
        row_caps: Most rows that an algorithm is fitted on.
        search_rows: Most rows that the halving fits on.
        rows_per_tree: Under ``default``, most rows that one tree of a RandomForest or GradientBoosting is grown
            on; each tree draws its own.
        grids: Search space per algorithm, parameter → values; an algorithm without one has that of its entry, or runs
            as it is built.
        threshold: How the decision threshold is chosen.
        max_rows: About how many rows training fetches at the most; beyond, whole blocks are sampled.
        reference_sample_rows: Rows of the training set that the version keeps for multivariate drift; 0: none.
        label: How the outcome becomes 0/1 in a first version.
        leakage: The guard against targets in disguise.
    """

    algorithms: list[str] = Field(default_factory=lambda: list(COMPETITORS), min_length=1)
    strategy: Literal["default", "grid", "none"] = "default"
    k: int = Field(default=15, ge=1)
    price_column: str | None = None
    few_levels: int = Field(default=FEW_LEVELS, ge=0)
    seed: int = Field(default=0, ge=0)
    n_jobs: int = -1
    backend: str = "threading"
    cluster: str | None = None
    row_caps: dict[str, PositiveInt] = Field(default_factory=lambda: dict(ROW_CAPS))
    search_rows: int = Field(default=3_000, ge=100)
    rows_per_tree: int = Field(default=3_000, ge=100)
    grids: dict[str, dict[str, list[Any]]] = Field(default_factory=lambda: deepcopy(GRIDS))
    threshold: ThresholdPolicy = ThresholdPolicy()
    max_rows: int | None = Field(default=300_000, ge=1000)
    reference_sample_rows: int = Field(default=10_000, ge=0, le=10_000)
    label: LabelPolicy = LabelPolicy()
    leakage: LeakagePolicy = LeakagePolicy()

    @field_validator("algorithms")
    @classmethod
    def _known_algorithms(cls, algorithms: list[str]) -> list[str]:
        unknown = sorted(set(algorithms) - set(ALGORITHMS))
        if unknown:
            raise ValueError(f"there is no algorithm {', '.join(unknown)}; choose among {', '.join(ALGORITHMS)}")
        return algorithms

    def grid(self, name: str) -> dict[str, list[Any]]:
        """The search space of an algorithm."""
        return self.grids.get(name, algorithm(name).grid)

    @field_validator("n_jobs")
    @classmethod
    def _some_jobs(cls, n_jobs: int) -> int:
        if n_jobs == 0:
            raise ValueError("at least 1 is needed, or -1 for all cores")
        return n_jobs

    @field_validator("backend")
    @classmethod
    def _known_backend(cls, backend: str) -> str:
        known = sorted({*BACKENDS, *CLUSTERS} - {"dask.distributed"})
        if backend not in known:
            raise ValueError(f"known are {', '.join(known)}")
        return backend
