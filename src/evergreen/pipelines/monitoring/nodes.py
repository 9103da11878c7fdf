"""Window and champion → drift, performance, quality, alerts, and reasons to retrain."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir
import pandas as pd

from evergreen import registry
from evergreen.evaluation.judge import EvaluationRecord
from evergreen.monitoring.conclude import conclude, rows_of, window_history, window_profile, with_earlier
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.past.kept import all_counts, with_earlier_hours, with_window
from evergreen.monitoring.past.scores import with_earlier_scores
from evergreen.monitoring.record import MonitoringRecord, WindowProfile
from evergreen.monitoring.reference import Reference
from evergreen.monitoring.served import by_the_hour, newest_hour, service_window
from evergreen.monitoring.window import Findings, Window, judge_window, look_at_window
from evergreen.monitoring.window_metrics import window_metrics
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import resolve_as_of
from evergreen.wording import counted, in_words

logger = logging.getLogger("evergreen.monitoring")


def recall(
    champion: registry.ModelVersion,
    monitoring: MonitoringParameters,
    evaluation: EvaluationRecord | None,  # noqa: ARG001 - the champion is looked up after it was decided on
) -> tuple[registry.ModelVersion, Reference]:
    """The champion and what it remembers."""
    logger.info("%s: watching version %s.", champion.use_case, champion.version)
    reference = registry.reference(champion)
    return champion, reference if monitoring.window is None else by_the_hour(reference)


def look(
    watched: registry.ModelVersion,
    reference: Reference,
    window: ir.Table,
    service_predictions: ir.Table | None,
    past_counts: pd.DataFrame,
    monitoring: MonitoringParameters,
    split: SplitParameters,
    as_of: str | None,
) -> Window:
    """Profile the window where its data lies, and score its rows."""
    spec, delay, hours = reference.spec, split.label_delay_days, monitoring.window is not None
    if monitoring.source == "service":
        window = service_window(service_predictions, spec, as_of, monitoring.window_days, hours=hours)
    else:
        registry.require_columns(watched, window.columns)
    today = dt.datetime.now(dt.UTC).date()
    end = newest_hour(window, spec, as_of) if hours else resolve_as_of(window, spec, as_of, today)
    seen = look_at_window(window, reference, watched.probabilities, end, delay, monitoring)
    seen = with_earlier_scores(seen, window, reference, watched.probabilities, monitoring)
    return with_earlier_hours(seen, window, reference, past_counts, monitoring.length)


def judge(
    reference: Reference, observed: Window, past_counts: pd.DataFrame, monitoring: MonitoringParameters
) -> tuple[Findings, pd.DataFrame]:
    """Run every test of the window against the champion's memory and past windows; all counts so far."""
    counts = all_counts(past_counts, reference.window_counts, observed.earlier)
    return judge_window(reference, observed, monitoring, counts), counts


def remember(
    watched: registry.ModelVersion,
    reference: Reference,
    observed: Window,
    findings: Findings,
    counts: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """This window's rows of the history of columns and of that of metrics, and the counts of all windows."""
    return (
        window_history(watched.version, observed, findings),
        window_metrics(watched.version, observed, findings),
        with_window(counts, observed, reference, watched.version),
    )


def report(
    watched: registry.ModelVersion,
    reference: Reference,
    observed: Window,
    findings: Findings,
    window_rows: pd.DataFrame,
    past: pd.DataFrame,
    monitoring: MonitoringParameters,
) -> tuple[MonitoringRecord, WindowProfile]:
    """Alerts by the rule over windows, the reasons to retrain, and all of it as one record; the window's profile."""
    history = with_earlier(past, rows_of(window_rows, watched.version, observed.end))
    record = conclude(watched.use_case, watched.version, reference, observed, findings, history, monitoring)
    logger.info("%s: %s; %s.", record.use_case, in_words(record.status), counted(len(record.asking), "reason"))
    return record, window_profile(record, reference, observed)
