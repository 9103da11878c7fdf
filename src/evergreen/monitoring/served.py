"""What the service answered, as the window that monitoring looks at."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.monitoring.reference import Reference
from evergreen.rows.spans import end_of_hour, requested_hour, within
from evergreen.rows.windows import parse_date
from evergreen.schema import TableSpec

ANSWERED = ("champion", "challenger")
ANSWERED_AT = "answered_at"
"""When a request was answered: the date of rows that have none of their own, where they are looked at by the hour."""
_TIME = "timestamp"


def by_the_hour(reference: Reference) -> Reference:
    """The memory of a version whose requests are looked at by the hour, so that each of them has a time."""
    spec, profile = reference.spec, reference.profile
    if spec.date is not None:
        return reference
    families = {**profile.families, ANSWERED_AT: "time"}
    dated = spec.model_copy(update={"date": ANSWERED_AT, "snapshot_date": None})
    return replace(reference, spec=dated, profile=profile.model_copy(update={"families": families}))


def service_window(
    predictions: ir.Table | None, spec: TableSpec, as_of: str | dt.date | None, window_days: int, *, hours: bool = False
) -> ir.Table:
    """Answered requests as rows of a use case's feature table.

    A request is a row and an entity of its own: the same customer may ask twice a day. Its date is the day on which it
    was answered, or the time, its outcome the label that has arrived for it by ``as_of``, in the target's own terms.

    Args:
        predictions: The table ``service_predictions``, with ``label`` and ``observed_at`` where labels have arrived.
        spec: The use case's table.
        as_of: The last day, or hour, to look at; None for the newest.
        window_days: For a use case without dates: so many days are its newest snapshot.
        hours: Whether rows have the time at which they were answered as their date, as a window of hours needs.

    Returns:
        Keys, features, and the target, null where no label has arrived.

    Raises:
        EvergreenError: Where there are no predictions, they were collected without their features, or have no time.
    """
    answered = _answered(predictions, spec)
    if hours:
        return _by_the_hour(answered, spec, as_of)
    last = parse_date(as_of) or pd.Timestamp(answered["date"].max().execute()).date()
    answered = answered.filter(answered["date"] <= ibis.date(last))
    if spec.date is None:
        first = last - dt.timedelta(days=window_days - 1)
        answered = answered.filter(answered["date"] >= ibis.date(first))
    dates: dict[str, ir.Value] = {}
    if spec.date is not None:
        dates[spec.date] = answered["date"]
    elif spec.snapshot_date is not None:
        dates[spec.snapshot_date] = ibis.date(last)
    return _as_rows(answered, spec, dates, answered["observed_at"].cast("date") <= ibis.date(last))


def newest_hour(window: ir.Table, spec: TableSpec, as_of: str | dt.date | None) -> dt.datetime:
    """The last minute of the hour that a window of hours ends with: that of the newest row, or of ``as_of``."""
    return _last_minute(window[spec.date], as_of)


def _last_minute(times: ir.Column, as_of: str | dt.date | None) -> dt.datetime:
    return requested_hour(as_of) or end_of_hour(pd.Timestamp(times.max().execute()).to_pydatetime())


def _by_the_hour(answered: ir.Table, spec: TableSpec, as_of: str | dt.date | None) -> ir.Table:
    if _TIME not in answered.columns or not answered[_TIME].type().is_timestamp():
        found = answered[_TIME].type() if _TIME in answered.columns else "missing"
        raise EvergreenError(
            f"monitoring.window is in hours, but {_TIME} of service_predictions is {found}: a time is needed; leave "
            "monitoring.window out and use window_days."
        )
    last = _last_minute(answered[_TIME], as_of)
    answered = answered.filter(within(answered[_TIME], None, last))
    (known,) = within(answered["observed_at"], None, last)
    return _as_rows(answered, spec, {str(spec.date): answered[_TIME].cast("timestamp")}, known)


def _answered(predictions: ir.Table | None, spec: TableSpec) -> ir.Table:
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
    if int(answered.count().execute()) == 0:
        raise EvergreenError("service_predictions holds no answered request: at least one is needed.")
    return answered


def _as_rows(answered: ir.Table, spec: TableSpec, dates: dict[str, ir.Value], known: ir.BooleanValue) -> ir.Table:
    columns: dict[str, ir.Value] = dict.fromkeys([*spec.block, spec.entity], answered["request_id"])
    columns |= dates
    columns |= {name: answered[name] for name in spec.features}
    columns[spec.target] = known.ifelse(answered["label"], ibis.null())
    return answered.select(*(value.name(name) for name, value in columns.items()))
