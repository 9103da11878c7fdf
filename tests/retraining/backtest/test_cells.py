"""Claims about the cells of a backtest: what a model knew, what is kept, and what scores promise."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from evergreen.retraining.backtest.cells import COLUMNS, USUAL_MOVES, expected_auc, fill_cells, lay_windows, usual_moves
from evergreen.retraining.backtest.models import MODEL_COLUMNS, KeptModels, kept_models, models_table
from evergreen.retraining.backtest.policies import matrix_of
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", date="day", target="gone", positive=1, numeric=["a"])
LABEL = LabelDefinition(target="gone", kind="positive", positive=1)
NONE_KNOWN = pd.DataFrame({"window_end": pd.Series(dtype="M8[us]")})


def rows(days: int = 84, per_day: int = 6) -> LabelledRows:
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(days), per_day)
    a = rng.normal(size=len(day)) + 0.05 * day
    y = (rng.random(len(day)) < 1 / (1 + np.exp(-(a - 0.05 * day)))).astype(int)
    stamp = pd.Timestamp("2026-01-01") + pd.to_timedelta(day, unit="D")
    frame = pd.DataFrame({"id": np.arange(len(day)), "day": stamp, "a": a, "gone": y})
    return LabelledRows(
        frame, y, np.linspace(0, 1, len(y)), SPEC, LABEL, Bounds(dated=True, judging_share=0.3), dt.date(2026, 3, 25)
    )


def ends(history: LabelledRows) -> tuple[int, int]:
    return int(history.day_numbers.min()), int(history.day_numbers.max())


class Fits:
    """Remembers what each model learnt, and scores by ``a``."""

    def __init__(self) -> None:
        self.until: list[int] = []

    def __call__(self, learnt, _weight):
        self.until.append(int(learnt.day_numbers.max()))
        return lambda asked: asked["a"].to_numpy()


def test_a_model_learns_what_was_known_when_its_window_began():
    history, fits = rows(), Fits()
    windows = lay_windows(*ends(history), 7, 28, 5, 52)
    cells, _ = fill_cells(history, windows, fits, "1", "r", 1000, NONE_KNOWN)
    count = len(windows.ends)
    assert count == (84 - 28 - 5) // 7
    assert sorted(fits.until) == [int(end) - 7 - 5 for end in windows.ends]
    assert len(cells) == count * (count + 1) // 2
    assert list(cells.columns) == list(COLUMNS)
    matrix = matrix_of(cells, 1)
    assert np.isnan(matrix.auc[np.tril_indices(count, -1)]).all()
    assert (matrix.auc[np.triu_indices(count)] > 0.5).all()
    assert matrix.drift[0, -1] > matrix.drift[0, 0] + 1


def test_known_cells_cost_nothing_and_those_of_another_recipe_are_not_taken_up():
    history, fits = rows(), Fits()
    windows = lay_windows(*ends(history), 7, 28, 0, 52)
    cells, _ = fill_cells(history, windows, fits, "1", "r", 1000, NONE_KNOWN)
    fits.until.clear()
    again, _ = fill_cells(history, windows, fits, "1", "r", 1000, cells)
    assert fits.until == []
    pd.testing.assert_frame_equal(again, cells)
    fill_cells(history, windows, fits, "1", "other", 1000, cells)
    assert len(fits.until) == len(windows.ends)


def test_scores_that_hold_promise_the_auc_that_comes():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 3, 20_000)
    y = rng.random(20_000) < p
    from sklearn.metrics import roc_auc_score

    assert expected_auc(p) == pytest.approx(roc_auc_score(y, p), abs=0.01)
    assert np.isnan(expected_auc(np.ones(5)))


class Moving:
    """A score that can be written down."""

    def __init__(self, until: int) -> None:
        self.until = until

    def __call__(self, asked: pd.DataFrame) -> np.ndarray:
        return asked["a"].to_numpy() * self.until

    def dump(self) -> bytes:
        return str(self.until).encode()


def test_a_new_week_fits_one_model_and_scores_the_kept_ones_once_more():
    fitted: list[int] = []

    def fit(learnt, _weight):
        fitted.append(int(learnt.day_numbers.max()))
        return Moving(fitted[-1])

    history = rows(91)
    week_ago = history.where(history.day_numbers <= history.day_numbers.max() - 8)
    windows = lay_windows(*ends(week_ago), 7, 28, 0, 52)
    before, fresh = fill_cells(week_ago, windows, fit, "1", "r", 1000, NONE_KNOWN)
    table = models_table(KeptModels({}, Moving), fresh, "1", "r")
    assert list(table.columns) == list(MODEL_COLUMNS)
    kept = kept_models(table, "r", lambda stored: Moving(int(stored)))
    fitted.clear()
    later = lay_windows(*ends(history), 7, 28, 0, 52, max(kept.known))
    assert later.ends[-2] == windows.ends[-1]  # a day late, and still on the same days
    cells, new = fill_cells(history, later, fit, "1", "r", 1000, before, models=kept)
    assert len(fitted) == len(new) == 1
    assert len(cells) == len(before) + len(later.ends)
    assert kept_models(table, "other", Moving).known == {}


def test_a_column_that_moves_with_the_calendar_has_not_drifted_and_one_that_jumps_has():
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(140), 30)
    frame = pd.DataFrame({"month": 1.0 + day // 30 % 12, "steady": rng.normal(size=len(day))})
    learnt = day < 112
    moves = usual_moves(frame[learnt], day[learnt], 7)
    spread = frame[learnt].std().to_numpy()
    then, now = (frame[at].mean().to_numpy() for at in (learnt, day >= 133))
    shift = np.abs(now - then) / np.fmax(spread, USUAL_MOVES * moves)
    assert np.abs(now - then)[0] / spread[0] > 1
    assert (shift < 0.3).all()
    assert (np.abs(now + 4 - then) / np.fmax(spread, USUAL_MOVES * moves))[1] > 0.6


def test_what_usually_moves_is_not_known_of_few_windows():
    assert usual_moves(pd.DataFrame({"a": np.arange(49.0)}), np.arange(49), 7) == 0
    assert usual_moves(pd.DataFrame({"a": np.arange(56.0)}), np.arange(56), 7) > 0
