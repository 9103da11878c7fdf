"""What would a policy have done, and what would it have cost? Against the least that anyone could have paid.

The cost of a policy is the cost of its retrainings and the loss of the model in charge, window by window (Mahadevan and
Mathioudakis, arXiv 2310.04216; Regol, Schwinn, Sprague, Coates and Markovich, ICML 2025). What it decides at a window
rests on outcomes that were known by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

GATE_WINDOWS = 4
GATE_ALPHA = 0.0125
GATE_GAIN = 0.01
BASE_WINDOWS = 4
REFRESH_WINDOWS = 8


@dataclass(frozen=True)
class Matrix:
    """What each window's model does in each window, shape (windows, windows); NaN below the diagonal.

    Attributes:
        auc: Its AUC.
        estimated: The AUC that its scores promise, which needs no outcome.
        drift: How far the window's features lie from what it learnt, beyond what windows move anyway.
        delay: Windows until outcomes are known.
    """

    auc: np.ndarray
    estimated: np.ndarray
    drift: np.ndarray
    delay: int

    @property
    def loss(self) -> np.ndarray:
        """1 − AUC; windows that cannot be judged cost nobody anything."""
        return np.where(np.isnan(self.auc), 0.0, 1 - self.auc)

    @property
    def windows(self) -> int:
        """How many windows there are."""
        return len(self.auc)

    def since(self, start: int) -> Matrix:
        """The windows from one on, its model the first."""
        later = slice(start, None)
        return Matrix(self.auc[later, later], self.estimated[later, later], self.drift[later, later], self.delay)


Rule = Callable[[Matrix, int, int, int], bool]
"""(matrix, window, window of the model in charge, window of the last training) → whether to train now."""


@dataclass(frozen=True)
class BacktestedPolicy:
    """A way to decide.

    Attributes:
        name: In words.
        rule: When to train.
        gated: Whether the new model must be shown to be better before it serves.
        refreshes: Whether one that is a standard error ahead may serve, too.
        settings: The YAML that makes ``retraining`` do so; empty where it never would.
    """

    name: str
    rule: Rule
    gated: bool
    settings: str = ""
    refreshes: bool = False


@dataclass(frozen=True)
class Lived:
    """What a policy did.

    Attributes:
        in_charge: Window of the model in charge, per window.
        trained: Whether it trained before a window, per window.
        costs: What each window cost.
    """

    in_charge: np.ndarray
    trained: np.ndarray
    costs: np.ndarray


def matrix_of(cells: pd.DataFrame, delay: int) -> Matrix:
    """Cells as matrices, models and windows ascending."""

    def shaped(column: str) -> np.ndarray:
        return cells.set_index(["model_end", "window_end"])[column].unstack().to_numpy(dtype=float)  # noqa: PD010 - no cell is there twice

    return Matrix(shaped("auc"), shaped("estimated_auc"), shaped("drift"), delay)


def live(matrix: Matrix, policy: BacktestedPolicy, cost: float) -> Lived:
    """Let a policy live through the windows, the first one's model in charge.

    Args:
        matrix: What models do.
        policy: The policy.
        cost: What a training costs, in AUC lost over one window.
    """
    model, last = 0, 0
    in_charge, trained = np.zeros(matrix.windows, dtype=int), np.zeros(matrix.windows, dtype=bool)
    for window in range(matrix.windows):
        if window and policy.rule(matrix, window, model, last):
            trained[window], last = True, window
            model = window if _serves(matrix, window, model, policy) else model
        in_charge[window] = model
    costs = matrix.loss[in_charge, np.arange(matrix.windows)] + cost * trained
    return Lived(in_charge, trained, costs)


def live_from_each_start(matrix: Matrix, policy: BacktestedPolicy, cost: float) -> tuple[float, float]:
    """Cost and trainings a window, mean over histories that begin at each window of the first quarter.

    A policy of the calendar may train just after a change by luck; begun elsewhere it would not have.
    """
    lived = [live(matrix.since(start), policy, cost) for start in range(matrix.windows // 4 + 1)]
    return (
        float(np.mean([each.costs.mean() for each in lived])),
        float(np.mean([each.trained.mean() for each in lived])),
    )


def passes_gate(matrix: Matrix, window: int, model: int) -> bool:
    """Whether the recipe, judged forward, was better than the model in charge: on the newest windows or on all."""
    known = _known(matrix, window, model)
    ahead = np.diag(matrix.auc)[known] - matrix.auc[model, known]
    ahead = ahead[~np.isnan(ahead)]
    return any(_shows_gain(part) for part in (ahead, ahead[-GATE_WINDOWS:]))


def refreshes(matrix: Matrix, window: int, model: int) -> bool:
    """Whether the recipe, judged forward, was a standard error ahead of the model in charge on the newest windows."""
    known = _known(matrix, window, model)[-REFRESH_WINDOWS:]
    ahead = np.diag(matrix.auc)[known] - matrix.auc[model, known]
    ahead = ahead[~np.isnan(ahead)]
    if len(ahead) < GATE_WINDOWS:
        return False
    return bool(ahead.mean() > 0 and ahead.mean() >= ahead.std(ddof=1) / np.sqrt(len(ahead)))


def _serves(matrix: Matrix, window: int, model: int, policy: BacktestedPolicy) -> bool:
    if not policy.gated or passes_gate(matrix, window, model):
        return True
    return policy.refreshes and refreshes(matrix, window, model)


def oracle(matrix: Matrix, cost: float) -> Lived:
    """The cheapest sequence of models that there could have been, by dynamic programming from the last window back."""
    n, loss = matrix.windows, matrix.loss
    ahead = np.zeros((n + 1, n))
    switch = np.zeros((n, n), dtype=bool)
    for window in range(n - 1, -1, -1):
        stay = loss[:, window] + ahead[window + 1]
        fresh = cost + loss[window, window] + ahead[window + 1, window]
        switch[window] = (fresh < stay) & (np.arange(n) < window)
        ahead[window] = np.where(switch[window], fresh, stay)
    model = 0
    in_charge, trained = np.zeros(n, dtype=int), np.zeros(n, dtype=bool)
    for window in range(n):
        trained[window] = switch[window, model]
        model = window if trained[window] else model
        in_charge[window] = model
    return Lived(in_charge, trained, loss[in_charge, np.arange(n)] + cost * trained)


def regret_interval(costs: np.ndarray, best: np.ndarray, block: int = 4, draws: int = 500) -> tuple[float, float]:
    """95 % interval of a policy's cost above the oracle's, by a bootstrap of blocks of neighbouring windows.

    Args:
        costs: The policy's cost a window.
        best: The oracle's.
        block: Windows in a block (Künsch, Annals of Statistics 17, 1989).
        draws: Draws of the bootstrap.
    """
    above = costs - best
    size = min(block, len(above))
    starts = np.random.default_rng(0).integers(0, len(above) - size + 1, (draws, -(-len(above) // size)))
    drawn = above[(starts[:, :, None] + np.arange(size)).reshape(draws, -1)[:, : len(above)]].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def staleness(matrix: Matrix) -> list[tuple[int, float, int]]:
    """Age in windows, mean AUC lost against the window's newest model, and over how many cells, youngest first."""
    found = []
    fresh = np.diag(matrix.auc)
    for age in range(matrix.windows):
        lost = fresh - np.diag(matrix.auc, age) if age == 0 else fresh[age:] - np.diag(matrix.auc, age)
        lost = lost[~np.isnan(lost)]
        if len(lost):
            found.append((age, float(lost.mean()), len(lost)))
    return found


