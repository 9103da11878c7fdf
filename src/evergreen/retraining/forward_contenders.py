"""Which choice of rows does a dated use case's challenger learn from, and what judges it forward?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.modelling.calibration import logit_scores
from evergreen.modelling.estimators import algorithm, trusted_types
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.preprocessing import make_preprocessing
from evergreen.modelling.search import train_candidates
from evergreen.modelling.tuning import Part, fit_model, with_rows_per_tree
from evergreen.retraining.choices import span_of
from evergreen.retraining.contenders import Contender, RowPool, champions_recipe, train_choice
from evergreen.retraining.forward import Fit, Replay, recent_choice, replay
from evergreen.retraining.parameters import CandidatePolicy, Choice
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.parameters import SplitParameters


def recipe_fit(recipe: TrainingParameters) -> Fit:
    """Trains a recipe of one algorithm with one configuration, without folds: what judging models need.

    Args:
        recipe: As :func:`~evergreen.retraining.contenders.champions_recipe` gives it.
    """
    name = recipe.algorithms[0]
    params = {key: values[0] for key, values in recipe.grids.get(name, {}).items()}

    def fit(rows: LabelledRows, weight: np.ndarray | None) -> FittedRecipe:
        preprocessing = make_preprocessing(
            rows.spec, recipe.k, recipe.price_column, recipe.seed, recipe.few_levels, algorithm(name).scaled
        )
        values = preprocessing.fit_transform(rows.X, rows.y)
        fitting = with_rows_per_tree(name, params, len(rows.y), recipe)
        model = fit_model(name, fitting, Part(values, rows.y, weight), recipe)
        return FittedRecipe(Pipeline([*preprocessing.steps, *model.steps]))

    return fit


@dataclass(frozen=True)
class FittedRecipe:
    """A model of a recipe, which scores rows on the logit scale.

    Attributes:
        pipeline: From the user's columns to a probability.
    """

    pipeline: Pipeline

    def __call__(self, asked: pd.DataFrame) -> np.ndarray:
        """Scores of rows, shape (n,)."""
        return logit_scores(self.pipeline[-1].estimator_, self.pipeline[:-1].transform(asked))

    def dump(self) -> bytes:
        """The model, as :func:`read_recipe` reads it."""
        import skops.io  # looks at all of scikit-learn when imported: a command that keeps no model need not wait

        return bytes(skops.io.dumps(self.pipeline))


def read_recipe(stored: bytes) -> FittedRecipe:
    """A model that was written down, of types of our own list alone."""
    import skops.io

    return FittedRecipe(skops.io.loads(stored, trusted=trusted_types()))


def searched_recipe(
    pool: RowPool, first: int, training: TrainingParameters, split: SplitParameters
) -> TrainingParameters:
    """The recipe of a search on rows up to ``first``, before any day that will judge it."""
    before = pool.rows.where(pool.rows.day_numbers <= first)
    if not len(before.y):
        raise EvergreenError(
            f"no row lies before {np.datetime64(first, 'D')}, the last day that the champion has learnt: a search "
            "needs some that do not judge; set retraining.challenger.recipe: champion."
        )
    weights = before.weights
    best = train_candidates(
        before.X, before.y, before.share, before.dates, before.spec, training, split, sample_weight=weights
    )[0]
    return champions_recipe(training, best.algorithm, best.best_params)


def train_forward(
    pool: RowPool,
    judged: LabelledRows,
    first: int,
    window_days: int,
    policy: CandidatePolicy,
    recipe: TrainingParameters,
    split: SplitParameters,
    known: Replay | None = None,
) -> tuple[list[Contender], Replay]:
    """Judge the recipe forward on every choice of rows, and train the choice that leads at the newest day.

    Args:
        pool: The rows to learn from.
        judged: The rows that judge: the pool's, or a panel's other entities.
        first: Last day that the champion has learnt, as days since 1970.
        window_days: Length of the recent window.
        policy: What competes.
        recipe: One algorithm with one configuration.
        split: Number and order of folds of the version that is kept.
        known: An earlier replay of the same recipe, on these judged rows.

    Returns:
        Contenders, the leading one first and alone trained, and the replay.

    Raises:
        EvergreenError: Where the leading choice cannot be trained.
    """
    spans = [span_of(choice, window_days, policy.half_life_days) for choice in policy.candidates]
    found = replay(pool.rows, judged, spans, recipe_fit(recipe), first, policy.forward, recipe.n_jobs, known)
    leader, aucs = recent_choice(found, int(pool.rows.day_numbers.max()), policy.forward)
    trained = train_choice(leader, pool, policy, recipe, split)
    if not trained.candidates:
        raise EvergreenError(f"no challenger could be trained: {leader}: {trained.error}.")
    others = [_untrained(choice, pool, aucs[choice]) for choice in found.choices if choice != leader]
    ranked = sorted(others, key=lambda each: -(each.recent_roc_auc or 0.0))
    return [replace(trained, recent_roc_auc=aucs[leader]), *ranked], found


def _untrained(choice: Choice, pool: RowPool, auc: float | None) -> Contender:
    kept = pool.rows_of(choice)
    return Contender(choice, pool.rows.where(kept), pool.recent[kept], pool.newest[kept], recent_roc_auc=auc)
