"""From which rows should a challenger learn: all, all with the newest weighing more, or the newest alone?

After a concept change, two old years drown three new weeks; without one, the newest weeks alone know less. And a
change rarely falls on the first day of the recent window, so that its newer half competes, too. Each choice is
trained, and out-of-fold scores of that newer half choose: it is the world that the challenger is meant for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import roc_auc_score

from evergreen.errors import EvergreenError
from evergreen.modelling.estimators import Params
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import Candidate, train_candidates
from evergreen.retraining.choices import AS_GOOD_AUC, WEEKS
from evergreen.retraining.parameters import CandidatePolicy, Choice
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.parameters import SplitParameters


@dataclass(frozen=True)
class RowPool:
    """All rows that a challenger may learn from.

    Attributes:
        rows: The rows, labelled.
        recent: Whether a row belongs to the newest window, shape (n,).
        age_days: Days between a row and ``as_of``, shape (n,).
    """

    rows: LabelledRows
    recent: np.ndarray
    age_days: np.ndarray

    @property
    def newest(self) -> np.ndarray:
        """Whether a row belongs to the newer half of the recent window's days, shape (n,)."""
        ages = self.age_days[self.recent]
        return self.recent & (self.age_days <= (ages.min() + ages.max()) / 2) if ages.size else self.recent

    def rows_of(self, choice: Choice) -> np.ndarray:
        """Whether a row belongs to a choice, shape (n,)."""
        if choice in WEEKS:
            return self.age_days < self.age_days.min() + 7 * WEEKS[choice]
        return {"recent": self.recent, "newest": self.newest}.get(choice, np.ones(len(self.recent), dtype=bool))


@dataclass(frozen=True)
class Contender:
    """One choice of rows and what was learnt from it.

    Attributes:
        choice: Which rows.
        rows: These rows.
        recent: Which of them belong to the recent window, shape (rows,).
        newest: Which of them belong to its newer half, shape (rows,).
        candidates: Algorithms, best on the newest rows first; empty where training failed.
        recent_roc_auc: ROC AUC of the best on the newest rows, out of fold; None where it can't be measured.
        error: What went wrong, or None.
    """

    choice: Choice
    rows: LabelledRows
    recent: np.ndarray
    newest: np.ndarray
    candidates: tuple[Candidate, ...] = ()
    recent_roc_auc: float | None = None
    error: str | None = None


def champions_recipe(training: TrainingParameters, algorithm: str, params: Params) -> TrainingParameters:
    """The training policy whose search has one point: the champion's algorithm and parameters."""
    strategy = "grid" if training.strategy == "grid" else "default"
    grid = {name: [value] for name, value in params.items()}
    return training.model_copy(update={"algorithms": [algorithm], "strategy": strategy, "grids": {algorithm: grid}})


def train_contenders(
    pool: RowPool, policy: CandidatePolicy, training: TrainingParameters, split: SplitParameters
) -> list[Contender]:
    """Train every choice of rows and rank them by ROC AUC on the newest rows, which their models had not seen.

    All are scored on the same rows, so that the comparison is fair. Rows of one block share a fold, so a block's older
    rows never teach what its newest rows ask.

    Args:
        pool: The rows.
        policy: What competes.
        training: The search, or the champion's recipe.
        split: Number and order of folds.

    Returns:
        Contenders, best first, failed ones last.

    Raises:
        EvergreenError: Where no choice of rows could be trained.
    """
    trained = [train_choice(choice, pool, policy, training, split) for choice in _different_choices(pool, policy)]
    working = [contender for contender in trained if contender.candidates]
    if not working:
        faults = "; ".join(f"{contender.choice}: {contender.error}" for contender in trained)
        raise EvergreenError(f"no challenger could be trained: {faults}.")
    scored = {contender.choice: _scores_of_newest_rows(contender) for contender in working}
    common = np.logical_and.reduce([~np.isnan(row) for rows in scored.values() for row in rows])
    y = pool.rows.y[pool.newest][common]
    scored_alike = [_rank(each, [row[common] for row in scored[each.choice]], y) for each in working]
    return [*_ranked(scored_alike), *(contender for contender in trained if not contender.candidates)]


def _ranked(contenders: list[Contender]) -> list[Contender]:
    """Best AUC first, but for the first in the policy's order that is as good within ``AS_GOOD_AUC``: it leads."""
    aucs = [each.recent_roc_auc or 0.0 for each in contenders]
    leader = next(each for each, auc in zip(contenders, aucs, strict=True) if auc >= max(aucs) - AS_GOOD_AUC)
    others = [each for each in contenders if each is not leader]
    return [leader, *sorted(others, key=lambda each: -(each.recent_roc_auc or 0.0))]


def _different_choices(pool: RowPool, policy: CandidatePolicy) -> list[Choice]:
    """The choices of the policy, without ``newest`` where it would be ``recent`` again, and without weeks."""
    alike = "recent" in policy.candidates and np.array_equal(pool.newest, pool.recent)
    return [choice for choice in policy.candidates if choice not in WEEKS and not (alike and choice == "newest")]


def train_choice(
    choice: Choice, pool: RowPool, policy: CandidatePolicy, training: TrainingParameters, split: SplitParameters
) -> Contender:
    """Train one choice of rows with its folds, calibration and threshold; a failure is told, not raised."""
    kept = pool.rows_of(choice)
    rows, recent, newest = pool.rows.where(kept), pool.recent[kept], pool.newest[kept]
    weight = rows.weights
    if choice == "recency_weighted":
        age_weight = 0.5 ** (pool.age_days / policy.half_life_days)
        weight = age_weight if weight is None else age_weight * weight
    try:
        found = train_candidates(
            rows.X, rows.y, rows.share, rows.dates, rows.spec, training, split, sample_weight=weight
        )
    except EvergreenError as error:
        return Contender(choice, rows, recent, newest, error=str(error))
    return Contender(choice, rows, recent, newest, tuple(each for each in found if each.status == "ok"))


def _scores_of_newest_rows(contender: Contender) -> list[np.ndarray]:
    """Each candidate's out-of-fold probability of the newest rows, NaN where it has none."""
    found = []
    for candidate in contender.candidates:
        scores = np.full(len(contender.rows.y), np.nan)
        scores[candidate.out_of_fold_index] = candidate.out_of_fold
        found.append(scores[contender.newest])
    return found


def _rank(contender: Contender, scores: list[np.ndarray], y: np.ndarray) -> Contender:
    if y.size == 0 or y.min() == y.max():
        return contender
    aucs = [float(roc_auc_score(y, each)) for each in scores]
    order = np.argsort([-auc for auc in aucs], kind="stable")
    ordered = tuple(contender.candidates[index] for index in order)
    return replace(contender, candidates=ordered, recent_roc_auc=max(aucs))
