"""Which SHAP explainer suits an algorithm, and does it add up?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import expit, logit
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import Floats
from evergreen.modelling.calibration import PlattScaled
from evergreen.modelling.estimators import algorithm_of

Units = Literal["log-odds", "probability"]
ExplainerName = Literal["tree", "linear", "permutation"]

TOLERANCE = 1e-6
BACKGROUND_ROWS = 30
_FEWEST_TREE_ROWS = 50
_LEAF_VISITS = 1e9
_PREDICTIONS = 25_000
_NATIVE_ROWS = 100_000  # packages of their own compute tree SHAP in their own compiled code
_LIMIT = float(logit(1 - 1e-6))


class Attribution(NamedTuple):
    """SHAP values per model column, shape (n, m), and what they start from, in ``units``."""

    amounts: Floats
    base: float
    units: Units


class Finding(NamedTuple):
    """An attribution of the first n rows that adds up, who made it, its error, and why others didn't."""

    attribution: Attribution
    explainer: ExplainerName
    error: float
    note: str | None


class Explainer(NamedTuple):
    """``affordable(estimator, columns)`` rows are what a fixed amount of work allows; ``fewest`` are worth having."""

    name: ExplainerName
    fewest: int
    affordable: Callable[[Any, int], int]
    attribute: Callable[[PlattScaled, Floats, Floats, int], Attribution]


def attribute(classifier: PlattScaled, X: Floats, reference: Floats, seed: int) -> Finding:
    """Attribute as many rows as the best explainer affords, and check that the values add up.

    Args:
        classifier: The fitted last step of a pipeline.
        X: Rows as it sees them, shape (rows, m).
        reference: Rows that stand for "nothing known", shape (any, m).
        seed: Draws permutations.

    Returns:
        SHAP values of the first n ≤ rows rows, from the first explainer whose values add up.

    Raises:
        EvergreenError: No explainer's values add up.
    """
    passed_over: list[str] = []
    for explainer in explainers_of(classifier.estimator_):
        affordable = explainer.affordable(classifier.estimator_, X.shape[1])
        if affordable < min(len(X), explainer.fewest):
            passed_over.append(f"the {explainer.name} explainer could have afforded {affordable} rows only")
            continue
        found = explainer.attribute(classifier, X[:affordable], reference, seed)
        error = additivity_error(found, classifier, X[:affordable])
        if error <= TOLERANCE:
            return Finding(found, explainer.name, error, "; ".join(passed_over) or None)
        passed_over.append(f"the {explainer.name} explainer missed the model's output by {error:.2g}")
    raise EvergreenError(
        f"the scores of {type(classifier.estimator_).__name__} can't be explained: {'; '.join(passed_over)}, "
        f"but {TOLERANCE:g} is allowed; check that the model's scores are the same at every call"
    )


def explainers_of(estimator: Any) -> list[Explainer]:
    """The explainers of an algorithm, best first."""
    permutation = Explainer("permutation", 1, _permutation_rows, _by_permutation)
    entry = algorithm_of(estimator)
    if entry is not None and entry.tree_shap:
        return [Explainer("tree", _FEWEST_TREE_ROWS, _tree_rows, _by_tree), permutation]
    if isinstance(estimator, LogisticRegression):
        return [Explainer("linear", 1, lambda *_: 1_000_000, _by_line), permutation]
    return [permutation]


def _tree_rows(estimator: Any, columns: int) -> int:  # noqa: ARG001 - the explainers' common signature
    """Rows that tree SHAP affords: it costs leaves × depth² a tree and row."""
    if not isinstance(estimator, RandomForestClassifier | GradientBoostingClassifier | HistGradientBoostingClassifier):
        return _NATIVE_ROWS
    if isinstance(estimator, HistGradientBoostingClassifier):
        stages = np.ravel(estimator._predictors)
        work = sum(tree.get_n_leaf_nodes() * tree.get_max_depth() ** 2 for tree in stages)
    else:
        work = sum(tree.get_n_leaves() * tree.get_depth() ** 2 for tree in np.ravel(estimator.estimators_))
    return int(_LEAF_VISITS / max(work, 1))


