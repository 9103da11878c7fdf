"""Whether rows as a whole can be told apart, which columns one by one cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from evergreen.evaluation.auc import as_block_codes, auc_covariance
from evergreen.monitoring.encoded_rows import encoded_together
from evergreen.monitoring.profiles.profile import Profile, TimeColumn
from evergreen.monitoring.profiles.two_sample import cauchy_combination
from evergreen.records import Frozen

_MIN_ROWS = 200
_MAX_ROWS = 10_000
_MIN_BLOCKS = 4
"""Two independent blocks of either side in either half, without which an AUC has no variance."""
_NAMED_FEATURES = 5
_MAX_DESIGN_EFFECT = 1.5


class MultivariateDrift(Frozen):
    """Outcome of a classifier two-sample test.

    Attributes:
        status: ``ok``, ``drift`` or ``insufficient_data``.
        alarm: Whether the test rejects at ``q`` and the effect is worth caring about.
        auc: Held-out ROC AUC of telling window from reference; .5 is indistinguishable.
        p_value: One-sided p-value of the AUC.
        effect: ``sqrt(2) Φ⁻¹(auc)``, the Gaussian mean shift with that AUC.
        minimum_detectable_auc: Held-out AUC that would be found with 80 % power.
        features: Features that tell the two apart, with the AUC lost when each is shuffled; only on alarm.
        left_out: Features that took no part, see ``comparable_features``.
    """

    status: Literal["ok", "drift", "insufficient_data"]
    alarm: bool = False
    auc: float | None = None
    p_value: float | None = None
    effect: float | None = None
    minimum_detectable_auc: float | None = None
    features: dict[str, float] = Field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def comparable_features(reference: Profile, names: Sequence[str]) -> list[str]:
    """The features by which a window may be told from the reference.

    A trailing average stands at a level of its own every week, shared by all rows of its key: a classifier
    recognises any week by it, and no block of a few hours covers that dependence. So features whose rows
    repeat each other across a window, by their design effect in the reference, take no part.
    """
    columns = {name: reference.columns[name] for name in names if name in reference.columns}
    inflation = {
        name: dict(column.design)["values"] for name, column in columns.items() if not isinstance(column, TimeColumn)
    }
    return [name for name in inflation if inflation[name] <= _MAX_DESIGN_EFFECT]


def classifier_two_sample_test(
    reference: pd.DataFrame,
    window: pd.DataFrame,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    reference_blocks: ArrayLike | None = None,
    window_blocks: ArrayLike | None = None,
    q: float = 0.05,
    min_effect: float = 0.1,
    seed: int = 0,
) -> MultivariateDrift:
    """Train a small classifier to tell window rows from reference rows, and test it on rows it hasn't seen.

    Both samples are halved (blocks stay whole); each half is scored by a model trained on the other. Each
    half's AUC is tested against .5 with DeLong's block-aware variance, which is valid however the model
    was trained; the Cauchy combination joins the two (Lopez-Paz and Oquab 2017, with a sound variance).

    Args:
        reference: Sample of reference rows; more than 10,000 are sampled.
        window: Sample of window rows, likewise.
        numeric: Numeric features.
        categorical: Categorical features.
        reference_blocks: Block of each reference row where rows are dependent.
        window_blocks: Block of each window row where rows are dependent.
        q: Level of the test.
        min_effect: Smallest effect worth an alarm.
        seed: Seed of sampling, halving and shuffling.
    """
    with threadpool_limits(1, user_api="openmp"):  # so few rows are slower on several threads
        return _tell_apart(
            reference, window, numeric, categorical, (reference_blocks, window_blocks), q, min_effect, seed
        )


def _tell_apart(
    reference: pd.DataFrame,
    window: pd.DataFrame,
    numeric: Sequence[str],
    categorical: Sequence[str],
    both_blocks: tuple[ArrayLike | None, ArrayLike | None],
    q: float,
    min_effect: float,
    seed: int,
) -> MultivariateDrift:
    if min(len(reference), len(window)) < _MIN_ROWS or not [*numeric, *categorical]:
        return MultivariateDrift(status="insufficient_data")
    rng = np.random.default_rng(seed)
    ref, ref_blocks = _sampled(reference, both_blocks[0], rng)
    win, win_blocks = _sampled(window, both_blocks[1], rng)
    if min(ref_blocks.max(), win_blocks.max()) + 1 < _MIN_BLOCKS:
        return MultivariateDrift(status="insufficient_data")
    X = encoded_together(ref, win, numeric, categorical)
    y = np.repeat([0, 1], [len(ref), len(win)])
    blocks = np.concatenate([ref_blocks, win_blocks + ref_blocks.max() + 1])
    side = np.concatenate([_dealt(rng, ref_blocks), _dealt(rng, win_blocks)])
    halves = []
    for half in (0, 1):
        model = _classifier(len(numeric), X.shape[1], seed).fit(X[side != half], y[side != half])
        halves.append((model, X[side == half], y[side == half], blocks[side == half]))
    found = [_auc(y_, model.predict_proba(X_)[:, 1], b) for model, X_, y_, b in halves]
    p_value = cauchy_combination([stats.t.sf((auc - 0.5) / error, df) for auc, error, df in found])
    auc = float(np.mean([auc for auc, _, _ in found]))
    effect = float(np.sqrt(2) * stats.norm.ppf(np.clip(auc, 0.5, 1 - 1e-9)))
    alarm = p_value <= q and effect >= min_effect
    error = float(np.mean([error for _, error, _ in found]))
    features = _telling(halves, [*numeric, *categorical], rng) if alarm else {}
    return MultivariateDrift(
        status="drift" if alarm else "ok",
        alarm=alarm,
        auc=auc,
        p_value=p_value,
        effect=effect,
        minimum_detectable_auc=float(min(0.5 + (stats.norm.isf(q) + stats.norm.ppf(0.8)) * error, 1.0)),
        features=features,
    )


def _dealt(rng: np.random.Generator, blocks: NDArray[np.intp]) -> NDArray[np.intp]:
    """The half of each row: whole blocks, as many in one half as in the other."""
    return rng.permutation(np.arange(blocks.max() + 1) % 2)[blocks]


def _sampled(
    frame: pd.DataFrame, blocks: ArrayLike | None, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    codes = as_block_codes(blocks, len(frame))
    if len(frame) <= _MAX_ROWS:
        return frame, codes
    rows = rng.choice(len(frame), _MAX_ROWS, replace=False)
    return frame.iloc[rows], np.unique(codes[rows], return_inverse=True)[1]


def _classifier(first_categorical: int, features: int, seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        categorical_features=list(range(first_categorical, features)) or None,
        random_state=seed,
    )


def _auc(y: NDArray, scores: NDArray, blocks: NDArray) -> tuple[float, float, int]:
    found = auc_covariance(y, scores, blocks)
    return float(found.aucs[0]), max(float(np.sqrt(found.covariance[0, 0])), 1e-9), found.degrees_of_freedom


def _telling(halves: list, names: Sequence[str], rng: np.random.Generator) -> dict[str, float]:
    """AUC that each feature is worth on held-out rows, largest first."""
    lost = dict.fromkeys(names, 0.0)
    for model, X, y, blocks in halves:
        whole = _auc(y, model.predict_proba(X)[:, 1], blocks)[0]
        for i, name in enumerate(names):
            shuffled = X.copy()
            shuffled[:, i] = rng.permutation(X[:, i])
            lost[name] += (whole - _auc(y, model.predict_proba(shuffled)[:, 1], blocks)[0]) / len(halves)
    ranked = sorted(((name, loss) for name, loss in lost.items() if loss > 0), key=lambda item: -item[1])
    return dict(ranked[:_NAMED_FEATURES])
