"""Window and champion → drift, performance, quality, alerts, and whether to retrain."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir
import pandas as pd

from evergreen import registry
from evergreen.evaluation.judge import EvaluationRecord
from evergreen.monitoring.conclude import conclude, window_history, with_earlier
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import Reference
from evergreen.monitoring.window import Findings, Window, judge_window, look_at_window, window_score_profile
from evergreen.reporting.monitoring.messages import AlertMessage, alert_messages
from evergreen.reporting.monitoring.page import monitoring_page
from evergreen.reporting.monitoring.prometheus import prometheus_text
from evergreen.rows.splits import SplitPolicy
from evergreen.rows.windows import resolve_as_of

logger = logging.getLogger("evergreen.monitoring")


def recall(
    champion: registry.ModelVersion,
    evaluation: EvaluationRecord | None,  # noqa: ARG001 - the champion is looked up after it was decided on
) -> tuple[registry.ModelVersion, Reference]:
    """The champion and what it remembers."""
    logger.info("%s: watching version %s.", champion.use_case, champion.version)
    return champion, registry.reference(champion)


def look(
    watched: registry.ModelVersion,
    reference: Reference,
    window: ir.Table,
    monitoring: MonitoringParameters,
    split: SplitPolicy,
    as_of: str | None,
) -> Window:
    """Profile the window where its data lies, and score its rows."""
    today = resolve_as_of(window, reference.spec, as_of, dt.datetime.now(dt.UTC).date())
    return look_at_window(window, reference, watched.probabilities, today, split.label_delay_days, monitoring)


def judge(reference: Reference, observed: Window, monitoring: MonitoringParameters) -> Findings:
    """Run every test of the window against the champion's memory."""
    return judge_window(reference, observed, monitoring)


def remember(watched: registry.ModelVersion, observed: Window, findings: Findings) -> pd.DataFrame:
    """This window's rows of the history."""
    return window_history(watched.version, observed, findings)


def report(
    watched: registry.ModelVersion,
    reference: Reference,
    observed: Window,
    findings: Findings,
    window_rows: pd.DataFrame,
    past: pd.DataFrame,
    monitoring: MonitoringParameters,
) -> tuple[MonitoringRecord, pd.DataFrame]:
    """Alerts by the rule over windows, the trigger for retraining, and all of it as one record."""
    history = with_earlier(past, window_rows)
    record = conclude(watched.use_case, watched.version, reference, observed, findings, history, monitoring)
    logger.info("%s: %s; %s.", record.use_case, record.status, record.trigger.status)
    return record, history


def show(
    record: MonitoringRecord, reference: Reference, observed: Window, history: pd.DataFrame
) -> tuple[str, str, list[AlertMessage], list[AlertMessage]]:
    """The page for people, the metrics for Prometheus, the messages for both alert channels."""
    scores = reference.score_profile, window_score_profile(reference, observed)
    page = monitoring_page(record, reference.profile, observed.profile, history, reference.importance, scores)
    registry.publish_monitoring(record, page)
    messages = alert_messages(record)
    return page, prometheus_text(record), messages, messages
