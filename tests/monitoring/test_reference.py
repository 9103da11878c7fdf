"""Claims about what a version's later scores are held against."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_predict

from evergreen.monitoring.drift.compare import compare_profiles
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import PROBABILITY, unseen_score_profile

SPLITS = 6


def profile_of(scores: np.ndarray, like: Profile | None = None) -> Profile:
    frame = pd.DataFrame({PROBABILITY: scores})
    return build_profile(frame, like) if like else build_profile(frame, numeric=[PROBABILITY], categorical=[])


@pytest.fixture(scope="module")
def alarms() -> tuple[int, int]:
    """Alarms of scores of exchangeable rows, held against the version's own scores and against those out of fold."""
    X, y = make_classification(9_000, n_informative=8, class_sep=1.6, random_state=0)
    found = np.zeros(2, int)
    for split in range(SPLITS):
        train, unseen, window = np.split(np.random.default_rng(split).permutation(9_000)[:6_000], [2_400, 3_400])
        model = RandomForestClassifier(25, random_state=0)
        out_of_fold = profile_of(cross_val_predict(model, X[train], y[train], cv=2, method="predict_proba")[:, 1])
        own = model.fit(X[train], y[train])
        known = pd.DataFrame({PROBABILITY: own.predict_proba(X[unseen])[:, 1]})
        for number, reference in enumerate((unseen_score_profile(known, out_of_fold), out_of_fold)):
            scored = profile_of(own.predict_proba(X[window])[:, 1], reference)
            report = compare_profiles(reference, scored, DriftPolicy(min_effect=0.05))
            found[number] += report.columns[PROBABILITY].alarm
    return int(found[0]), int(found[1])


def test_scores_are_held_against_those_of_the_same_model(alarms: tuple[int, int]) -> None:
    own, out_of_fold = alarms
    assert own <= 1
    assert out_of_fold >= 4  # the other way alarms without any change


def test_dependence_of_rows_is_taken_from_where_there_are_more_of_them() -> None:
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(200), 20)
    frame = pd.DataFrame(
        {"day": day, PROBABILITY: np.clip(rng.beta(2, 5, 4_000) + 0.1 * rng.normal(size=200)[day], 0, 1)}
    )
    out_of_fold = build_profile(frame, blocks=["day"], numeric=[PROBABILITY], categorical=[])
    known = unseen_score_profile(frame.tail(600), out_of_fold)
    assert known.columns[PROBABILITY].design == out_of_fold.columns[PROBABILITY].design
    assert known.rows == 600
