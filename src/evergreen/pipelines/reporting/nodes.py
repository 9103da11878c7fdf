"""Records → what people look at."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evergreen import registry
from evergreen.monitoring.conclude import history_until
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.record import MonitoringRecord, WindowProfile
from evergreen.pipelines.reporting.dashboard import DASHBOARD_RECORDS, dashboard_records
from evergreen.reporting.dashboard.page import dashboard_page
from evergreen.reporting.index import ContentsRecord, index_page
from evergreen.reporting.monitoring.messages import AlertMessage, alert_messages
from evergreen.reporting.monitoring.page import monitoring_page
from evergreen.reporting.monitoring.prometheus import prometheus_text
from evergreen.retraining.record import RetrainingRecord
from evergreen.retraining.trigger import RetrainingTrigger


def show_monitoring(
    monitoring: MonitoringRecord,
    window: WindowProfile,
    past: pd.DataFrame,
    metrics: pd.DataFrame,
    decision: RetrainingTrigger | None,
    policy: MonitoringParameters,
) -> tuple[str, str]:
    """The page for people and the metrics for Prometheus, with the decision where it is about this window."""
    reference = registry.reference(registry.load(monitoring.use_case, monitoring.version))
    page = monitoring_page(
        monitoring,
        reference.profile,
        window.features,
        history_until(past, monitoring),
        reference.importance,
        (reference.score_profile, window.scores),
        decision,
        history_until(metrics, monitoring),
        policy,
    )
    registry.publish_monitoring(monitoring, page, decision)
    return page, prometheus_text(monitoring, decision)


def write_dashboard(
    use_case: str,
    monitoring: MonitoringParameters,
    index: str,  # noqa: ARG001 - the dashboard leads to what is written
    *records: Any,
) -> str:
    """The dashboard of a use case, from whatever records there are."""
    found = dict(zip(DASHBOARD_RECORDS, records, strict=True))
    return dashboard_page(dashboard_records(use_case, monitoring, found))


def write_index(
    monitoring: MonitoringRecord,
    evaluation: ContentsRecord | None,
    retraining: RetrainingRecord | None,
    *published: str,  # noqa: ARG001 - the page leads to what is written
) -> str:
    """The page of a use case that leads to all others."""
    return index_page(monitoring, evaluation, retraining)


def send_alerts(
    monitoring: MonitoringRecord, decision: RetrainingTrigger | None, policy: MonitoringParameters
) -> tuple[list[AlertMessage], list[AlertMessage], list[AlertMessage]]:
    """The messages for all alert channels, with a link to the page where its address is set."""
    messages = alert_messages(monitoring, decision, policy.report_url)
    return messages, messages, messages
