"""A use case's history → cells, costs of policies, page."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir
import pandas as pd

from evergreen import progress, registry
from evergreen.modelling.parameters import TrainingParameters
from evergreen.pipelines.policy_backtest.history import find_history, recipe_of, replayed
from evergreen.reporting.policy_backtest import backtest_page
from evergreen.retraining.backtest.cells import COLUMNS, fill_cells
from evergreen.retraining.backtest.models import MODEL_COLUMNS, models_table
from evergreen.retraining.backtest.policies import matrix_of
from evergreen.retraining.backtest.record import BacktestRecord, backtest_record, skipped_backtest
from evergreen.retraining.forward_contenders import recipe_fit
from evergreen.retraining.parameters import RetrainingParameters
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import resolve_as_of
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen.policy_backtest")


def replay_history(
    champion: registry.ModelVersion,
    window: ir.Table,
    past: pd.DataFrame,
    past_models: pd.DataFrame,
    table: TableSpec,
    split: SplitParameters,
    training: TrainingParameters,
    retraining: RetrainingParameters,
    as_of: str | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train the champion's recipe at the beginning of every window, and score all later ones; what is known is kept."""
    policy = retraining.backtest
    if table.date is None:
        return pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(MODEL_COLUMNS))
    today = resolve_as_of(window, table, as_of, dt.datetime.now(dt.UTC).date())
    history = find_history(champion, window, table, split, policy, today)
    recipe = recipe_of(champion, training)
    found = replayed(champion, history, past, past_models, table, split, recipe, policy)
    fit = progress.counting(recipe_fit(recipe), "model", max(len(found.windows.ends) - len(found.models.known), 1))
    cells, fitted = fill_cells(
        found.rows, found.windows, fit, champion.version, found.recipe, policy.cell_rows, past, training.n_jobs,
        found.models,
    )  # fmt: skip
    return cells, models_table(found.models, fitted, champion.version, found.recipe)


def compare_policies(
    cells: pd.DataFrame,
    champion: registry.ModelVersion,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    retraining: RetrainingParameters,
    as_of: str | None,
) -> BacktestRecord:
    """Say what every policy would have cost, and which one pays."""
    policy, use_case = retraining.backtest, champion.use_case
    today = resolve_as_of(window, table, as_of, dt.datetime.now(dt.UTC).date())
    if not len(cells):
        reason = "Rows have no dates, so there is no history of windows." if table.date is None else "No whole window."
        return skipped_backtest(use_case, today, champion.version, policy.window_days, policy.retraining_cost, reason)
    ends = [end.date() for end in sorted(cells["window_end"].unique())]
    matrix = matrix_of(cells, -(-split.label_delay_days // policy.window_days))
    cost, days = policy.retraining_cost, policy.window_days
    return backtest_record(use_case, today, champion.version, matrix, ends, days, cost)


def show_policies(record: BacktestRecord) -> str:
    """The page, and its answer on the screen."""
    paste = f"\nInto conf/<env>/parameters.yml:\n{record.settings.rstrip()}" if record.settings else ""
    logger.info("%s: %s%s", record.use_case, record.reason, paste)
    return backtest_page(record)
