"""Answered requests → the features of theirs that the warehouse does not confirm."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

import ibis.expr.types as ir
import pandas as pd

from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.skew import SHOWN, Pairs, SkewAuditRecord, skew_record
from evergreen.pipelines.skew_audit.requests import by_key, by_row, newest_requests, settled
from evergreen.rows.windows import parse_date
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from evergreen.wording import counted, in_words

logger = logging.getLogger("evergreen.serving")


def audit_star(
    predictions: ir.Table | None,
    window: ir.Table,
    table: TableSpec,
    monitoring: MonitoringParameters,
    as_of: str | None,
    use_case: str,
    star: StarSchema,
    **tables: ir.Table,
) -> SkewAuditRecord:
    """Recompute what requests were answered from, whether they named features or keys."""
    named = {name.removeprefix("table_"): each for name, each in tables.items()}
    requests = _requests(predictions, table, monitoring, as_of)
    if not len(requests):
        return _record(use_case, as_of, table, [])
    asked = requests[requests["asked_keys"].notna()] if "asked_keys" in requests else requests[:0]
    pairs = [by_row(requests, window, table), *(by_key(asked, named, star, table) if len(asked) else [])]
    aged = [*settled(asked, named, star, table)] if len(asked) else []
    return _record(use_case, as_of, table, pairs, aged)


def audit(
    predictions: ir.Table | None,
    window: ir.Table,
    table: TableSpec,
    monitoring: MonitoringParameters,
    as_of: str | None,
    use_case: str,
) -> SkewAuditRecord:
    """Hold requests that named their row's key against the table of features."""
    requests = _requests(predictions, table, monitoring, as_of)
    dated = table.date is not None and not table.panel
    return _record(use_case, as_of, table, [by_row(requests, window, table)] if dated and len(requests) else [])


def _requests(
    predictions: ir.Table | None, table: TableSpec, monitoring: MonitoringParameters, as_of: str | None
) -> pd.DataFrame:
    if predictions is None or not set(table.features) <= set(predictions.columns):
        return pd.DataFrame()
    return newest_requests(predictions, monitoring.skew, parse_date(as_of))


def _record(
    use_case: str, as_of: str | None, table: TableSpec, pairs: Sequence[Pairs], aged: Sequence[Pairs] = ()
) -> SkewAuditRecord:
    today = parse_date(as_of) or dt.datetime.now(dt.UTC).date()
    record = skew_record(use_case, today, table, pairs, aged)
    if record.status == "skew":
        named = ", ".join(column.column for column in record.columns[:SHOWN])
        logger.warning(
            "%s: %s of %d served features are not what the warehouse has: %s.",
            use_case, f"{record.differing:,}", record.cells, named,
        )  # fmt: skip
    else:
        logger.info("%s: %s recomputed, %s.", use_case, counted(record.requests, "request"), in_words(record.status))
    return record
