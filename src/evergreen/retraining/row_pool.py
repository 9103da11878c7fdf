"""Which rows may a challenger learn from, which of them are recent, and which judge it?"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.retraining.contenders import RowPool
from evergreen.rows.canonical_series import as_levels, canonical_texts
from evergreen.rows.columns import with_columns
from evergreen.rows.labelled import LabelledRows, select_rows, select_training_set
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds, undated
from evergreen.rows.windows import between_dates
from evergreen.schema import TableSpec


def recent_start(as_of: dt.date, split: SplitParameters, window_days: int) -> dt.date:
    """First day of the newest ``window_days`` whose outcomes are known."""
    return as_of - dt.timedelta(days=split.label_delay_days + window_days - 1)


def challenger_bounds(champion: Bounds, as_of: dt.date, split: SplitParameters) -> Bounds:
    """The division under which a challenger is trained.

    It learns up to the last known outcome; days that judge it are replayed. A panel's judging entities it never sees.

    Args:
        champion: The champion's bounds.
        as_of: The date that the run pretends is today.
        split: Label delay and judging share.
    """
    if not champion.dated:
        return undated(split)
    end = as_of - dt.timedelta(days=split.label_delay_days)
    return Bounds(
        dated=True,
        train_start=champion.train_start,
        train_end=end,
        test_end=end,
        panel=champion.panel,
        judging_share=split.judging_share,
    )


def rows_that_judge(
    window: ir.Table, pool: RowPool, champion: Bounds, choose_days: int, max_rows: int | None = None
) -> LabelledRows:
    """The rows that judge a dated challenger forward: those it learns from, or a panel's other entities.

    Args:
        window: The newest feature table.
        pool: The rows that the challenger may learn from.
        champion: The champion's bounds.
        choose_days: Days before the champion's training end on which choices of rows compete first.
        max_rows: About how many rows to fetch at the most.
    """
    rows = pool.rows
    if not rows.bounds.panel or champion.train_end is None:
        return rows
    start = champion.train_end - dt.timedelta(days=choose_days)
    found = select_rows(window, rows.spec, rows.bounds, rows.as_of, rows.label, start, rows.bounds.test_end, max_rows)
    return found.where(found.share < min(champion.judging_share, rows.bounds.judging_share))


def select_pool(
    features: ir.Table,
    window: ir.Table,
    spec: TableSpec,
    bounds: Bounds,
    as_of: dt.date,
    label: LabelDefinition,
    recent_from: dt.date,
    older_as_of: dt.date,
    max_rows: int | None = None,
) -> RowPool:
    """Fetch and label the rows that a challenger may learn from.

    Args:
        features: The feature table; read only where rows have no dates.
        window: The newest feature table: the same one where rows have dates, else the newest snapshot.
        spec: Their description.
        bounds: The challenger's bounds.
        as_of: The date that the run pretends is today.
        label: The champion's label definition, which the challenger inherits.
        recent_from: First recent day; without dates, the newest snapshot is recent.
        older_as_of: Date of rows in ``features`` that carry no snapshot date.
        max_rows: About how many rows to fetch of a table at the most.
    """
    newest = select_training_set(window, spec, bounds, as_of, label, max_rows)
    if spec.date is not None:
        days = pd.to_datetime(newest.rows[spec.date])
        return RowPool(newest, (days >= pd.Timestamp(recent_from)).to_numpy(), _age_days(days, as_of))
    older = select_training_set(features, spec, bounds, as_of, label, max_rows)
    recent = np.repeat([False, True], [len(older.y), len(newest.y)])
    dated = [_snapshot_days(older, older_as_of), _snapshot_days(newest, as_of)]
    return RowPool(_stacked(older, newest), recent, _age_days(pd.concat(dated, ignore_index=True), as_of))


def count_new_labelled(
    window: ir.Table,
    spec: TableSpec,
    champion: Bounds,
    as_of: dt.date,
    split: SplitParameters,
    learnt_as_of: dt.date | None,
) -> int:
    """Rows with a known outcome that are newer than what the champion was trained on.

    Args:
        window: The newest feature table.
        spec: Its description.
        champion: The champion's bounds.
        as_of: The date that the run pretends is today.
        split: Label delay.
        learnt_as_of: Without dates, the ``as_of`` of the newest snapshot that the champion learnt from; None: of none.
    """
    if spec.target not in window.columns:
        return 0
    if spec.date is None:
        known = learnt_as_of is not None and learnt_as_of >= as_of
        return 0 if known else int(window[spec.target].count().execute())
    end = as_of - dt.timedelta(days=split.label_delay_days)
    start = None if champion.train_end is None else champion.train_end + dt.timedelta(days=1)
    return int(between_dates(window, spec, start, end)[spec.target].count().execute())


def _stacked(older: LabelledRows, newest: LabelledRows) -> LabelledRows:
    """Both tables' rows; a category that the newest spells in another way takes the name that it had."""
    known = {name: canonical_texts(older.rows[name])[1] for name in newest.spec.categorical}
    levels = {name: as_levels(newest.rows[name], names) for name, names in known.items()}
    named = with_columns(newest.rows, levels)
    return replace(
        newest,
        rows=pd.concat([older.rows, named], ignore_index=True),
        y=np.concatenate([older.y, newest.y]),
        share=np.concatenate([older.share, newest.share]),
    )


def _snapshot_days(rows: LabelledRows, otherwise: dt.date) -> pd.Series:
    column = rows.spec.snapshot_date
    if column is None or column not in rows.rows:
        return pd.Series(pd.Timestamp(otherwise), index=rows.rows.index)
    return pd.to_datetime(rows.rows[column]).fillna(pd.Timestamp(otherwise))


def _age_days(days: pd.Series, as_of: dt.date) -> np.ndarray:
    return (pd.Timestamp(as_of) - days).dt.days.clip(lower=0).to_numpy(dtype=np.float64)
