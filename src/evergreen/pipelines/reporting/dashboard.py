"""Which records does a dashboard read, and what does it make of them? Each may be missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from evergreen import registry
from evergreen.monitoring.conclude import of_the_same_kind
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.profiles.profile import Profile
from evergreen.reporting.dashboard.records import DashboardRecords

# Catalog entries, none of which needs to hold anything.
DASHBOARD_RECORDS = (
    "evaluation",
    "trigger",
    "retraining",
    "newest_monitoring",
    "newest_window_profile",
    "past_monitoring_history",
    "past_window_metrics",
    "past_experiment",
    "newest_policy_backtest",
    "service_status",
)


def dashboard_records(use_case: str, policy: MonitoringParameters, found: Mapping[str, Any]) -> DashboardRecords:
    """What a dashboard is drawn from: the records, and what the registry knows.

    Args:
        use_case: Name of the use case.
        policy: The rules of monitoring.
        found: Entry of ``DASHBOARD_RECORDS`` → what it holds; None where there is none.
    """
    named = {
        "evaluation": "evaluation", "trigger": "trigger", "retraining": "retraining",
        "monitoring": "newest_monitoring", "history": "past_monitoring_history", "metrics": "past_window_metrics",
        "experiment": "past_experiment", "backtest": "newest_policy_backtest", "service": "service_status",
    }  # fmt: skip
    records = {field: found[entry] for field, entry in named.items() if found[entry] is not None}
    if records.get("monitoring") is not None:
        shown = [field for field in ("history", "metrics") if len(records.get(field, ()))]
        records |= {field: of_the_same_kind(records[field], records["monitoring"].window_end) for field in shown}
    standing = registry.standing(use_case)
    dated = [record for field, record in records.items() if field != "service"]  # the service knows today's date alone
    dates: list[dt.date] = [record.as_of for record in dated if hasattr(record, "as_of")]
    if standing.serving is not None:
        dates.append(standing.serving.as_of)
    return DashboardRecords(
        use_case=use_case, as_of=max(dates, default=None), standing=standing, policy=policy,
        profiles=_profiles(use_case, found), **records,
    )  # fmt: skip


def _profiles(use_case: str, found: Mapping[str, Any]) -> tuple[Profile, Profile] | None:
    """Profiles of the probabilities, of the reference and of the newest window."""
    window = found["newest_window_profile"]
    if window is None:
        return None
    return registry.reference(registry.load(use_case, window.version)).score_profile, window.scores
