"""Why this score? SHAP values in the user's own features, whatever the algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import Floats
from evergreen.evaluation.explainers import ExplainerName, Units, attribute
from evergreen.modelling.encoding import widths_of
from evergreen.modelling.preprocessing import PRICE_TIER
from evergreen.schema import TableSpec

_REFERENCE_ROWS = 1000


@dataclass(frozen=True)
class Explanation:
    """Scores taken apart: ``base_values + shap_values.sum(axis=1)`` is the pipeline's own output in ``units``.

    Attributes:
        features: The spec's p features. ``price_tier`` is counted to the column that it is cut from; a feature
            that selection dropped gets exactly 0.
        shap_values: SHAP values, shape (n, p).
        base_values: What is expected before anything is known of the row, shape (n,).
        data: The features as the user has them, n rows.
        encoded: The features as numbers, shape (n, p): imputed, categories as their target mean.
        units: ``log-odds`` or ``probability``.
        explainer: ``tree``, ``linear`` or ``permutation``.
        index: Positions of the n rows among the rows given, ascending.
        available: Number of rows given.
        additivity_error: Largest difference between the sum and the pipeline's output, in ``units``.
        note: Why a better explainer was passed over, or None.
    """

    features: tuple[str, ...]
    shap_values: Floats
    base_values: Floats
    data: pd.DataFrame
    encoded: Floats
    units: Units
    explainer: ExplainerName
    index: np.ndarray
    available: int
    additivity_error: float
    note: str | None = None

    @property
    def outputs(self) -> Floats:
        """The explained scores in ``units``, shape (n,)."""
        return self.base_values + self.shap_values.sum(axis=1)

    @property
    def probabilities(self) -> Floats:
        """The explained scores as probabilities, shape (n,)."""
        return expit(self.outputs) if self.units == "log-odds" else self.outputs

    @property
    def basis(self) -> str:
        """What the values rest on, in a phrase."""
        phrase = f"{self.explainer} explainer, {self.units}, {len(self.shap_values):,} of {self.available:,} rows"
        return f"{phrase} ({self.note})" if self.note else phrase


@threadpool_limits.wrap(limits=1)  # many small predictions: threads would cost more than they bring
def explain(
    pipeline: Pipeline,
    rows: pd.DataFrame,
    spec: TableSpec,
    *,
    background: pd.DataFrame,
    max_rows: int = 1000,
    seed: int = 0,
) -> Explanation:
    """Take the scores of a sample of rows apart; one row is a local explanation.

    The explainer follows the algorithm: trees exactly (Lundberg et al. 2020; log-odds for boosting, probability for
    forests), a logistic regression exactly (log-odds), everything else by sampled permutations (probability). The
    calibrating sigmoid is part of what is explained. Each explainer takes as many rows as a fixed amount of
    work allows; one that isn't additive to 1e-6, or could take but a few rows, leaves the task to the next.

    Args:
        pipeline: A fitted pipeline of :func:`~evergreen.modelling.estimators.make_pipeline`.
        rows: Rows with the spec's features.
        spec: The features.
        background: Rows that stand for "nothing known": the linear explainer compares with their mean, the
            permutation explainer with 30 of them, spread evenly over the scores. Trees carry their own: the
            training rows.
        max_rows: Rows to explain at the most.
        seed: Draws rows, background and permutations.

    Returns:
        The explanation.

    Raises:
        EvergreenError: No rows, or no explainer that is additive.
    """
    if rows.empty or background.empty:
        raise EvergreenError(
            f"SHAP values need rows and a background, found {len(rows)} and {len(background)} rows: "
            "give at least one of each"
        )
    rng, background_rng = np.random.default_rng(seed).spawn(2)
    order = rng.permutation(len(rows))[:max_rows]
    compared = background.iloc[background_rng.permutation(len(background))[:_REFERENCE_ROWS]]
    X, owners = feature_matrix(pipeline, rows.iloc[order], spec)
    reference, _ = feature_matrix(pipeline, compared, spec)
    found, explainer, error, note = attribute(pipeline[-1], X, reference, seed)
    taken = np.argsort(order[: len(found.amounts)])
    sample = rows[spec.features].iloc[order[taken]]
    return Explanation(
        features=tuple(spec.features),
        shap_values=found.amounts[taken] @ owners,
        base_values=np.full(len(taken), found.base),
        data=sample.reset_index(drop=True),
        encoded=_encoded(pipeline, sample),
        units=found.units,
        explainer=explainer,
        index=order[taken],
        available=len(rows),
        additivity_error=error,
        note=note,
    )


def feature_matrix(pipeline: Pipeline, rows: pd.DataFrame, spec: TableSpec) -> tuple[Floats, Floats]:
    """Rows as the classifier sees them, and which feature each of its columns belongs to.

    Args:
        pipeline: A fitted pipeline of :func:`~evergreen.modelling.estimators.make_pipeline`.
        rows: n rows with the spec's p features.
        spec: The features.

    Returns:
        The columns, shape (n, m), and their owners, shape (m, p) of 0 and 1; ``price_tier`` belongs to the column that
        it is cut from, a level's indicator to its category.
    """
    columns = pipeline.named_steps["columns"]
    source = {name: used[0] for name, _, used in columns.transformers_ if name == PRICE_TIER}
    select = pipeline.named_steps["select"]
    kept = np.repeat(columns.get_feature_names_out()[select.get_support()], widths_of(select))
    names = np.array([source.get(name, name) for name in kept], dtype=object)
    owners = (names[:, None] == np.array(spec.features, dtype=object)).astype(np.float64)
    return np.asarray(pipeline[:-1].transform(rows[spec.features]), dtype=np.float64), owners


def _encoded(pipeline: Pipeline, rows: pd.DataFrame) -> Floats:
    columns = pipeline.named_steps["columns"]
    return np.asarray(columns.transform(rows), dtype=np.float64)[:, columns.get_feature_names_out() != PRICE_TIER]
