"""Which rows does a backtest replay, and by which recipe?"""

from __future__ import annotations

import datetime as dt

import ibis.expr.types as ir

from evergreen import registry
from evergreen.modelling.parameters import TrainingParameters
from evergreen.registry.manifest import versions_of
from evergreen.retraining.contenders import champions_recipe
from evergreen.retraining.parameters import BacktestPolicy
from evergreen.rows.fingerprint import fingerprint
from evergreen.rows.labelled import LabelledRows, select_rows, without_empty_features
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec


def history_rows(
    champion: registry.ModelVersion,
    window: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    policy: BacktestPolicy,
    today: dt.date,
) -> LabelledRows:
    """All rows with a known outcome that the windows need, labelled by the champion's definition."""
    manifest = champion.manifest
    end = today - dt.timedelta(days=split.label_delay_days)
    start = end - dt.timedelta(days=policy.window_days * policy.max_windows + policy.first_days)
    first = max(start, manifest.bounds.train_start) if manifest.bounds.train_start else start
    most = policy.cell_rows * policy.max_windows
    known = table.without(set(table.features) - set(manifest.spec.features))
    rows = select_rows(window, known, manifest.bounds, today, manifest.label, first, end, most)
    return without_empty_features(rows, champion.use_case)


def recipe_of(champion: registry.ModelVersion, training: TrainingParameters) -> TrainingParameters:
    """The champion's algorithm with its parameters."""
    return champions_recipe(training, *registry.recipe(champion))


def recipe_name(recipe: TrainingParameters, policy: BacktestPolicy, split: SplitParameters, rows: LabelledRows) -> str:
    """Digest of all that shapes a cell: cells and models of another are not taken up."""
    shaping = policy.model_dump(exclude={"retraining_cost", "max_windows"})
    return fingerprint(recipe, shaping, split, rows.spec, rows.label, versions_of(recipe.algorithms))
