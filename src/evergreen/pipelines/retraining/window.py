"""The recent rows that retraining looks at first, and the contract of their columns."""

from __future__ import annotations

import datetime as dt

import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.contracts import contract_for
from evergreen.modelling.row_pool import recent_start
from evergreen.modelling.rows import between_dates
from evergreen.modelling.splits import SplitPolicy
from evergreen.monitoring.profile import Profile
from evergreen.schema import TableSpec


def recent_rows(window: ir.Table, table: TableSpec, as_of: dt.date, split: SplitPolicy, window_days: int) -> ir.Table:
    """The newest rows whose outcomes are known; without dates, the newest snapshot."""
    end = as_of - dt.timedelta(days=split.label_delay_days)
    return between_dates(window, table, recent_start(as_of, split, window_days), end)


def contract_breach(rows: ir.Table, table: TableSpec, use_case: str) -> str | None:
    """How rows break the contract that follows from their description, in words; None where they hold it.

    Repeated entities have a check of their own, and calendar columns are constant in a short window by nature.
    """
    asked = table.model_copy(
        update={
            "numeric": [name for name in table.numeric if table.drifts(name)],
            "categorical": [name for name in table.categorical if table.drifts(name)],
        }
    )
    contract = contract_for(asked, labelled=table.target in rows.columns, table=f"{use_case}'s window")
    contract.key = ()
    try:
        contract.validate(rows)
    except EvergreenError as breach:
        return str(breach).rstrip(".")
    return None


def missing_share(reference: Profile) -> float:
    """Share of missing values that a version was trained with."""
    columns = reference.columns.values()
    return sum(column.nulls for column in columns) / max(sum(column.rows for column in columns), 1)
