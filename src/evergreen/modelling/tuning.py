"""Which configuration of an algorithm is the best one?"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from evergreen.modelling.calibration import logit_scores, staged_logit_scores
from evergreen.modelling.estimators import Params, algorithm, make_model
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.preprocessing import make_preprocessing
from evergreen.rows.splits import Folds
from evergreen.schema import TableSpec

PILOT_FOLDS = 2
_KEEP = 3
_WORTH_MORE_ROUNDS = 5e-4
_MOST_OF_A_TREES_ROWS = 0.5


@dataclass(frozen=True)
class Part:
    """Rows as the estimators see them: features (n, p), labels (n,), weights (n,) or None."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None

    def sample(self, rows: int, seed: int) -> Part:
        """At most ``rows`` rows, drawn in proportion to the classes."""
        if len(self.y) <= rows:
            return self
        by_class = np.lexsort((np.random.default_rng(seed).random(len(self.y)), self.y))
        kept = np.sort(by_class[np.linspace(0, len(self.y) - 1, rows).round().astype(np.int64)])
        return Part(self.X[kept], self.y[kept], None if self.weight is None else self.weight[kept])


@dataclass(frozen=True)
class Fold:
    """One fold after preprocessing fitted on its training rows."""

    train: Part
    valid: Part
    preprocessing: Pipeline


@dataclass(frozen=True)
class Matrices:
    """Preprocessed once, used by every configuration of every algorithm that asks for the same columns.

    Attributes:
        preprocessing: Fitted on all training rows.
        whole: All training rows.
        folds: The cross-validation folds.
        positions: Positions of each fold's validation rows.
    """

    preprocessing: Pipeline
    whole: Part
    folds: list[Fold]
    positions: list[np.ndarray]

    @property
    def has_codes(self) -> bool:
        """Whether a kept category has few levels, so that it matters who sees it as indicators."""
        select = self.preprocessing.named_steps["select"]
        return bool(select.levels_[select.get_support()].any())


def prepare_matrices(
    X: pd.DataFrame,
    y: np.ndarray,
    weight: np.ndarray | None,
    folds: Folds,
    spec: TableSpec,
    policy: TrainingParameters,
    one_hot: bool = False,
) -> Matrices:
    """Fit the preprocessing on all rows and on each fold's training rows alone.

    Args:
        X: (n, p) features.
        y: (n,) labels.
        weight: (n,) sample weights or None.
        folds: (training, validation) positions.
        spec: The features.
        policy: ``k``, ``price_column``, seed, what few levels are, parallelism.
        one_hot: Whether categories of few levels become indicators.

    Returns:
        The matrices.
    """

    def part(rows: np.ndarray, values: np.ndarray) -> Part:
        return Part(values, y[rows], None if weight is None else weight[rows])

    def fitted(rows: np.ndarray) -> tuple[Pipeline, Part]:
        preprocessing = make_preprocessing(spec, policy.k, policy.price_column, policy.seed, policy.few_levels, one_hot)
        return preprocessing, part(rows, preprocessing.fit_transform(X.iloc[rows], y[rows]))

    def fold(train: np.ndarray, valid: np.ndarray) -> Fold:
        preprocessing, train_part = fitted(train)
        return Fold(train_part, part(valid, preprocessing.transform(X.iloc[valid])), preprocessing)

    preprocessing, whole = fitted(np.arange(len(y)))
    ready = Parallel(n_jobs=policy.n_jobs, backend="threading")(delayed(fold)(*pair) for pair in folds)
    return Matrices(preprocessing, whole, ready, [valid for _, valid in folds])


def fit_model(name: str, params: Params, part: Part, policy: TrainingParameters) -> Pipeline:
    """Fit one model on preprocessed rows, at most as many as its row cap, in one thread.

    One thread a fit keeps results independent of the number of cores, and leaves the cores to the fits. A
    ConvergenceWarning is expected and dropped: networks and saga stop at their iteration budget by design, and
    cross-validation judges what they have learnt by then.
    """
    part = part.sample(policy.row_caps.get(name, len(part.y)), policy.seed)
    weights = {} if part.weight is None else {"classifier__sample_weight": part.weight}
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_model(name, params, policy.seed).fit(part.X, part.y, **weights)


