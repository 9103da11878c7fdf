"""Which rows does a backtest replay, and by which recipe?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen import registry
from evergreen.modelling.parameters import TrainingParameters
from evergreen.registry.manifest import versions_of
from evergreen.retraining.backtest.cells import USUAL_MOVES, Windows, is_continued, lay_windows
from evergreen.retraining.backtest.models import KeptModels, kept_models
from evergreen.retraining.contenders import champions_recipe
from evergreen.retraining.forward_contenders import read_recipe
from evergreen.retraining.parameters import BacktestPolicy
from evergreen.rows.fingerprint import fingerprint
from evergreen.rows.labelled import LabelledRows, select_rows, without_empty_features
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import between_dates, with_outcome
from evergreen.schema import TableSpec

REACH = 2
"""So many times the rows, and the windows, that a model learns from are read for it: sampling thins them."""


@dataclass(frozen=True)
class ReplayedHistory:
    """What a backtest may read.

    Attributes:
        known: Rows with an outcome.
        as_of: The date that the run pretends is today.
        first: First day from which rows are read.
        end: Last day whose outcomes are known.
        by_day: Rows of each day that has some, by day as days since 1970, ascending.
    """

    known: ir.Table
    as_of: dt.date
    first: dt.date
    end: dt.date
    by_day: pd.Series


def find_history(
    champion: registry.ModelVersion,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    policy: BacktestPolicy,
    today: dt.date,
) -> ReplayedHistory:
    """All days with known outcomes that the windows need, counted where the data lies."""
    end = today - dt.timedelta(days=split.label_delay_days)
    start = end - dt.timedelta(days=policy.window_days * policy.max_windows + policy.first_days)
    trained = champion.manifest.bounds.train_start
    first = max(start, trained) if trained else start
    known = with_outcome(window, table)
    rows = between_dates(known, table, first, end)
    found = rows.group_by(day=rows[table.date].cast("date")).aggregate(rows=rows.count()).execute()
    days = pd.to_datetime(found["day"]).to_numpy(dtype="datetime64[D]").astype(np.int64)
    return ReplayedHistory(known, today, first, end, pd.Series(found["rows"].to_numpy(), index=days).sort_index())


def history_rows(
    champion: registry.ModelVersion,
    history: ReplayedHistory,
    table: TableSpec,
    policy: BacktestPolicy,
    since: int | None = None,
) -> LabelledRows:
    """Rows of a history, labelled by the champion's definition, about as many a window as a cell takes.

    Args:
        champion: Whose recipe is replayed.
        history: Where they lie.
        table: Description of the table.
        policy: Rows a cell.
        since: Where only the newest days are needed, the first of them, as days since 1970.
    """
    manifest = champion.manifest
    first = history.first if since is None else max(history.first, dt.date(1970, 1, 1) + dt.timedelta(days=since))
    windows = min(-(-((history.end - first).days + 1) // policy.window_days), policy.max_windows)
    known = table.without(set(table.features) - set(manifest.spec.features))
    rows = select_rows(
        history.known, known, manifest.bounds, history.as_of, manifest.label, first, history.end,
        policy.cell_rows * windows,
    )  # fmt: skip
    return without_empty_features(rows, champion.use_case)


def newest_days(history: ReplayedHistory, like: pd.Timestamp, policy: BacktestPolicy, delay_days: int) -> int:
    """First day of what a backtest must read whose windows up to one are known: its next model's rows, and later ones.

    Args:
        history: The history.
        like: Last day of the newest window that is known.
        policy: Rows a cell, length of a window.
        delay_days: Days until an outcome is known.
    """
    until = (like - pd.Timestamp(0)).days - delay_days
    before = history.by_day[history.by_day.index <= until]
    back = before[::-1].cumsum()
    enough = back.index[back >= REACH * policy.cell_rows]
    first = int(enough[0]) if len(enough) else int(history.by_day.index[0])
    return min(first, until - REACH * policy.window_days + 1)


def recipe_of(champion: registry.ModelVersion, training: TrainingParameters) -> TrainingParameters:
    """The champion's algorithm with its parameters."""
    return champions_recipe(training, *registry.recipe(champion))


def recipe_name(recipe: TrainingParameters, policy: BacktestPolicy, split: SplitParameters, rows: LabelledRows) -> str:
    """Digest of all that shapes a cell: cells and models of another are not taken up."""
    shaping = policy.model_dump(exclude={"retraining_cost", "max_windows"})
    return fingerprint(recipe, shaping, split, rows.spec, rows.label, versions_of(recipe.algorithms), USUAL_MOVES)


@dataclass(frozen=True)
class Replayed:
    """What a run replays.

    Attributes:
        rows: Rows to learn from and to score, those of windows that are not known yet at least.
        windows: The windows.
        recipe: Digest of all that shapes a cell.
        models: Models of earlier runs.
    """

    rows: LabelledRows
    windows: Windows
    recipe: str
    models: KeptModels


def replayed(
    champion: registry.ModelVersion,
    history: ReplayedHistory,
    past: pd.DataFrame,
    past_models: pd.DataFrame,
    table: TableSpec,
    split: SplitParameters,
    recipe: TrainingParameters,
    policy: BacktestPolicy,
) -> Replayed:
    """The newest rows where all windows before are known, else all rows of the history."""
    delay = split.label_delay_days
    like = past_models["window_end"].max() if len(past_models) else None
    ways = [None] if like is None else [newest_days(history, like, policy, delay), None]
    for since in ways:
        rows = history_rows(champion, history, table, policy, since)
        name = recipe_name(recipe, policy, split, rows)
        models = kept_models(past_models, name, read_recipe)
        first, last = int(history.by_day.index[0]), int(history.by_day.index[-1])
        windows = lay_windows(
            first, last, policy.window_days, policy.first_days, delay, policy.max_windows,
            max(models.known, default=None),
        )  # fmt: skip
        if is_continued(windows, past, name, models):
            break
    return Replayed(rows, windows, name, models)
