"""How does a row of the user's table become numbers? One output column per feature, under the feature's name."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from evergreen.errors import EvergreenError
from evergreen.modelling.encoding import FEW_LEVELS, CategoryCodes, FeatureSelection
from evergreen.rows.canonical import Levels
from evergreen.rows.canonical_series import canonical_texts
from evergreen.schema import TableSpec

PRICE_TIER = "price_tier"
TIERS = ("Low", "Medium-Low", "Medium", "Medium-High", "High")
_BINS = 32


class CategoryText(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Categories as canonical text, so that ``7``, ``7.0`` and ``"7"`` are one category and missing is one, too.

    What it has seen in training it knows in other spellings, see :class:`evergreen.rows.canonical.Levels`.
    """

    def fit(self, X: pd.DataFrame, y: np.ndarray | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Remember the columns and their levels."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.levels_ = [canonical_texts(X[name])[1].tolist() for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Texts (n, p) of dtype object; a missing value is the empty text."""
        levels = getattr(self, "levels_", None)  # models of before know none until recall_levels has run
        text = np.empty(X.shape, dtype=object)
        for position, name in enumerate(X.columns):
            codes, texts = canonical_texts(X[name])
            if levels is not None and not set(texts) <= set(levels[position]):
                known = Levels(levels[position])
                texts = np.array([known.match(value) for value in texts], dtype=object)
            text[:, position] = texts[codes]
        return text


def recall_levels(model: Pipeline) -> Pipeline:
    """Let a model that was stored before know its levels in other spellings, too: its encoder lists them.

    Args:
        model: A fitted pipeline with the steps of :func:`make_preprocessing`.

    Returns:
        The same pipeline.
    """
    columns = model.named_steps.get("columns")
    categorical = getattr(columns, "named_transformers_", {}).get("categorical")
    if isinstance(categorical, Pipeline) and not hasattr(categorical.named_steps["text"], "levels_"):
        learnt = categorical.named_steps["encode"].categories_
        categorical.named_steps["text"].levels_ = [list(levels) for levels in learnt]
    return model


class PriceTier(TransformerMixin, BaseEstimator):
    """A price as one of five tiers, Low (0) to High (4), cut at the training rows' quintiles.

    A missing price is Medium.
    """

    def fit(self, X: pd.DataFrame, y: np.ndarray | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Fit the four inner quintile edges of the single column of X (n, 1)."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = 1
        prices = self._prices(X)
        known = prices[~np.isnan(prices)]
        self.edges_ = np.quantile(known, [0.2, 0.4, 0.6, 0.8]) if len(known) else np.zeros(4)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Tier numbers (n, 1), float64."""
        check_is_fitted(self)
        prices = self._prices(X)
        tiers = np.searchsorted(self.edges_, prices, side="left").astype(np.float64)
        tiers[np.isnan(prices)] = TIERS.index("Medium")
        return tiers[:, None]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002 - scikit-learn's signature
        """The one output, ``price_tier``."""
        return np.array([PRICE_TIER], dtype=object)

    @staticmethod
    def _prices(X: pd.DataFrame) -> np.ndarray:
        return X.iloc[:, 0].to_numpy(dtype=np.float64, na_value=np.nan)


def mutual_information(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mutual information between each feature, cut at its quantiles into 32 bins, and the label.

    It sees any shape of dependence (an F test sees straight lines only) at the price of a sort; equal values share
    a bin. Its bias, (bins − 1) / 2n, is taken off (Miller 1955; Panzeri and Treves 1996).

    Args:
        X: (n, p) features without missing values.
        y: (n,) labels.

    Returns:
        (p,) nats, not below 0.
    """
    rows = len(y)
    quantiles = np.linspace(0, rows, _BINS + 1)[1:-1].astype(np.int64)
    scores = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        order = np.argsort(X[:, column])
        values = X[order, column]
        ends = np.unique(np.append(np.searchsorted(values, values[quantiles], side="right"), rows))
        positives = np.diff(np.cumsum(y[order])[ends - 1], prepend=0)
        sizes = np.diff(ends, prepend=0)
        joint = np.column_stack([sizes - positives, positives]) / rows
        expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        filled = joint > 0
        scores[column] = (joint[filled] * np.log(joint[filled] / expected[filled])).sum() - (len(ends) - 1) / (2 * rows)
    return np.maximum(scores, 0.0)


def make_preprocessing(
    spec: TableSpec, k: int, price_column: str | None, seed: int, few_levels: int = FEW_LEVELS, one_hot: bool = False
) -> Pipeline:
    """Imputing, encoding, price tier and selection as one scikit-learn pipeline from DataFrame to array.

    Numeric features are imputed by their median. Categorical ones of few levels become codes, or one indicator a level;
    those of many their target mean, shrunk by empirical Bayes and cross-fitted on the training rows (an unknown
    category gets the overall mean). A feature is kept or dropped as a whole.

    Args:
        spec: The table's features.
        k: Features to keep, capped at what exists.
        price_column: Numeric feature that ``price_tier`` is cut from, or None for no tier.
        seed: Deals the encoder's cross-fitting.
        few_levels: Most levels that are few; 0: all categories become target means.
        one_hot: Whether few levels become indicators, as linear, SVM and neural models need them.

    Returns:
        The unfitted pipeline with steps ``columns`` and ``select``.

    Raises:
        EvergreenError: ``price_column`` isn't a numeric feature.
    """
    if price_column is not None and price_column not in spec.numeric:
        raise EvergreenError(
            f"price_column '{price_column}' is not among the numeric features ({', '.join(spec.numeric) or 'none'}): "
            "name one of them, or leave price_column empty"
        )
    encoder = CategoryCodes(few_levels, seed)
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    parts = [
        ("numeric", imputer, list(spec.numeric)),
        (PRICE_TIER, PriceTier(), [price_column] if price_column else []),
        ("categorical", Pipeline([("text", CategoryText()), ("encode", encoder)]), list(spec.categorical)),
    ]
    columns = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    outputs = len(spec.features) + bool(price_column)
    select = FeatureSelection(mutual_information, k=min(k, outputs), categorical=len(spec.categorical), one_hot=one_hot)
    return Pipeline([("columns", columns), ("select", select)])


def selected_features(preprocessing: Pipeline) -> pd.DataFrame:
    """The kept features with their scores, best first.

    Args:
        preprocessing: A fitted pipeline that has the steps of :func:`make_preprocessing`.

    Returns:
        Columns ``feature`` (the user's name) and ``score`` (nats).
    """
    names = preprocessing.named_steps["columns"].get_feature_names_out()
    select = preprocessing.named_steps["select"]
    kept = select.get_support()
    table = pd.DataFrame({"feature": names[kept].astype(str), "score": select.scores_[kept]})
    return table.sort_values(["score", "feature"], ascending=[False, True], ignore_index=True)