def cross_validate(
    name: str, trials: Sequence[Params], folds: Sequence[Fold], rounds: list[int], policy: TrainingParameters
) -> list[list[np.ndarray]]:
    """Score configurations on folds, in parallel by the backend of :func:`~evergreen.modelling.cluster.fits_on`.

    Args:
        name: The algorithm.
        trials: Configurations.
        folds: The folds to fit and score on.
        rounds: Numbers of trees to score each fit at; empty for an algorithm without rounds.
        policy: Caps, seed, parallelism.

    Returns:
        Per trial and fold, logit scores (n_valid, max(len(rounds), 1)).
    """
    tasks = [(trial, fold) for trial in trials for fold in folds]
    with warnings.catch_warnings():  # filters belong to the process: threads that end before others restore this one
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = Parallel(n_jobs=policy.n_jobs)(
            delayed(_fold_scores)(name, trial, fold, rounds, policy) for trial, fold in tasks
        )
    return [results[start : start + len(folds)] for start in range(0, len(results), len(folds))]


def choose_configuration(name: str, matrices: Matrices, policy: TrainingParameters) -> tuple[Params, list[int]]:
    """Choose the configuration that goes into the final cross-validation, by successive halving.

    All configurations are fitted on a quarter of ``search_rows`` and the best third of them on all of these, each
    scored on as many validation rows of two folds; three or fewer skip the first stage. Boosting rounds aren't
    searched here: the scores of all their values come from prefixes of one fit a fold once the rest is settled.

    Returns:
        The configuration without rounds, and the rounds still to be chosen among, ascending.

    References:
        Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (2016).
    """
    chosen = algorithm(name)
    grid = {} if policy.strategy == "none" else policy.grid(name)
    searched = {key: grid[key] for key in grid if key != chosen.rounds and key not in chosen.settled}
    trials = [{**chosen.settled, **trial} for trial in configurations(searched)]
    if len(trials) > _KEEP:
        ranked = _ranked(name, trials, matrices, policy.search_rows // 4, policy)
        trials = ranked[: -(-len(trials) // _KEEP)]
    if len(trials) > 1:
        trials = _ranked(name, trials, matrices, policy.search_rows, policy)
    best = with_rows_per_tree(name, trials[0], len(matrices.whole.y), policy)
    return best, sorted(grid.get(chosen.rounds or "", []))


def with_rows_per_tree(name: str, params: Params, rows: int, policy: TrainingParameters) -> Params:
    """A configuration whose trees grow on the policy's number of rows, out of ``rows`` to learn from."""
    parameter = algorithm(name).rows_per_tree
    if parameter is None or policy.strategy == "grid":
        return params
    share = policy.rows_per_tree / min(rows, policy.row_caps.get(name, rows))
    return {**params, parameter: round(min(share, _MOST_OF_A_TREES_ROWS), 4)}


def _ranked(name: str, trials: list[Params], matrices: Matrices, rows: int, policy: TrainingParameters) -> list[Params]:
    """The trials, best mean AUC first, as sketched on few rows of two folds."""
    seed = policy.seed
    small = [
        replace(fold, train=fold.train.sample(rows, seed), valid=fold.valid.sample(policy.search_rows, seed))
        for fold in matrices.folds[:PILOT_FOLDS]
    ]
    sketches = [{**trial, **algorithm(name).sketch} for trial in trials]
    scores = cross_validate(name, sketches, small, [], policy)
    means = [np.mean([fold_auc(s[:, 0], f.valid) for s, f in zip(each, small, strict=True)]) for each in scores]
    return [trials[position] for position in np.argsort(-np.array(means), kind="stable")]


def fewest_rounds(aucs: np.ndarray) -> int:
    """Position of the fewest rounds whose AUC is within .0005 of the best (r,): more trees must earn their cost."""
    return int(np.flatnonzero(aucs >= aucs.max() - _WORTH_MORE_ROUNDS)[0])


def with_rounds(name: str, params: Params, rounds: Sequence[int]) -> Params:
    """A configuration with its number of boosting rounds, if one is given."""
    counter = algorithm(name).rounds
    return {**params, counter: rounds[0]} if counter and rounds else params


def configurations(grid: dict[str, list[Any]]) -> list[Params]:
    """Every combination of a grid's values; one empty configuration for an empty grid."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def fold_auc(scores: np.ndarray, valid: Part) -> float:
    """Weighted ROC AUC of scores (n_valid,)."""
    return float(roc_auc_score(valid.y, expit(scores), sample_weight=valid.weight))


def _fold_scores(name: str, trial: Params, fold: Fold, rounds: list[int], policy: TrainingParameters) -> np.ndarray:
    model = fit_model(name, with_rounds(name, trial, rounds[-1:]), fold.train, policy)
    values = model[:-1].transform(fold.valid.X) if len(model) > 1 else fold.valid.X
    estimator = model[-1].estimator_
    with threadpool_limits(1):
        if rounds:
            return staged_logit_scores(estimator, values, rounds)
        return logit_scores(estimator, values)[:, None]
