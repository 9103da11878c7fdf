"""Records → what people look at."""

from __future__ import annotations

import pandas as pd

from evergreen import registry
from evergreen.monitoring.conclude import history_until
from evergreen.monitoring.record import MonitoringRecord, WindowProfile
from evergreen.reporting.index import ContentsRecord, index_page
from evergreen.reporting.monitoring.messages import AlertMessage, alert_messages
from evergreen.reporting.monitoring.page import monitoring_page
from evergreen.reporting.monitoring.prometheus import prometheus_text
from evergreen.retraining.record import RetrainingRecord
from evergreen.retraining.trigger import RetrainingTrigger


def show_monitoring(
    monitoring: MonitoringRecord, window: WindowProfile, past: pd.DataFrame, decision: RetrainingTrigger | None
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
    )
    registry.publish_monitoring(monitoring, page, decision)
    return page, prometheus_text(monitoring, decision)


def write_index(
    monitoring: MonitoringRecord,
    evaluation: ContentsRecord | None,
    retraining: RetrainingRecord | None,
    *published: str,  # noqa: ARG001 - the page leads to what is written
) -> str:
    """The page of a use case that leads to all others."""
    return index_page(monitoring, evaluation, retraining)


def send_alerts(
    monitoring: MonitoringRecord, decision: RetrainingTrigger | None
) -> tuple[list[AlertMessage], list[AlertMessage], list[AlertMessage]]:
    """The messages for all alert channels."""
    messages = alert_messages(monitoring, decision)
    return messages, messages, messages
