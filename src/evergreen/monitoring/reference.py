"""What a version remembers of the world that it was made in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evergreen.evaluation.metrics import Metric
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile, TimeColumn
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

PROBABILITY = "probability"


BLOCK_SHARE = "block_share"
MIN_UNSEEN = 500
"""Fewest rows that a model has not learnt from whose scores say how its later scores are spread."""


@dataclass(frozen=True)
class Reference:
    """What a version remembers of the world that it was made in.

    Attributes:
        spec: The table that it expects.
        label: How the outcome becomes 0/1.
        bounds: The windows that it was trained and tested on.
        threshold: Probability from which a row is predicted 1.
        trained_as_of: The date that its training pretended was today.
        profile: Summary of the features in the training rows.
        score_profile: Summary of the probabilities in ``scores``; of those out of fold where there are none.
        scores: Columns ``probability`` and ``label`` of rows that whoever scored them had not learnt from: the version
            itself or, judged forward, a fit of its recipe on all earlier days. A fold's model learns from fewer rows
            and spreads its scores otherwise: where fewer than 500 rows are kept, they are those out of fold, and
            ``folds`` scores the window. None without either, so that scores can't be compared.
            Versions of today carry their ``block_share``, too.
        folds: Features and block shares → probabilities by the folds' models; None where ``scores`` are the version's.
        metrics: Metrics on the test window, by name.
        sample: Training rows with their ``block_share``; None where none is kept.
        importance: Weight of each feature.
        window_counts: Coarse counts of the windows that its training rows fall into; None without dates.
        unseen: Features of some of the rows behind ``scores``, by its index; None where no rows are kept.
    """

    spec: TableSpec
    label: LabelDefinition
    bounds: Bounds
    threshold: float
    trained_as_of: dt.date
    profile: Profile
    score_profile: Profile
    scores: pd.DataFrame | None
    metrics: Mapping[str, Metric]
    sample: pd.DataFrame | None
    importance: Mapping[str, float]
    unseen: pd.DataFrame | None = None
    window_counts: pd.DataFrame | None = None
    folds: Callable[[pd.DataFrame, np.ndarray], np.ndarray] | None = None


def reference_profiles(
    rows: pd.DataFrame, spec: TableSpec, probability: pd.Series, window_days: int
) -> tuple[Profile, Profile]:
    """What a new version remembers: profiles of its features and of its out-of-fold scores.

    Args:
        rows: Training rows with keys and features.
        spec: Their description.
        probability: Out-of-fold probabilities, by the index of ``rows``.
        window_days: Length of the windows that will be held against them.
    """
    features = build_profile(
        rows[[*dict.fromkeys([*spec.keys, *spec.features])]],
        blocks=spec.block_columns,
        numeric=spec.numeric,
        categorical=spec.categorical,
        groups=spec.group_columns,
        date=spec.date,
        period_days=window_days,
    )
    scored = rows.loc[probability.index, spec.keys].assign(**{PROBABILITY: probability})
    scores = build_profile(
        scored,
        blocks=spec.block_columns,
        numeric=[PROBABILITY],
        categorical=[],
        date=spec.date,
        period_days=window_days,
    )
    return features, scores


def unseen_score_profile(scores: pd.DataFrame, out_of_fold: Profile) -> Profile:
    """Summary of a version's own probabilities of rows that it has not learnt from.

    Args:
        scores: Column ``probability``.
        out_of_fold: Profile of the training rows' scores; more blocks and days are in it, so that how far rows depend
            on each other is taken from there.
    """
    found = build_profile(scores[[PROBABILITY]], numeric=[PROBABILITY], categorical=[])
    known = out_of_fold.columns[PROBABILITY]
    assert not isinstance(known, TimeColumn)
    dependence = {"design": known.design, "pair_design": known.pair_design}
    column = found.columns[PROBABILITY].model_copy(update=dependence)
    return found.model_copy(update={"columns": {PROBABILITY: column}})
