"""What the service answered, as the window that monitoring looks at."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.rows.windows import parse_date
from evergreen.schema import TableSpec

ANSWERED = ("champion", "challenger")


def service_window(
    predictions: ir.Table | None, spec: TableSpec, as_of: str | dt.date | None, window_days: int
) -> ir.Table:
    """Answered requests as rows of a use case's feature table.

    A request is a row and an entity of its own: the same customer may ask twice a day. Its date is the day on which it
    was answered, its outcome the label that has arrived for it by ``as_of``, in the target's own terms.

    Args:
        predictions: The table ``service_predictions``, with ``label`` and ``observed_at`` where labels have arrived.
        spec: The use case's table.
        as_of: The last day to look at; None for the newest.
        window_days: For a use case without dates: so many days are its newest snapshot.

    Returns:
        Keys, features, and the target, null where no label has arrived.

    Raises:
        EvergreenError: Where there are no predictions, or they were collected without their features.
    """
    if predictions is None:
        raise EvergreenError(
            "monitoring.source is service, but nothing was collected from the service yet: run "
            f"`{command('kedro run --pipeline=collect_predictions')}` once it has answered something."
        )
    lacking = [name for name in spec.features if name not in predictions.columns]
    if lacking:
        raise EvergreenError(
            f"service_predictions lacks {', '.join(lacking)}: they are kept under scoring.keep_features; "
            "set it, or monitor the source's own table (monitoring.source: table)."
        )
    answered = predictions.filter(predictions["variant"].isin(ANSWERED))
    newest = answered["date"].max().execute()
    if pd.isna(newest):
        raise EvergreenError("service_predictions holds no answered request: at least one is needed.")
    last = parse_date(as_of) or pd.Timestamp(newest).date()
    answered = answered.filter(answered["date"] <= ibis.date(last))
    if spec.date is None:
        first = last - dt.timedelta(days=window_days - 1)
        answered = answered.filter(answered["date"] >= ibis.date(first))
    columns: dict[str, ir.Value] = dict.fromkeys([*spec.block, spec.entity], answered["request_id"])
    if spec.date is not None:
        columns[spec.date] = answered["date"]
    elif spec.snapshot_date is not None:
        columns[spec.snapshot_date] = ibis.date(last)
    known = answered["observed_at"].cast("date") <= ibis.date(last)
    columns |= {name: answered[name] for name in spec.features}
    columns[spec.target] = known.ifelse(answered["label"], ibis.null())
    return answered.select(*(value.name(name) for name, value in columns.items()))
