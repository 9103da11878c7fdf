"""How good is the model of each window in each later window? Every cell costs a score, every new model a fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import expit

from evergreen.evaluation.auc import structural_components
from evergreen.retraining.backtest.models import KeptModels, WindowModel
from evergreen.retraining.forward import Fit
from evergreen.rows.labelled import LabelledRows

COLUMNS = ("window_end", "version", "recipe", "model_end", "auc", "estimated_auc", "drift", "rows")
FEWEST_ROWS = 50
USUAL_WINDOWS = 4
USUAL_MOVES = 12.0
"""A column that wanders is measured by so many of its usual moves from window to window, if that is more than its own
spread: at the shift of .3 that is acted on, by 3.6 of them. A calendar moves every window."""
NONE_KEPT = KeptModels({}, lambda _: lambda asked: np.zeros(len(asked)))


@dataclass(frozen=True)
class Windows:
    """The windows of a history, ascending; a model of window i has learnt what was known when it began.

    Attributes:
        ends: Last day of each window, as days since 1970, shape (windows,).
        days: Length of each window.
        delay_days: Days until an outcome is known.
    """

    ends: np.ndarray
    days: int
    delay_days: int

    def learnt_until(self, window: int) -> int:
        """Last day whose outcomes were known when a window began."""
        return int(self.ends[window]) - self.days - self.delay_days


def lay_windows(
    first: int, last: int, days: int, first_days: int, delay_days: int, most: int, like: pd.Timestamp | None = None
) -> Windows:
    """As many whole windows as there are, the last one ending with the history, or a few days before.

    Args:
        first: First day of the history, as days since 1970.
        last: Its last day.
        days: Length of a window.
        first_days: Days that the first model learns from at least.
        delay_days: Days until an outcome is known.
        most: Most windows, the newest ones.
        like: Last day of a window of an earlier run: windows end on the same days, so that its cells are taken up.
    """
    if like is not None:
        last -= (last - (like - pd.Timestamp(0)).days) % days
    count = min(max(last - first + 1 - first_days - delay_days, 0) // days, most)
    return Windows(last - days * np.arange(count)[::-1], days, delay_days)


def fill_cells(
    rows: LabelledRows,
    windows: Windows,
    fit: Fit,
    version: str,
    recipe: str,
    cell_rows: int,
    known: pd.DataFrame,
    n_jobs: int = 1,
    models: KeptModels = NONE_KEPT,
) -> tuple[pd.DataFrame, dict[pd.Timestamp, WindowModel]]:
    """Cells of all windows: those that are known as they are, the others by scoring, with a model kept or fitted.

    Args:
        rows: Labelled rows.
        windows: The windows.
        fit: Trains the recipe on rows and gives its scores on the logit scale.
        version: The champion's version.
        recipe: Digest of the recipe and of what shapes cells; cells of another are not taken up.
        cell_rows: Most rows that a model learns from (the newest), and that a cell is scored on (drawn at random).
        known: Cells of earlier runs, columns as ``COLUMNS``.
        n_jobs: Fits at once.
        models: Models of earlier runs.

    Returns:
        One row a cell, columns ``COLUMNS``; AUCs are missing where a window has one class. And the models that were
        fitted, by the last day of their window.
    """
    kept = known[known["recipe"] == recipe] if len(known) else known
    have = _pairs(kept)
    places = range(len(windows.ends))
    dates = [_date(windows, place) for place in places]
    asked = [(place, [j for j in places[place:] if (dates[place], dates[j]) not in have]) for place in places]
    history = _History(rows, windows, cell_rows)
    parts = {j: history.window(j) for j in sorted({j for _, todo in asked for j in todo})}
    found = Parallel(n_jobs=n_jobs, backend="threading")(
        delayed(_row_of_cells)(history, place, todo, parts, fit, models) for place, todo in asked if todo
    )
    fitted = {end: model for _, end, model in found if model is not None and end not in models.known}
    fresh = pd.DataFrame([cell for row, _, _ in found for cell in row]).assign(version=version, recipe=recipe)
    whole = pd.concat([part for part in (kept, fresh) if len(part)], ignore_index=True) if len(dates) else kept
    if not len(whole):
        return pd.DataFrame(columns=list(COLUMNS)), fitted
    inside = whole["window_end"].isin(dates) & whole["model_end"].isin(dates)
    return whole[inside][list(COLUMNS)].reset_index(drop=True), fitted


def is_continued(windows: Windows, known: pd.DataFrame, recipe: str, models: KeptModels) -> bool:
    """Whether all windows up to the newest one with a model are known, so that only later ones need their rows.

    Args:
        windows: The windows.
        known: Cells of earlier runs, columns as ``COLUMNS``.
        recipe: As of :func:`fill_cells`.
        models: Models of earlier runs.
    """
    if not models.known:
        return False
    dates = [_date(windows, place) for place in range(len(windows.ends))]
    old = [date for date in dates if date <= max(models.known)]
    have = _pairs(known[known["recipe"] == recipe])
    return all(date in models.known for date in old) and all(
        (then, now) in have for place, then in enumerate(old) for now in old[place:]
    )


def expected_auc(probabilities: np.ndarray) -> float:
    """The AUC that probabilities promise if they hold: Σ p_i (1 − p_j) over pairs i above j, over that of all pairs."""
    p = np.sort(probabilities)
    below = np.cumsum(1 - p) - (1 - p)
    pairs = p.sum() * (1 - p).sum() - float(p @ (1 - p))
    return float(p @ below / pairs) if pairs > 0 else float("nan")


@dataclass(frozen=True)
class _Part:
    """Rows of a window, and the mean of each numeric feature."""

    rows: LabelledRows
    means: np.ndarray


class _History:
    """Rows by day, ordered once."""

    def __init__(self, rows: LabelledRows, windows: Windows, most: int) -> None:
        self.rows, self.windows, self.most = rows, windows, most
        days = rows.day_numbers
        self.order = np.argsort(days, kind="stable")
        self.days = days[self.order]

    def learnt(self, place: int) -> LabelledRows:
        """The newest rows that were known when a window began."""
        until = int(np.searchsorted(self.days, self.windows.learnt_until(place), side="right"))
        return self._at(self.order[max(until - self.most, 0) : until])

    def window(self, place: int) -> _Part:
        """A window's rows, drawn at random where there are too many."""
        end = int(self.windows.ends[place])
        first, after = np.searchsorted(self.days, [end - self.windows.days, end], side="right")
        at = np.sort(self.order[first:after])
        if len(at) > self.most:
            at = np.random.default_rng(end).choice(at, self.most, replace=False)
        rows = self._at(at)
        return _Part(rows, _numbers(rows).mean().to_numpy(dtype=float))

    def _at(self, at: np.ndarray) -> LabelledRows:
        taken = np.zeros(len(self.days), dtype=bool)
        taken[at] = True
        return self.rows.where(taken)


