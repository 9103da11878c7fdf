"""How good is the model of each window in each later window? Every cell costs a score, every new model a fit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import expit

from evergreen.evaluation.auc import structural_components
from evergreen.retraining.backtest.models import KeptModels
from evergreen.retraining.forward import Fit, Score
from evergreen.rows.labelled import LabelledRows

COLUMNS = ("window_end", "version", "recipe", "model_end", "auc", "estimated_auc", "drift", "rows")
FEWEST_ROWS = 50
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
    rows: LabelledRows, days: int, first_days: int, delay_days: int, most: int, like: pd.Timestamp | None = None
) -> Windows:
    """As many whole windows as there are, the last one ending with the rows, or a few days before.

    Args:
        rows: Labelled rows.
        days: Length of a window.
        first_days: Days that the first model learns from at least.
        delay_days: Days until an outcome is known.
        most: Most windows, the newest ones.
        like: Last day of a window of an earlier run: windows end on the same days, so that its cells are taken up.
    """
    known = rows.day_numbers
    first, last = int(known.min()), int(known.max())
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
) -> tuple[pd.DataFrame, dict[pd.Timestamp, Score]]:
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
    have = set(zip(kept["model_end"], kept["window_end"], strict=True)) if len(kept) else set()
    parts = [_sampled(rows, windows, place, cell_rows) for place in range(len(windows.ends))]
    asked = [
        (place, [j for j in range(place, len(parts)) if (_date(windows, place), _date(windows, j)) not in have])
        for place in range(len(parts))
    ]
    found = Parallel(n_jobs=n_jobs, backend="threading")(
        delayed(_row_of_cells)(rows, windows, place, todo, parts, fit, cell_rows, models)
        for place, todo in asked
        if todo
    )
    fitted = {end: score for _, end, score in found if score is not None and models.known.get(end) is None}
    fresh = pd.DataFrame([cell for row, _, _ in found for cell in row]).assign(version=version, recipe=recipe)
    ends = {_date(windows, place) for place in range(len(parts))}
    whole = pd.concat([part for part in (kept, fresh) if len(part)], ignore_index=True) if len(parts) else kept
    if not len(whole):
        return pd.DataFrame(columns=list(COLUMNS)), fitted
    inside = whole["window_end"].isin(ends) & whole["model_end"].isin(ends)
    return whole[inside][list(COLUMNS)].reset_index(drop=True), fitted


def expected_auc(probabilities: np.ndarray) -> float:
    """The AUC that probabilities promise if they hold: Σ p_i (1 − p_j) over pairs i above j, over that of all pairs."""
    p = np.sort(probabilities)
    below = np.cumsum(1 - p) - (1 - p)
    pairs = p.sum() * (1 - p).sum() - float(p @ (1 - p))
    return float(p @ below / pairs) if pairs > 0 else float("nan")


def _row_of_cells(
    rows: LabelledRows,
    windows: Windows,
    place: int,
    todo: list[int],
    parts: list[LabelledRows],
    fit: Fit,
    cell_rows: int,
    models: KeptModels,
) -> tuple[list[dict[str, object]], pd.Timestamp, Score | None]:
    """The cells of one model, the last day of its window, and the model."""
    until = windows.learnt_until(place)
    at = np.flatnonzero(rows.day_numbers <= until)
    at = at[np.argsort(rows.day_numbers[at], kind="stable")][-cell_rows:]
    learnt = rows.where(np.isin(np.arange(len(rows.y)), at))
    usable = len(learnt.y) >= FEWEST_ROWS and learnt.y.min() != learnt.y.max()
    end = _date(windows, place)
    score = (models.get(end) or fit(learnt, learnt.weights)) if usable else None
    return [_cell(windows, place, j, parts[j], score, learnt) for j in todo], end, score


def _cell(
    windows: Windows, place: int, j: int, part: LabelledRows, score: Score | None, learnt: LabelledRows
) -> dict[str, object]:
    cell: dict[str, object] = {
        "window_end": _date(windows, j), "model_end": _date(windows, place), "auc": np.nan, "estimated_auc": np.nan,
        "drift": _shift(learnt.X, part.X), "rows": len(part.y),
    }  # fmt: skip
    if score is None or not len(part.y):
        return cell
    logits = score(part.X)
    cell["estimated_auc"] = expected_auc(expit(logits))
    if part.y.min() != part.y.max():
        cell["auc"] = float(structural_components(part.y, logits).aucs[0])
    return cell


def _sampled(rows: LabelledRows, windows: Windows, place: int, most: int) -> LabelledRows:
    days = rows.day_numbers
    at = np.flatnonzero((days <= windows.ends[place]) & (days > windows.ends[place] - windows.days))
    if len(at) > most:
        at = np.random.default_rng(int(windows.ends[place])).choice(at, most, replace=False)
    return rows.where(np.isin(np.arange(len(days)), at))


def _shift(then: pd.DataFrame, now: pd.DataFrame) -> float:
    """Largest shift of a numeric feature's mean, in standard deviations of the rows learnt from."""
    numbers = [name for name in then.columns if pd.api.types.is_numeric_dtype(then[name])]
    if not numbers or not len(then) or not len(now):
        return 0.0
    spread = then[numbers].std().to_numpy(dtype=float)
    moved = np.abs(now[numbers].mean().to_numpy(dtype=float) - then[numbers].mean().to_numpy(dtype=float))
    usable = np.isfinite(moved) & np.isfinite(spread) & (spread > 0)
    return float((moved[usable] / spread[usable]).max()) if usable.any() else 0.0


def _date(windows: Windows, place: int) -> pd.Timestamp:
    return pd.Timestamp(dt.date(1970, 1, 1)) + pd.Timedelta(days=int(windows.ends[place]))
