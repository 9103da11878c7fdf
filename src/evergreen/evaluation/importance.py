"""Which features matter, and how surely? Mean absolute SHAP, and what the AUC loses without each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from evergreen.evaluation.auc import as_block_codes, as_labels, auc_covariance, rarer_class_units
from evergreen.evaluation.explanation import Explanation, feature_matrix
from evergreen.evaluation.metrics import MIN_UNITS_PER_CLASS
from evergreen.schema import TableSpec

_PREDICTIONS = 60_000


def mean_absolute(explanation: Explanation) -> pd.DataFrame:
    """Mean absolute SHAP value per feature.

    Args:
        explanation: Of any rows.

    Returns:
        Columns ``feature``, ``mean_abs_shap``, ``units``, ``rank`` (1 is the most important), in order of rank.
    """
    table = pd.DataFrame(
        {
            "feature": explanation.features,
            "mean_abs_shap": np.abs(explanation.shap_values).mean(axis=0),
            "units": explanation.units,
        }
    ).sort_values(["mean_abs_shap", "feature"], ascending=[False, True], ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))


@threadpool_limits.wrap(limits=1)
def permutation_importance_interval(
    pipeline: Pipeline,
    rows: pd.DataFrame,
    y: ArrayLike,
    spec: TableSpec,
    repeats: int = 3,
    seed: int = 0,
    blocks: ArrayLike | None = None,
    max_rows: int = 2000,
    ci: float = 0.95,
) -> pd.DataFrame:
    """What the ROC AUC loses when a feature's values are dealt to other rows (Breiman 2001), with interval.

    The loss is a contrast between the AUC and the mean AUC of the dealt copies, all on the same rows, so DeLong's
    covariance gives its standard error, by blocks where rows depend on each other. The interval is for one
    feature alone. Shared information hides importance: of two equal columns neither is missed.

    Args:
        pipeline: A fitted pipeline of :func:`~evergreen.modelling.estimators.make_pipeline`.
        rows: Rows with the spec's features.
        y: Labels 0/1, shape (rows,).
        spec: The features.
        repeats: How often each feature is dealt.
        seed: Draws the rows and the deals.
        blocks: Block of each row, shape (rows,); None means that rows are independent.
        max_rows: Rows to use at the most; fewer where many features and repeats would cost over 60,000 predictions.
        ci: Coverage of the interval.

    Returns:
        Columns ``feature``, ``importance``, ``low``, ``high``, one row per feature in the spec's order; missing where
        a class stands in too few rows (blocks) to tell.
    """
    rng = np.random.default_rng(seed)
    affordable = max(_PREDICTIONS // (len(spec.features) * repeats), 1)
    taken = np.sort(rng.permutation(len(rows))[: min(max_rows, affordable)])
    labels, codes = as_labels(y)[taken], as_block_codes(blocks, len(rows))[taken]
    table = pd.DataFrame({"feature": spec.features, "importance": 0.0, "low": 0.0, "high": 0.0})
    units = rarer_class_units(labels, codes)
    if units < MIN_UNITS_PER_CLASS:
        return table.assign(importance=np.nan, low=np.nan, high=np.nan)
    X, owners = feature_matrix(pipeline, rows.iloc[taken], spec)
    scores = np.empty((repeats + 1, len(X)))
    scores[0] = pipeline[-1].predict_proba(X)[:, 1]
    weights = np.append(1.0, np.full(repeats, -1 / repeats))
    quantile = float(stats.t.ppf((1 + ci) / 2, units - 1))
    for feature in np.flatnonzero(owners.any(axis=0)):
        own = owners[:, feature] > 0
        for repeat in range(1, repeats + 1):
            dealt = X.copy()
            dealt[:, own] = X[np.ix_(rng.permutation(len(X)), own)]
            scores[repeat] = pipeline[-1].predict_proba(dealt)[:, 1]
        loss, error = auc_covariance(labels, scores, codes).contrast(weights)
        table.loc[feature, ["importance", "low", "high"]] = loss, loss - quantile * error, loss + quantile * error
    return table


def importance_table(explanation: Explanation, permuted: pd.DataFrame) -> pd.DataFrame:
    """Both importances side by side: the content of ``importance.csv``.

    Args:
        explanation: SHAP values.
        permuted: What :func:`permutation_importance_interval` returned for the same features.

    Returns:
        The columns of :func:`mean_absolute`, then ``explainer`` and ``rows`` behind the SHAP values, then ``auc_loss``,
        ``auc_loss_low``, ``auc_loss_high``; in order of rank.
    """
    losses = permuted.rename(columns={"importance": "auc_loss", "low": "auc_loss_low", "high": "auc_loss_high"})
    shap = mean_absolute(explanation).assign(explainer=explanation.explainer, rows=len(explanation.shap_values))
    return shap.merge(losses, on="feature", how="left", validate="one_to_one")
