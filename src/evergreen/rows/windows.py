"""Which rows of a feature table a run looks at, and how they reach memory."""

from __future__ import annotations

import datetime as dt
import logging

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.rows.spans import first_of, span_text, within
from evergreen.rows.splits import block_share
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen.rows")

HASHED_AT_ONCE = 250_000
"""Blocks whose texts are in memory together."""


def parse_date(value: str | dt.date | None) -> dt.date | None:
    """Read an ``as_of`` as it comes from YAML (a date) or the command line (text)."""
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise EvergreenError(f"as_of is '{value}', which is not a date: write it as yyyy-mm-dd.") from error


def date_range(features: ir.Table, spec: TableSpec) -> tuple[dt.date, dt.date]:
    """First and last date of a dated feature table.

    Raises:
        EvergreenError: Where the table has no rows.
    """
    dates = features[spec.date].cast("date")
    found = features.aggregate(first=dates.min(), last=dates.max()).execute().iloc[0]
    if pd.isna(found["first"]):
        raise EvergreenError(
            f"the feature table has no row with a {spec.date}: at least one is needed; check the source tables and run "
            f"`{command('kedro run --pipeline=feature_engineering')}` again."
        )
    return pd.Timestamp(found["first"]).date(), pd.Timestamp(found["last"]).date()


def resolve_as_of(features: ir.Table, spec: TableSpec, requested: str | dt.date | None, today: dt.date) -> dt.date:
    """The date that the run pretends is today.

    A snapshot that is newer than the date asked for is still looked at, for there is no other; a warning tells.

    Args:
        features: The feature table.
        spec: Its description.
        requested: The ``as_of`` parameter, or None for the newest date in the data.
        today: What to take where neither the parameter nor the data has a date.
    """
    asked = parse_date(requested)
    if spec.date is not None:
        return asked or date_range(features, spec)[1]
    snapshot = _snapshot_date(features, spec)
    if asked is not None and snapshot is not None and snapshot > asked:
        _warn_of_future(asked, snapshot)
    return asked or snapshot or today


def _warn_of_future(asked: dt.date, snapshot: dt.date) -> None:
    logger.warning(
        "as_of is %s, but the rows are a snapshot of %s, which nobody had then: what is said of them "
        "holds for that later day. Leave as_of out, or give it a day from then on.",
        asked,
        snapshot,
    )


def _snapshot_date(features: ir.Table, spec: TableSpec) -> dt.date | None:
    """Date of the newest row of a table without dates of its own."""
    if spec.snapshot_date is None or spec.snapshot_date not in features.columns:
        return None
    newest = features[spec.snapshot_date].cast("date").max().execute()
    return None if pd.isna(newest) else pd.Timestamp(newest).date()


def fetch_rows(
    features: ir.Table,
    spec: TableSpec,
    start: dt.date | None = None,
    end: dt.date | None = None,
    max_rows: int | None = None,
) -> pd.DataFrame:
    """Rows of a feature table as a DataFrame in an order that doesn't depend on the engine.

    Only keys, outcome and features are fetched. Where more than ``max_rows`` rows qualify, whole blocks are
    sampled by a hash of the block, so that the same blocks come back every time and none is torn.

    Args:
        features: The feature table.
        spec: Its description.
        start: First date, inclusive; ignored for a use case without dates.
        end: Last date, inclusive; likewise.
        max_rows: About how many rows to fetch at the most; None for all.

    Returns:
        One row per row of the table, sorted by its keys.
    """
    rows = between_dates(features, spec, start, end)
    if max_rows is not None:
        rows = sample_blocks(rows, spec, max_rows)
    wanted = [*spec.keys, spec.snapshot_date, spec.target, spec.weights, *spec.features]
    columns = list(dict.fromkeys(name for name in wanted if name in features.columns))
    frame = rows.select(columns).execute()
    if spec.date is not None:
        frame[spec.date] = pd.to_datetime(frame[spec.date])
    return frame.sort_values(spec.keys, kind="stable", ignore_index=True)


def with_outcome(features: ir.Table, spec: TableSpec) -> ir.Table:
    """The rows whose outcome is known.

    Raises:
        EvergreenError: Where the table has no outcome at all.
    """
    if spec.target not in features.columns:
        raise EvergreenError(
            f"the newest snapshot has no column {spec.target}, and nothing can be learnt or judged without outcomes: "
            "bring them, or leave it at scoring and monitoring."
        )
    return features.filter(features[spec.target].notnull())  # noqa: PD004 - an Ibis column


def between_dates(features: ir.Table, spec: TableSpec, start: dt.date | None, end: dt.date | None) -> ir.Table:
    """Rows whose date, or time where the ends are times, lies in [start, end]; all rows without dates."""
    if spec.date is None:
        return features
    if isinstance(end, dt.datetime):
        assert start is None or isinstance(start, dt.datetime)
        return features.filter(within(features[spec.date], start, end))
    day = features[spec.date].cast("date")
    if start is not None:
        features = features.filter(day >= ibis.date(start))
    if end is not None:
        features = features.filter(day <= ibis.date(end))
    return features


def window_rows(window: ir.Table, spec: TableSpec, as_of: dt.date, window_days: int) -> ir.Table:
    """The window that monitoring, scoring and retraining look at.

    Args:
        window: The newest feature table.
        spec: Its description.
        as_of: The last day of the window.
        window_days: Its length; without dates the whole snapshot is the window.

    Raises:
        EvergreenError: Where it holds no row.
    """
    return rows_up_to(window, spec, as_of, dt.timedelta(days=window_days))


def rows_up_to(window: ir.Table, spec: TableSpec, end: dt.date, length: dt.timedelta) -> ir.Table:
    """The window of this length up to a day, or up to a minute where it is one of hours; raises as ``window_rows``."""
    start = first_of(end, length)
    rows = between_dates(window, spec, start, end)
    if int(rows.count().execute()) == 0:
        looked_at = f"the window {span_text(start, end)}" if spec.date else "the newest snapshot"
        raise EvergreenError(
            f"{looked_at} holds no row: at least one is needed; check that the source tables are fresh, or set "
            "`--params=as_of=<date>` to a day with data."
        )
    return rows


def sample_blocks(rows: ir.Table, spec: TableSpec, max_rows: int) -> ir.Table:
    """Keep about ``max_rows`` rows: whole blocks, the same ones every time."""
    count = int(rows.count().execute())
    if count <= max_rows:
        return rows
    blocks = rows.select(spec.block_columns).distinct().execute()
    salted = blocks.assign(sample="sample")
    parts = [salted[start : start + HASHED_AT_ONCE] for start in range(0, len(salted), HASHED_AT_ONCE)]
    kept = blocks[np.concatenate([block_share(part) for part in parts]) < max_rows / count]
    return rows.semi_join(ibis.memtable(kept), spec.block_columns)