def _by_tree(classifier: PlattScaled, X: Floats, reference: Floats, seed: int) -> Attribution:  # noqa: ARG001
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing shap trips over matplotlib's deprecations
        from shap import TreeExplainer
    estimator = classifier.estimator_
    explainer = TreeExplainer(estimator)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LightGBM binary classifier")  # how shap once answered
        values = np.asarray(explainer.shap_values(X, check_additivity=False))
    base = float(np.ravel(explainer.expected_value)[-1])
    if not isinstance(estimator, RandomForestClassifier):
        return Attribution(classifier.slope * values, classifier.slope * base + classifier.intercept, "log-odds")
    return _through_sigmoid(values[..., 1], base, classifier)


def _through_sigmoid(values: Floats, base: float, classifier: PlattScaled) -> Attribution:
    """Attributions of a probability, carried through the calibrating sigmoid.

    Each row's values are stretched by one factor so that they add up to the calibrated difference: the rescale rule
    (Chen, Lundberg and Lee, "Explaining a series of models by propagating Shapley values", 2022).
    """
    if (classifier.slope, classifier.intercept) == (1.0, 0.0):
        return Attribution(values, base, "probability")
    raw = base + values.sum(axis=1)
    ends = logit(np.clip(np.append(raw, base), 1e-6, 1 - 1e-6))
    calibrated = expit(classifier.slope * ends + classifier.intercept)
    moved = np.abs(raw - base) > 1e-9
    factor = np.divide(calibrated[:-1] - calibrated[-1], raw - base, out=np.ones(len(raw)), where=moved)
    return Attribution(values * factor[:, None], float(calibrated[-1]), "probability")


def _by_line(classifier: PlattScaled, X: Floats, reference: Floats, seed: int) -> Attribution:  # noqa: ARG001
    """Coefficient × distance from the background's mean (Štrumbelj and Kononenko 2014)."""
    coefficients = classifier.slope * classifier.estimator_.coef_[0]
    centre = reference.mean(axis=0)
    base = coefficients @ centre + classifier.slope * classifier.estimator_.intercept_[0] + classifier.intercept
    return Attribution(coefficients * (X - centre), float(base), "log-odds")


def _permutation_rows(estimator: Any, columns: int) -> int:  # noqa: ARG001 - the explainers' common signature
    return max(1, _PREDICTIONS // (BACKGROUND_ROWS * (columns + 1)))


def _by_permutation(classifier: PlattScaled, X: Floats, reference: Floats, seed: int) -> Attribution:
    """Sampled permutations, one a background row, every other one the reverse of its neighbour.

    Features of the background row are replaced by the row's own, one after the other; a feature's value is the mean
    step that it makes (Štrumbelj and Kononenko 2014; antithetic pairs: Mitchell et al. 2022). The steps of each
    path add up to its ends' difference, so the values are additive at any number of permutations.
    """
    rng = np.random.default_rng(seed)
    by_score = np.argsort(classifier.predict_proba(reference)[:, 1], kind="stable")
    paths = min(BACKGROUND_ROWS, len(reference))
    background = reference[by_score[((np.arange(paths) + 0.5) / paths * len(reference)).astype(np.intp)]]
    base = float(classifier.predict_proba(background)[:, 1].mean())
    columns = X.shape[1]
    values = np.empty(X.shape)
    for row, x in enumerate(X):
        orders = rng.permuted(np.tile(np.arange(columns), (paths, 1)), axis=1)
        orders[1::2] = orders[: paths - paths % 2 : 2, ::-1]
        rank = np.argsort(orders, axis=1)
        known = rank[:, None, :] < np.arange(columns + 1)[:, None]
        mixed = np.where(known, x, background[:, None, :]).reshape(-1, columns)
        scores = classifier.predict_proba(mixed)[:, 1].reshape(paths, columns + 1)
        values[row] = np.take_along_axis(np.diff(scores, axis=1), rank, axis=1).mean(axis=0)
    return Attribution(values, base, "probability")


def additivity_error(found: Attribution, classifier: PlattScaled, X: Floats) -> float:
    """Largest difference from the model's own output; NaN where either isn't a number.

    On the logit scale outputs beyond probabilities of 1e-6 count as 1e-6, for there the model clips, too.
    """
    outputs = classifier.predict_proba(X)[:, 1]
    sums = found.base + found.amounts.sum(axis=1)
    if found.units == "log-odds":
        ends = classifier.slope * np.array([-_LIMIT, _LIMIT]) + classifier.intercept
        low, high = max(ends[0], -_LIMIT), min(ends[1], _LIMIT)
        with np.errstate(divide="ignore"):
            outputs = np.clip(logit(outputs), low, high)
        sums = np.clip(sums, low, high)
    return float(np.abs(sums - outputs).max())
