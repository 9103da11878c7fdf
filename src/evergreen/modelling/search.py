"""Which algorithm wins on the training rows?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.metrics import brier_score_loss
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.modelling.calibration import cross_fitted, fit_platt
from evergreen.modelling.cluster import fits_on
from evergreen.modelling.estimators import Params, algorithm, make_estimator
from evergreen.modelling.fold_models import MOST_ROWS, fit_fold_models
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.preprocessing import selected_features
from evergreen.modelling.threshold import choose_threshold
from evergreen.modelling.tuning import (
    PILOT_FOLDS,
    Matrices,
    choose_configuration,
    configurations,
    cross_validate,
    fewest_rounds,
    fit_model,
    fold_auc,
    prepare_matrices,
    with_rounds,
)
from evergreen.rows.fingerprint import row_digests
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Folds, fold_indices
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen.modelling")

CHANCE = 0.5

__all__ = ["Candidate", "TrainingParameters", "train_candidate", "train_candidates"]


@dataclass(frozen=True)
class Candidate:
    """One algorithm's best, or its failure.

    Attributes:
        algorithm: Its name.
        status: ``ok`` or ``failed``.
        pipeline: From the user's DataFrame to a calibrated probability, fitted on all training rows (or its cap).
        best_params: The winning configuration.
        fold_scores: ROC AUC per fold.
        cv_roc_auc_mean: Their mean; NaN where failed.
        cv_roc_auc_std: Their standard deviation.
        fit_seconds: Wall time of search, cross-validation and final fit.
        train_rows: Rows of the final fit.
        out_of_fold: (m,) probabilities of rows that their model had not seen, calibrated across folds where
            ``calibrated``; None where failed.
        out_of_fold_index: (m,) positions of these rows in the training rows, ascending.
        selected_features: Columns ``feature`` and ``score``, best first.
        threshold: Decision threshold, chosen on ``out_of_fold``.
        calibrated: Whether Platt's sigmoid is applied, because it lowers the out-of-fold Brier score.
        error: What went wrong, in one sentence; None where ok.
        fold_models: Fits the models behind ``out_of_fold`` again; None for tables of more than 5,000 rows.
    """

    algorithm: str
    status: Literal["ok", "failed"]
    pipeline: Pipeline | None = None
    best_params: Params = field(default_factory=dict)
    fold_scores: tuple[float, ...] = ()
    cv_roc_auc_mean: float = float("nan")
    cv_roc_auc_std: float = float("nan")
    fit_seconds: float = 0.0
    train_rows: int = 0
    out_of_fold: np.ndarray | None = None
    out_of_fold_index: np.ndarray | None = None
    selected_features: pd.DataFrame | None = None
    threshold: float = 0.5
    calibrated: bool = False
    error: str | None = None
    fold_models: Callable[[], list[Pipeline]] | None = None

    @property
    def is_constant(self) -> bool:
        """Whether it tells no row from another: a fold's rows have one score."""
        return bool(self.fold_scores) and all(score == CHANCE for score in self.fold_scores)


def train_candidate(
    name: str,
    X: pd.DataFrame,
    y: np.ndarray,
    share: np.ndarray,
    dates: pd.Series | None,
    spec: TableSpec,
    policy: TrainingParameters,
    split: SplitParameters,
    *,
    sample_weight: np.ndarray | None = None,
) -> Candidate:
    """Train one algorithm; arguments and errors as for :func:`train_candidates`."""
    return train_candidates(
        X, y, share, dates, spec, policy.model_copy(update={"algorithms": [name]}), split, sample_weight=sample_weight
    )[0]


def train_candidates(
    X: pd.DataFrame,
    y: np.ndarray,
    share: np.ndarray,
    dates: pd.Series | None,
    spec: TableSpec,
    policy: TrainingParameters,
    split: SplitParameters,
    *,
    sample_weight: np.ndarray | None = None,
    on_result: Callable[[Candidate], None] | None = None,
) -> list[Candidate]:
    """Search, cross-validate, calibrate and fit every algorithm on the training rows.

    Rows are first put into a canonical order (by block share, then content), so that the given order decides
    nothing. Preprocessing is fitted once per fold and shared by all configurations of all algorithms. Selection
    and encoding see no weights; fits, fold scores and calibration do.

    Args:
        X: (n, ≥ p) training rows with the spec's features.
        y: (n,) labels.
        share: (n,) block shares.
        dates: (n,) dates, or None.
        spec: The features.
        policy: What competes.
        split: Number and order of folds.
        sample_weight: (n,) weights of the rows, all one by default.
        on_result: Called with each candidate as soon as it is ready.

    Returns:
        Candidates, best cross-validated AUC first, then those that give all rows one score, failures last.

    Raises:
        EvergreenError: An algorithm that is unknown or not installed, infinite feature values, folds with one class,
            or no algorithm that works.
    """
    for name in policy.algorithms:
        make_estimator(name, {}, policy.seed)
    _refuse_infinities(X, spec)
    order = np.lexsort((row_digests(X[spec.features]), share))
    y = np.asarray(y)[order]
    share = share[order]
    dates = None if dates is None else pd.Series(dates).iloc[order]
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)[order]
    folds = fold_indices(share, y, dates, split, policy.seed)
    matrices = _prepared(X[spec.features].iloc[order], y, weight, folds, spec, policy)
    candidates = []
    with fits_on(policy.backend, policy.cluster):
        for name in policy.algorithms:
            candidates.append(_candidate(name, matrices[algorithm(name).scaled], order, policy))
            if on_result is not None:
                on_result(candidates[-1])
    ranked = sorted(candidates, key=lambda each: (each.status == "failed", each.is_constant, -each.cv_roc_auc_mean))
    if all(candidate.status == "failed" for candidate in candidates):
        reasons = "; ".join(f"{candidate.algorithm}: {candidate.error}" for candidate in candidates)
        raise EvergreenError(f"no algorithm could be trained on {len(y)} rows: {reasons}")
    if ranked[0].is_constant:
        logger.warning(
            "%s gives all rows of a fold one score, and so do all other algorithms that could be trained: these rows "
            "teach nothing about %s; bring more rows or columns that are known before the outcome.",
            ranked[0].algorithm,
            spec.target,
        )
    return ranked


