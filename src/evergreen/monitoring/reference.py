"""What a version remembers of the world that it was made in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from evergreen.evaluation.metrics import Metric
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

PROBABILITY = "probability"


BLOCK_SHARE = "block_share"


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
        score_profile: Summary of the out-of-fold probabilities.
        scores: Columns ``probability`` and ``label``, out of fold.
        metrics: Metrics on the test window, by name.
        sample: Training rows with their ``block_share``; None where none is kept.
        importance: Weight of each feature.
    """

    spec: TableSpec
    label: LabelDefinition
    bounds: Bounds
    threshold: float
    trained_as_of: dt.date
    profile: Profile
    score_profile: Profile
    scores: pd.DataFrame
    metrics: Mapping[str, Metric]
    sample: pd.DataFrame | None
    importance: Mapping[str, float]


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