def _row_of_cells(
    history: _History, place: int, todo: list[int], parts: Mapping[int, _Part], fit: Fit, models: KeptModels
) -> tuple[list[dict[str, object]], pd.Timestamp, WindowModel | None]:
    """The cells of one model, the last day of its window, and the model."""
    end = _date(history.windows, place)
    model = models.get(end) or _fitted(history.learnt(place), fit, history.windows.days)
    cells = [
        {
            "window_end": _date(history.windows, j), "model_end": end, **_judged(parts[j], model),
            "rows": len(parts[j].rows.y),
        }
        for j in todo
    ]  # fmt: skip
    return cells, end, model


def _fitted(learnt: LabelledRows, fit: Fit, days: int) -> WindowModel | None:
    if len(learnt.y) < FEWEST_ROWS or learnt.y.min() == learnt.y.max():
        return None
    numbers = _numbers(learnt)
    means, spreads = (found.to_numpy(dtype=float) for found in (numbers.mean(), numbers.std()))
    moves = usual_moves(numbers, learnt.day_numbers, days)
    return WindowModel(fit(learnt, learnt.weights), means, np.fmax(spreads, USUAL_MOVES * moves))


def usual_moves(numbers: pd.DataFrame, day_numbers: np.ndarray, days: int) -> np.ndarray:
    """How far a window's mean usually lies from that of all windows before it, per column; 0 where they are too few.

    Args:
        numbers: Rows learnt from, a column a feature.
        day_numbers: Their days.
        days: Length of a window.
    """
    by_window = numbers.groupby((day_numbers.max() - day_numbers) // days).mean().sort_index(ascending=False)
    if len(by_window) < 2 * USUAL_WINDOWS:
        return np.zeros(by_window.shape[1])
    moved = (by_window - by_window.expanding().mean().shift()).iloc[USUAL_WINDOWS:]
    return np.sqrt((moved**2).mean()).fillna(0.0).to_numpy(dtype=float)


def _judged(part: _Part, model: WindowModel | None) -> dict[str, float]:
    """A model's AUC on a window, the one that its scores promise, and how far the window lies from what it learnt."""
    rows = part.rows
    if model is None or not len(rows.y):
        return {"auc": np.nan, "estimated_auc": np.nan, "drift": 0.0}
    logits = model.score(rows.X)
    both = rows.y.min() != rows.y.max()
    return {
        "auc": float(structural_components(rows.y, logits).aucs[0]) if both else np.nan,
        "estimated_auc": expected_auc(expit(logits)),
        "drift": _shift(model.means, model.spreads, part.means),
    }


def _numbers(rows: LabelledRows) -> pd.DataFrame:
    """Numeric features as floats, in the order of the table's description."""
    return rows.rows[rows.spec.numeric].apply(pd.to_numeric, errors="coerce").astype(float)


def _shift(then: np.ndarray, spread: np.ndarray, now: np.ndarray) -> float:
    """Largest shift of a numeric feature's mean, in the spreads of what was learnt."""
    moved = np.abs(now - then)
    usable = np.isfinite(moved) & np.isfinite(spread) & (spread > 0)
    return float((moved[usable] / spread[usable]).max()) if usable.any() else 0.0


def _pairs(cells: pd.DataFrame) -> set[tuple[pd.Timestamp, pd.Timestamp]]:
    return set(zip(cells["model_end"], cells["window_end"], strict=True)) if len(cells) else set()


def _date(windows: Windows, place: int) -> pd.Timestamp:
    return pd.Timestamp(dt.date(1970, 1, 1)) + pd.Timedelta(days=int(windows.ends[place]))