def _prepared(
    X: pd.DataFrame,
    y: np.ndarray,
    weight: np.ndarray | None,
    folds: Folds,
    spec: TableSpec,
    policy: TrainingParameters,
) -> dict[bool, Matrices]:
    """Columns as algorithms want them: few levels as indicators (True) or codes; once where there are none."""
    asked = list(dict.fromkeys(algorithm(name).scaled for name in policy.algorithms))
    found = {asked[0]: prepare_matrices(X, y, weight, folds, spec, policy, asked[0])}
    for other in asked[1:]:
        known = found[asked[0]]
        found[other] = prepare_matrices(X, y, weight, folds, spec, policy, other) if known.has_codes else known
    return found


def _candidate(name: str, matrices: Matrices, order: np.ndarray, policy: TrainingParameters) -> Candidate:
    started = time.perf_counter()
    try:
        result = _trained(name, matrices, order, policy)
    except Exception as fault:
        message = " ".join(str(fault).split()) or type(fault).__name__
        result = {"status": "failed", "error": message[:300]}
    return Candidate(name, fit_seconds=time.perf_counter() - started, **result)


def _trained(name: str, matrices: Matrices, order: np.ndarray, policy: TrainingParameters) -> dict[str, Any]:
    params, fold_logits = _searched(name, matrices, policy)
    fold_scores = tuple(fold_auc(s, fold.valid) for s, fold in zip(fold_logits, matrices.folds, strict=True))
    rows = np.concatenate(matrices.positions)
    scores = np.concatenate(fold_logits)
    fold = np.repeat(np.arange(len(fold_logits)), [len(each) for each in fold_logits])
    whole = matrices.whole
    y, weight = whole.y[rows], None if whole.weight is None else whole.weight[rows]
    raw, platt = expit(scores), cross_fitted(scores, y, fold, weight)
    calibrated = brier_score_loss(y, platt, sample_weight=weight) < brier_score_loss(y, raw, sample_weight=weight)
    probability = platt if calibrated else raw
    model = fit_model(name, params, whole, policy)
    if calibrated:
        model[-1].set_params(**fit_platt(scores, y, weight)._asdict())
    index = order[rows]
    ascending = np.argsort(index)
    return {
        "status": "ok",
        "pipeline": Pipeline([*matrices.preprocessing.steps, *model.steps]),
        "best_params": params,
        "fold_scores": fold_scores,
        "cv_roc_auc_mean": float(np.mean(fold_scores)),
        "cv_roc_auc_std": float(np.std(fold_scores, ddof=1)),
        "train_rows": min(len(whole.y), policy.row_caps.get(name, len(whole.y))),
        "out_of_fold": probability[ascending],
        "out_of_fold_index": index[ascending],
        "selected_features": selected_features(matrices.preprocessing),
        "threshold": choose_threshold(y, probability, policy.threshold),
        "calibrated": bool(calibrated),
        "fold_models": partial(fit_fold_models, name, params, matrices, policy, calibrated=bool(calibrated))
        if len(whole.y) <= MOST_ROWS
        else None,
    }


def _searched(name: str, matrices: Matrices, policy: TrainingParameters) -> tuple[Params, list[np.ndarray]]:
    """The best configuration and its logit scores per fold."""
    if policy.strategy == "grid":
        trials = configurations(policy.grid(name))
        scores = cross_validate(name, trials, matrices.folds, [], policy)
        best = int(np.argmax([np.mean(_aucs(each, 0, matrices)) for each in scores]))
        return trials[best], [each[:, 0] for each in scores[best]]
    params, rounds = choose_configuration(name, matrices, policy)
    (pilot,) = cross_validate(name, [params], matrices.folds[:PILOT_FOLDS], rounds, policy)
    aucs = np.array([np.mean(_aucs(pilot, column, matrices)) for column in range(pilot[0].shape[1])])
    column = fewest_rounds(aucs)
    params = with_rounds(name, params, rounds[column : column + 1])
    (rest,) = cross_validate(name, [params], matrices.folds[PILOT_FOLDS:], [], policy)
    return params, [each[:, column] for each in pilot] + [each[:, 0] for each in rest]


def _aucs(scores: list[np.ndarray], column: int, matrices: Matrices) -> list[float]:
    return [fold_auc(each[:, column], fold.valid) for each, fold in zip(scores, matrices.folds, strict=False)]


def _refuse_infinities(X: pd.DataFrame, spec: TableSpec) -> None:
    infinite = {}
    for name in spec.numeric:
        count = int(np.isinf(X[name].to_numpy(dtype=np.float64, na_value=np.nan)).sum())
        if count:
            infinite[name] = count
    if infinite:
        found = ", ".join(f"'{name}' ({count} of {len(X)} rows)" for name, count in infinite.items())
        raise EvergreenError(
            f"infinite values in numeric features: {found}; features must be finite or null, so correct the division "
            "or logarithm that makes them"
        )
