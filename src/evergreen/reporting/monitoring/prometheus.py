"""A window as Prometheus' gauges in the text exposition format, version 0.0.4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evergreen.monitoring.record import MonitoringRecord
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.retraining.trigger import RetrainingTrigger


@dataclass(frozen=True)
class _Gauge:
    """One gauge and its samples: labels beyond use case and version, and the value; None is left out."""

    name: str
    help: str
    samples: list[tuple[dict[str, str], float | None]]


def prometheus_text(record: MonitoringRecord, decision: RetrainingTrigger | None = None) -> str:
    """The record as gauges, for the node exporter's textfile collector or a push gateway.

    Every sample carries ``use_case`` and ``version``. A number that is unknown has no sample, which is how
    Prometheus says so; a gauge without samples is left out. The order depends on the records alone.
    """
    common = {"use_case": record.use_case, "version": record.version}
    lines: list[str] = []
    for gauge in _gauges(record, decision):
        samples = [
            f"evergreen_{gauge.name}{_labels(common | labels)} {float(value)!r}"
            for labels, value in gauge.samples
            if value is not None
        ]
        if samples:
            lines += [f"# HELP evergreen_{gauge.name} {gauge.help}", f"# TYPE evergreen_{gauge.name} gauge", *samples]
    return "\n".join(lines) + "\n"


def _gauges(record: MonitoringRecord, decision: RetrainingTrigger | None) -> Iterator[_Gauge]:
    judged = {name: column for name, column in sorted(record.drift.columns.items()) if column.status != "off"}
    effects = [({"column": name}, column.effect) for name, column in judged.items()]
    yield _Gauge("drift_effect", "Drift as an equivalent mean shift in standard deviations.", list(effects))
    alarms = [({"column": name}, float(column.alarm)) for name, column in judged.items()]
    yield _Gauge("drift_alarm", "1 where the column alarms in this window.", list(alarms))
    within = float(len(record.drift.group_alarms)) if record.drift.groups else None
    yield _single("drift_alarms_within_groups", "Columns in alarm within a group of rows.", within)
    yield _single("window_rows", "Rows in the window.", record.rows)
    yield _Gauge("roc_auc", "ROC AUC: estimated without labels, realised on them, and the reference's.", _aucs(record))
    yield _single("positive_rate", "Share of positive predictions.", record.positive_rate.window)
    yield _single("alerts_open", "Columns whose alert is open.", len(record.open_alerts))
    yield _single("retrain_reasons", "Reasons to retrain that monitoring found.", len(record.asking))
    fired = retraining_answer(record, decision).fired
    yield _single("retrain_trigger", "1 where retraining was decided after this window; absent until then.", fired)
    failed = len(record.quality.blockers)
    yield _single("quality_failed_checks", "Data quality checks that failed.", failed)
    midnight = dt.datetime.combine(record.as_of, dt.time(), dt.UTC).timestamp()
    yield _single("monitoring_as_of_timestamp_seconds", "The date that was watched, at midnight UTC.", midnight)


def _single(name: str, help_text: str, value: float | None) -> _Gauge:
    return _Gauge(name, help_text, [({}, value)])


def _aucs(record: MonitoringRecord) -> list[tuple[dict[str, str], float | None]]:
    measured = record.performance.metrics.get("roc_auc") if record.performance else None
    estimate = record.estimate.metrics.get("roc_auc")
    return [
        ({"kind": "estimated"}, estimate.value if estimate else None),
        ({"kind": "realised"}, measured.window.value if measured else None),
        ({"kind": "reference"}, measured.reference if measured else record.reference_auc),
    ]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