def every(windows: int) -> Rule:
    """Train when so many windows have passed since the last training."""
    return lambda _matrix, window, _model, last: window - last >= windows


def never(matrix: Matrix, window: int, model: int, last: int) -> bool:  # noqa: ARG001 - a rule's signature
    """Never train."""
    return False


def on_loss(drop: float) -> Rule:
    """Train when the newest two known windows lie so far below what the model in charge showed at first."""

    def rule(matrix: Matrix, window: int, model: int, last: int) -> bool:
        known = _known(matrix, window, model)
        aucs = matrix.auc[model, known]
        aucs = aucs[~np.isnan(aucs)]
        return window > last and len(aucs) > 1 and aucs[:BASE_WINDOWS].mean() - aucs[-2:].mean() > drop

    return rule


def on_estimate(drop: float) -> Rule:
    """The same by the AUC that scores promise, which is known at once."""

    def rule(matrix: Matrix, window: int, model: int, last: int) -> bool:
        promised = matrix.estimated[model, model:window]
        return window > last and len(promised) > 1 and promised[:BASE_WINDOWS].mean() - promised[-1] > drop

    return rule


def on_drift(shift: float) -> Rule:
    """Train when a feature's mean has moved by so many spreads, which are larger where it wanders anyway."""
    return lambda matrix, window, model, last: window > last and matrix.drift[model, window - 1] > shift


def either(*rules: Rule) -> Rule:
    """Train when any of some rules says so."""
    return lambda matrix, window, model, last: any(rule(matrix, window, model, last) for rule in rules)


def _known(matrix: Matrix, window: int, model: int) -> np.ndarray:
    """Windows since a model was trained whose outcomes are known when a window begins."""
    return np.arange(model, max(window - matrix.delay, model))


def _shows_gain(ahead: np.ndarray) -> bool:
    if len(ahead) < GATE_WINDOWS or ahead.mean() < GATE_GAIN:
        return False
    error = ahead.std(ddof=1) / np.sqrt(len(ahead))
    return bool(ahead.mean() - stats.t.isf(GATE_ALPHA, len(ahead) - 1) * error > 0)
