"""How much more frequent rows like a reference row are in a window: the weights of covariate shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from evergreen.evaluation.auc import as_block_codes
from evergreen.monitoring.encoded_rows import encoded_together

Floats = NDArray[np.float64]
Learner = Literal["none", "logistic", "boosting"]
_MAX_ROWS = 5_000
_FITTED_ROWS = 4_000
_FOLDS = 3
_REPETITIONS = 3
_CAP = 0.99
_LEVELS = 20
_MIN_ROWS = 200


@dataclass(frozen=True)
class DensityRatio:
    """Weights of reference rows that make them look like a window.

    Attributes:
        weights: One set a repetition of the cross-fitting, each with mean 1, shape (repetitions, rows).
        learner: What told window from reference best out of fold; ``none``: nothing did beyond one standard error.
        effective_rows: Independent unweighted rows that say as much, ``(Σ w)² / Σ w²`` (Kish 1965).
    """

    weights: Floats
    learner: Learner
    effective_rows: float

    @property
    def mean(self) -> Floats:
        """The weights averaged over repetitions, shape (rows,)."""
        return self.weights.mean(axis=0)


def density_ratio(
    reference: pd.DataFrame,
    window: pd.DataFrame,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    blocks: NDArray[np.intp] | None = None,
    seed: int = 0,
) -> DensityRatio | None:
    """Weights of reference rows: the odds that a row is the window's rather than the reference's.

    Each row's odds come from a classifier that has not seen it nor any row of its block (cross-fitting), and are
    capped at their 99th percentile, without which a few rows decide (Cole and Hernán 2008). The simplest learner
    counts that no later one beats out of fold by more than one standard error of the log loss: none (all weights 1),
    logistic regression on values, their squares and levels, gradient boosting. The cross-fitting is repeated on
    bootstraps of both sides, so that the weights' own noise shows.

    Args:
        reference: Reference rows whose outcomes are known.
        window: Rows of the window; beyond 5,000 a sample is learnt from.
        numeric: Numeric features to compare.
        categorical: Categorical features to compare.
        blocks: Block of each reference row where rows are dependent, shape (rows,).
        seed: Seed of sampling, folds and bootstraps.

    Returns:
        The weights; None where either side has fewer than 200 rows or nothing can be compared.

    References:
        Białek, Nowak, Kanagal, "Estimating model performance under covariate shift without labels", arXiv 2401.08348.
    """
    if min(len(reference), len(window)) < _MIN_ROWS or not [*numeric, *categorical]:
        return None
    rng = np.random.default_rng(seed)
    if len(window) > _MAX_ROWS:
        window = window.iloc[np.sort(rng.choice(len(window), _MAX_ROWS, replace=False))]
    with threadpool_limits(1, user_api="openmp"):
        X = encoded_together(reference, window, numeric, categorical)
        return _Telling(X, len(reference), len(numeric), as_block_codes(blocks, len(reference)), rng).ratio()


class _Telling:
    """Two samples, rows of the reference first, and the cross-fitted odds of belonging to the second."""

    def __init__(self, X: Floats, n: int, numeric: int, blocks: NDArray[np.intp], rng: np.random.Generator) -> None:
        self.X, self.n, self.numeric, self.blocks, self.rng = X, n, numeric, blocks, rng
        self.y = (np.arange(len(X)) >= n).astype(float)
        self.prior = float(self.y.mean())

    def ratio(self) -> DensityRatio:
        chosen, first = self._chosen()
        if chosen == "none":
            return DensityRatio(np.ones((1, self.n)), "none", float(self.n))
        several = [first[: self.n], *(self._odds(chosen, bootstrap=True)[: self.n] for _ in range(_REPETITIONS - 1))]
        weights = np.stack([self._weights(each) for each in several])
        mean = weights.mean(axis=0)
        return DensityRatio(weights, chosen, float(mean.sum() ** 2 / (mean**2).sum()))

    def _chosen(self) -> tuple[Learner, Floats]:
        known: dict[Learner, Floats] = {"none": np.full(len(self.y), self.prior)}
        known["logistic"] = self._odds("logistic")
        known["boosting"] = self._odds("boosting")
        chosen: Learner = "none"
        for kind in ("logistic", "boosting"):
            gain = self._loss(known[chosen]) - self._loss(known[kind])
            if gain.mean() > gain.std() / np.sqrt(len(gain)):
                chosen = kind
        return chosen, known[chosen]

    def _loss(self, probability: Floats) -> Floats:
        p = np.clip(probability, 1e-6, 1 - 1e-6)
        return -np.where(self.y == 1, np.log(p), np.log1p(-p))

    def _weights(self, probability: Floats) -> Floats:
        p = np.clip(probability, 1e-6, 1 - 1e-6)
        odds = p / (1 - p)
        odds = np.minimum(odds, np.quantile(odds, _CAP))
        return np.asarray(odds / odds.mean())

    def _odds(self, kind: Learner, *, bootstrap: bool = False) -> Floats:
        """Probability of each row to be the window's, by a model that has not seen its block."""
        codes = np.concatenate([self.blocks, self.blocks.max() + 1 + np.arange(len(self.X) - self.n)])
        fold = (self.rng.permutation(codes.max() + 1) % _FOLDS)[codes]
        counts = self.rng.poisson(1.0, codes.max() + 1)[codes].astype(float) if bootstrap else np.ones(len(codes))
        found = np.empty(len(self.y))
        learner = _LEARNERS[kind](self.X, self.numeric)
        for number in range(_FOLDS):
            inside = fold == number
            used = self._few(~inside & (counts > 0))
            if len(np.unique(self.y[used])) < 2:
                found[inside] = self.prior
                continue
            found[inside] = learner(used, counts, self.y, inside)
        return found

    def _few(self, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """At most 4,000 of the rows to learn from."""
        rows = np.flatnonzero(used)
        if len(rows) > _FITTED_ROWS:
            used = np.zeros_like(used)
            used[self.rng.choice(rows, _FITTED_ROWS, replace=False)] = True
        return used


Fit = Callable[[NDArray[np.bool_], Floats, Floats, NDArray[np.bool_]], Floats]


def _logistic(X: Floats, numeric: int) -> Fit:
    """Logistic regression on standardised numbers, their squares, what is missing, and the most frequent levels."""
    parts = []
    for values in X[:, :numeric].T:
        known = np.isfinite(values)
        middle, spread = (values[known].mean(), values[known].std()) if known.any() else (0.0, 1.0)
        z = np.where(known, np.clip((np.where(known, values, 0.0) - middle) / (spread or 1.0), -5, 5), 0.0)
        parts += [z, z**2 / 2]
        if not known.all():
            parts.append((~known).astype(float))
    for codes in X[:, numeric:].T:
        parts += [(codes == level).astype(float) for level in range(min(_LEVELS, int(np.nanmax(codes, initial=0)) + 1))]
        if np.isnan(codes).any():
            parts.append(np.isnan(codes).astype(float))
    design = np.column_stack(parts)

    def fitted(used: NDArray[np.bool_], counts: Floats, y: Floats, asked: NDArray[np.bool_]) -> Floats:
        model = LogisticRegression(C=1.0, max_iter=100).fit(design[used], y[used], sample_weight=counts[used])
        return np.asarray(expit(model.decision_function(design[asked])))

    return fitted


def _boosting(X: Floats, numeric: int) -> Fit:
    def fitted(used: NDArray[np.bool_], counts: Floats, y: Floats, asked: NDArray[np.bool_]) -> Floats:
        model = HistGradientBoostingClassifier(
            max_iter=30,
            learning_rate=0.13,
            max_leaf_nodes=8,
            min_samples_leaf=40,
            l2_regularization=5.0,
            early_stopping=False,
            categorical_features=list(range(numeric, X.shape[1])) or None,
            random_state=0,
        )
        drawn = np.repeat(np.flatnonzero(used), counts[used].astype(int))  # weights would cost more than the trees
        model.fit(X[drawn], y[drawn])
        return np.asarray(model.predict_proba(X[asked])[:, 1])

    return fitted


_LEARNERS: dict[Learner, Callable[[Floats, int], Fit]] = {"logistic": _logistic, "boosting": _boosting}
