"""What is there to look at? One page of a use case leads to all that its pipelines left."""

from __future__ import annotations

from evergreen.experiments.record import SKIPPED, ExperimentRecord
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Record
from evergreen.reporting.blocks import Links, Text
from evergreen.reporting.page import Page, Section, as_html
from evergreen.retraining.record import RetrainingRecord
from evergreen.wording import in_words


class ContentsRecord(Record):
    """``evaluation_contents.json``: what evaluation left to look at; ``status`` is the evaluation's.

    Attributes:
        version: The version that it speaks of.
        files: Title → file, as seen from the folder of the use case's records.
    """

    version: str
    files: dict[str, str]


def index_page(
    monitoring: MonitoringRecord,
    evaluation: ContentsRecord | None,
    retraining: RetrainingRecord | None,
    experiment: ExperimentRecord | None = None,
) -> str:
    """The page, each section with the version and the date that it speaks of.

    Args:
        monitoring: The newest window.
        evaluation: What evaluation left, where it ran here.
        retraining: The newest retraining, where there was one.
        experiment: What the newest experiment says, where there is one.
    """
    seen = {"Page of the window": "monitoring.html", "Figures for Prometheus": "monitoring.prom"}
    sections = [_section("Monitoring", monitoring, f"Version {monitoring.version}", Links(seen))]
    sections.insert(0, Section("Dashboard", [Links({"All of it on one page": "dashboard.html"})]))
    if evaluation is not None:
        sections.append(_section("Evaluation", evaluation, f"Version {evaluation.version}", Links(evaluation.files)))
    if retraining is not None:
        serves = f"Version {retraining.champion.after} serves"
        sections.append(_section("Retraining", retraining, serves, Text(retraining.reason)))
    if experiment is not None and experiment.status != SKIPPED:
        page = {f"Page of the experiment {experiment.experiment}": "experiment.html"}
        versions = " against ".join(variant.version or variant.name for variant in reversed(experiment.variants))
        sections.append(_section("Experiment", experiment, f"Version {versions}", Links(page)))
    status = in_words(monitoring.status)
    return as_html(Page(monitoring.use_case, f"As of {monitoring.as_of}", status, [], sections))


def _section(title: str, record: Record, version: str, content: Links | Text) -> Section:
    return Section(title, [Text(f"{version}, as of {record.as_of}: {in_words(record.status)}."), content])
