"""How do categories become numbers? Few levels keep their names, many are told apart by their target means alone.

A target mean says what a level's rows did in training: where the world moves it goes stale, and a linear model can't
undo it. So a column of few levels becomes codes – which trees split as they like, and which linear, SVM and neural
models see as one indicator a level – and only one of many levels becomes cross-fitted target means.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

FEW_LEVELS = 12
UNKNOWN, FIRST = 1.0, 2.0
"""Code of a level that training had not seen, and of the first that it had: target means are never above 1."""


class CategoryCodes(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Texts (n, p) as numbers, one column a feature: codes of few levels, cross-fitted target means of many.

    Args:
        few_levels: Most levels, a missing value among them, of a column that becomes codes.
        seed: Deals the cross-fitting.
    """

    def __init__(self, few_levels: int = FEW_LEVELS, seed: int = 0) -> None:
        self.few_levels = few_levels
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Learn levels, and target means of columns that have many."""
        self._levels(X)
        if (~self.few_).any():
            self.target_ = self._encoder().fit(X[:, ~self.few_], y)
        self._remember()
        return self

    def fit_transform(self, X: np.ndarray, y: np.ndarray, **params: Any) -> np.ndarray:  # noqa: ARG002 - scikit-learn's signature
        """The training rows' numbers: no row's own label is in its target mean."""
        self._levels(X)
        means = None
        if (~self.few_).any():
            self.target_ = self._encoder()
            means = self.target_.fit_transform(X[:, ~self.few_], y)
        self._remember()
        return self._filled(X, means)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Numbers (n, p); a level that training had not seen is ``UNKNOWN``, or the overall mean."""
        return self._filled(X, self.target_.transform(X[:, ~self.few_]) if (~self.few_).any() else None)

    def _encoder(self) -> TargetEncoder:
        return TargetEncoder(target_type="binary", cv=StratifiedKFold(5, shuffle=True, random_state=self.seed))

    def _levels(self, X: np.ndarray) -> None:
        self.n_features_in_ = X.shape[1]
        self.categories_ = [np.array(sorted(set(column)), dtype=object) for column in X.T]
        self.few_ = np.array([len(levels) <= self.few_levels for levels in self.categories_], dtype=bool)

    def _remember(self) -> None:
        """Each column's numbers by level, and that of an unknown one, for whoever compiles them."""
        self.encodings_ = [FIRST + np.arange(len(levels), dtype=np.float64) for levels in self.categories_]
        self.unknown_ = [UNKNOWN] * len(self.encodings_)
        for place, column in enumerate(np.flatnonzero(~self.few_)):
            self.encodings_[column] = np.asarray(self.target_.encodings_[place], np.float64)
            self.unknown_[column] = float(self.target_.target_mean_)

    def _filled(self, X: np.ndarray, means: np.ndarray | None) -> np.ndarray:
        found = np.empty(X.shape, dtype=np.float64)
        if means is not None:
            found[:, ~self.few_] = means
        for column in np.flatnonzero(self.few_):
            codes = dict(zip(self.categories_[column], self.encodings_[column], strict=True))
            found[:, column] = [codes.get(text, UNKNOWN) for text in X[:, column]]
        return found


class FeatureSelection(SelectKBest):
    """The best k features as whole ones; on request a selected column of codes becomes one indicator a level.

    Args:
        score_func: Scores of features (n, p) and labels (n,).
        k: Features to keep.
        categorical: How many of the last columns are categories.
        one_hot: Whether codes become indicators.
    """

    def __init__(self, score_func: Any, *, k: int = 10, categorical: int = 0, one_hot: bool = False) -> None:
        super().__init__(score_func, k=k)
        self.categorical = categorical
        self.one_hot = one_hot

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Score features, and see which categories are codes."""
        super().fit(X, y)
        most = X.max(axis=0) if len(X) else np.zeros(X.shape[1])
        codes = (np.arange(X.shape[1]) >= X.shape[1] - self.categorical) & (most >= FIRST)
        self.levels_ = np.where(codes, most - FIRST + 1, 0).astype(np.int64)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """The kept features (n, m)."""
        kept = super().transform(X)
        if not self.one_hot:
            return kept
        levels = self.levels_[self.get_support()]
        return np.column_stack([_indicators(kept[:, j], count) for j, count in enumerate(levels)])

    @property
    def widths(self) -> np.ndarray:
        """How many columns each kept feature has, in their order."""
        levels = self.levels_[self.get_support()]
        return np.maximum(levels, 1) if self.one_hot else np.ones(len(levels), dtype=np.int64)


def widths_of(select: Any) -> np.ndarray:
    """How many columns each kept feature has after a fitted selection, of whatever release."""
    return select.widths if isinstance(select, FeatureSelection) else np.ones(int(select.get_support().sum()), int)


def _indicators(column: np.ndarray, levels: int) -> np.ndarray:
    if not levels:
        return column[:, None]
    return (column[:, None] == FIRST + np.arange(levels)).astype(np.float64)
