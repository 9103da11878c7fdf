"""The service's log → the table of its predictions."""

from __future__ import annotations

import datetime as dt
import logging

from evergreen.datasets.prediction_log.collection import CollectionRecord
from evergreen.datasets.prediction_log.dataset import PredictionLog
from evergreen.modelling.parameters import ScoringParameters
from evergreen.rows.windows import parse_date
from evergreen.schema import TableSpec
from evergreen.wording import counted

logger = logging.getLogger("evergreen.serving")


def collect(
    prediction_log: PredictionLog, use_case: str, table: TableSpec, scoring: ScoringParameters, as_of: str | None
) -> CollectionRecord:
    """Move every line that no worker writes any more into the table, once, and let old days go."""
    today = parse_date(as_of) or dt.datetime.now(dt.UTC).date()
    done = prediction_log.collect(table, scoring, today)
    logger.info("%s: %s collected.", use_case, counted(done.rows, "prediction"))
    return CollectionRecord(
        use_case=use_case,
        as_of=today,
        status="collected" if done.rows else "nothing_new",
        rows=done.rows,
        days=done.days,
        removed_days=done.removed_days,
    )
