"""Exposures and outcomes → what the running experiment says."""

from __future__ import annotations

import datetime as dt
import logging

import ibis.expr.types as ir

from evergreen import registry
from evergreen.experiments.analysis import analyse
from evergreen.experiments.parameters import ExperimentParameters
from evergreen.experiments.record import SKIPPED, ExperimentRecord, skipped
from evergreen.pipelines.ab_testing.rows import ExperimentRows, logged_rows, simulated_rows
from evergreen.reporting.experiment.messages import experiment_messages
from evergreen.reporting.experiment.page import experiment_page
from evergreen.reporting.monitoring.messages import AlertMessage
from evergreen.rows.windows import parse_date
from evergreen.wording import in_words

logger = logging.getLogger("evergreen.experiments")


def read_rows(
    use_case: str,
    experiments: ExperimentParameters,
    simulate: bool,
    as_of: str | None,
    exposures: ir.Table | None,
    incumbent: registry.ModelVersion | None,
) -> ExperimentRows | ExperimentRecord:
    """The running experiment's rows and plan: made up, logged, or logged and scored again; or that none runs."""
    day = parse_date(as_of)
    if simulate:
        return simulated_rows(use_case, experiments, day or dt.datetime.now(dt.UTC).date())
    if experiments.running is None:
        reason = "No experiment is active: define one under experiments.defined and name it as experiments.active."
        return skipped(use_case, day or dt.datetime.now(dt.UTC).date(), reason)
    return logged_rows(use_case, experiments, exposures, incumbent, day)


def analyse_rows(
    rows: ExperimentRows | ExperimentRecord, past: ExperimentRecord | None
) -> tuple[ExperimentRecord, list[AlertMessage]]:
    """Sample ratio, metric, guardrails, slices, verdict; and what is worth telling since the last run."""
    record = rows if isinstance(rows, ExperimentRecord) else analyse(rows.subject, rows.exposures, rows.plan)
    logger.info("%s: %s. %s", record.use_case, in_words(record.status), " ".join(record.reasons))
    return record, experiment_messages(record, past)


def show_experiment(experiment: ExperimentRecord) -> str:
    """The page for people; the figures go to MLflow."""
    page = experiment_page(experiment)
    if experiment.status != SKIPPED:
        registry.publish_experiment(experiment, page)
    return page


def send_verdict(
    messages: list[AlertMessage],
) -> tuple[list[AlertMessage], list[AlertMessage], list[AlertMessage]]:
    """A verdict that changed, for all alert channels."""
    return messages, messages, messages
