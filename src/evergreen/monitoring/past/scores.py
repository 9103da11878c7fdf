"""What earlier windows of hours were scored, made anew by the version that is watched."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.past.counts import MOST_WINDOWS, counts_by_hours
from evergreen.monitoring.reference import PROBABILITY, Reference
from evergreen.monitoring.score_drift import POOLED_BEFORE
from evergreen.monitoring.window import Predict, Window, with_nulls
from evergreen.rows.spans import within
from evergreen.rows.splits import block_share
from evergreen.rows.windows import fetch_rows


def with_earlier_scores(
    window: Window, table: ir.Table, reference: Reference, predict: Predict, parameters: MonitoringParameters
) -> Window:
    """A window of hours with counts of the scores of those before it, which say how nights differ from days.

    They are scored anew, about ``max_rows`` rows of them: what the log holds may be another version's.

    Args:
        window: What is looked at; one of days stays as it is.
        table: Rows with a time, earlier ones among them.
        reference: The champion's memory.
        predict: Features → probability of class 1.
        parameters: Lengths and limits.
    """
    spec, length = reference.spec, parameters.length
    if not isinstance(window.end, dt.datetime) or reference.scores is None or spec.date is None:
        return window
    last = window.end - length
    first = last - MOST_WINDOWS * length
    earlier = table.filter(within(table[spec.date], first, last))
    rows = fetch_rows(with_nulls(earlier, spec), spec, max_rows=parameters.max_rows)
    if rows.empty:
        return window
    features, share = rows[spec.features], block_share(rows[spec.block_columns])
    scores = reference.folds(features, share) if reference.folds else predict(features)
    scored = ibis.memtable(pd.DataFrame({spec.date: rows[spec.date], PROBABILITY: scores}))
    counts = counts_by_hours(scored, reference.score_profile, spec.date, last, length)
    recent = tuple(
        scores[(rows[spec.date] > pd.Timestamp(last - before * length)).to_numpy()] for before in (1, POOLED_BEFORE)
    )
    return replace(window, earlier_scores=counts, recent_scores=recent)
