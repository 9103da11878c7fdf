"""The models that made the out-of-fold scores, kept where a table is too small for scores of any other making.

A fold's model learns from fewer rows than the version's and spreads its scores otherwise. Out-of-fold scores can be
held only against scores of the same models: each later row is scored by one of them, chosen by a hash of its entity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from evergreen.modelling.calibration import logit_scores, platt_of_others
from evergreen.modelling.compiled import Compiled, NotCompilableError, compile_pipeline
from evergreen.modelling.compiled_model import CompiledModel
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.tuning import Matrices, Params, fit_model
from evergreen.schema import TableSpec

MOST_ROWS = 5_000
"""Tables with more rows have rows enough that a version has not seen."""
MOST_BYTES = 10_000_000
_ALIKE = 1e-6


def fit_fold_models(
    name: str, params: Params, matrices: Matrices, policy: TrainingParameters, *, calibrated: bool
) -> list[Pipeline]:
    """Fit a configuration on each fold's training rows, calibrated on the other folds as out-of-fold scores are.

    Args:
        name: The algorithm.
        params: The winning configuration.
        matrices: The folds.
        policy: Caps and seed.
        calibrated: Whether Platt's sigmoid is applied.
    """
    models = [fit_model(name, params, fold.train, policy) for fold in matrices.folds]
    if calibrated:
        valid = [fold.valid for fold in matrices.folds]
        scores = [_logits(model, part.X) for model, part in zip(models, valid, strict=True)]
        weights = [part.weight for part in valid if part.weight is not None]
        sigmoids = platt_of_others(
            np.concatenate(scores),
            np.concatenate([part.y for part in valid]),
            np.repeat(np.arange(len(valid)), [len(part.y) for part in valid]),
            np.concatenate(weights) if weights else None,
        )
        for number, model in enumerate(models):
            model[-1].set_params(**sigmoids[number]._asdict())
    return [Pipeline([*fold.preprocessing.steps, *m.steps]) for fold, m in zip(matrices.folds, models, strict=True)]


def _logits(model: Pipeline, X: np.ndarray) -> np.ndarray:
    return logit_scores(model[-1].estimator_, model[:-1].transform(X) if len(model) > 1 else X)


def write_fold_models(models: Sequence[Pipeline], X: pd.DataFrame, out_of_fold: pd.Series, folder: Path) -> bool:
    """Write the models' plain forms into a new folder, ``0``, ``1``, … below it, unless they are none or too large.

    Args:
        models: Of :func:`fit_fold_models`.
        X: Features of the training rows.
        out_of_fold: Their out-of-fold probabilities, by position, which each has of one of these models.
        folder: Where to; must not exist yet.

    Returns:
        Whether they were written: they have a plain form that takes at most 10 MB, and made these scores.
    """
    try:
        plain = [compile_pipeline(model) for model in models]
    except NotCompilableError:
        return False
    if sum(array.nbytes for model in plain for array in model.arrays.values()) > MOST_BYTES:
        return False
    rows = X.iloc[out_of_fold.index]
    said = np.stack([model.predict_proba(rows)[:, 1] for model in models])
    if np.abs(said - out_of_fold.to_numpy()).min(axis=0).max() > _ALIKE:
        return False
    for number, model in enumerate(plain):
        (folder / str(number)).mkdir(parents=True)
        model.write(folder / str(number))
    return True


class FoldScores:
    """Features and block shares → probability of class 1, each row by the model that its block's hash chooses.

    Args:
        models: Features → probability of class 1, one a fold.
    """

    def __init__(self, models: Sequence[Callable[[pd.DataFrame], np.ndarray]]) -> None:
        self._models = models

    def __call__(self, rows: pd.DataFrame, share: np.ndarray) -> np.ndarray:
        """See :class:`FoldScores`; shares of shape (n,) in [0, 1), such as ``block_share`` gives."""
        # The digits behind the first six: the first ones say which rows were kept for judging.
        chosen = np.floor(share * 1e6 % 1 * len(self._models)).astype(int)
        found = np.empty(len(rows))
        for number, model in enumerate(self._models):
            found[chosen == number] = model(rows[chosen == number])
        return found


def read_fold_models(folder: Path, spec: TableSpec) -> FoldScores | None:
    """What :func:`write_fold_models` wrote; None where it wrote nothing."""
    if not folder.is_dir():
        return None
    return FoldScores([CompiledModel(Compiled.read(place), spec) for place in sorted(folder.iterdir())])
