"""What the service says of itself: ``/stats`` for people, ``/metrics`` for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evergreen.serving.counters import LATENCY_SECONDS, read_predictions, read_requests, total
from evergreen.serving.served import Served


def stats(folder: Path, status: dict[str, Any], served: Served) -> dict[str, Any]:
    """Counts, positive rate, confidence and uptime, over all and by version and variant."""
    found = read_predictions(folder)
    started = status.get("started", time.time())
    return {
        "use_case": served.use_case,
        "model_version": served.version,
        **total(found.values()).summary(),
        "uptime_seconds": round(time.time() - started, 1),
        "by_version": [
            {"model_version": version, "variant": variant, **part.summary()}
            for (version, variant), part in sorted(found.items())
        ],
        "requests": {f"{route} {code}": n for (route, code), n in sorted(read_requests(folder).items()) if n},
        "drift": status.get("drift"),
    }


def text(folder: Path, status: dict[str, Any], served: Served, log_fault: str | None = None) -> bytes:
    """All gauges and counters in Prometheus' text format; ``log_fault`` is what keeps this worker from logging."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(folder, status, served, log_fault))
    return bytes(generate_latest(registry))


class _Collector:
    """Reads every worker's counts when it is asked."""

    def __init__(self, folder: Path, status: dict[str, Any], served: Served, log_fault: str | None) -> None:
        self._folder, self._status, self._served, self._log_fault = folder, status, served, log_fault

    def collect(self) -> Iterator[Any]:
        """Families, as prometheus-client wants them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        use_case = self._served.use_case
        requests = CounterMetricFamily(
            "evergreen_requests", "Answers by route and kind of status.", labels=["use_case", "route", "code"]
        )
        for (route, code), count in read_requests(self._folder).items():
            requests.add_metric([use_case, route, code], count)
        yield requests
        yield from _predictions(self._folder, use_case)
        serving = GaugeMetricFamily(
            "evergreen_serving_version", "1 for the version that serves.", labels=["use_case", "version"]
        )
        serving.add_metric([use_case, self._served.version], 1)
        yield serving
        refused = GaugeMetricFamily(
            "evergreen_version_refused", "1 while the champion cannot be served.", labels=["use_case"]
        )
        refused.add_metric([use_case], 1 if self._status.get("refused") else 0)
        yield refused
        restarts = CounterMetricFamily("evergreen_worker_restarts", "Workers that crashed.", labels=["use_case"])
        restarts.add_metric([use_case], self._status.get("restarts", 0))
        yield restarts
        yield from self._ages_and_faults()
        yield from _drift(self._status.get("drift") or {}, use_case)

    def _ages_and_faults(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        use_case, created = self._served.use_case, self._served.facts.get("created")
        if created is not None:
            age = GaugeMetricFamily(
                "evergreen_version_created_timestamp_seconds",
                "When the version that serves was trained.",
                labels=["use_case", "version"],
            )
            age.add_metric([use_case, self._served.version], created)
            yield age
        fault = GaugeMetricFamily(
            "evergreen_log_fault", "1 where the worker that was asked cannot write its log.", labels=["use_case"]
        )
        fault.add_metric([use_case], int(self._log_fault is not None))
        yield fault


def _predictions(folder: Path, use_case: str) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    labels = ["use_case", "version", "variant"]
    counts = CounterMetricFamily("evergreen_predictions", "Rows answered.", labels=[*labels, "prediction"])
    latency = HistogramMetricFamily(
        "evergreen_prediction_seconds", "From the request's arrival to its answer.", labels=labels
    )
    for (version, variant), part in read_predictions(folder).items():
        of = [use_case, version, variant]
        counts.add_metric([*of, "1"], part.positive)
        counts.add_metric([*of, "0"], part.count - part.positive)
        below, buckets = 0, []
        for edge, count in zip([*map(str, LATENCY_SECONDS), "+Inf"], part.buckets, strict=True):
            below += count
            buckets.append((edge, below))
        latency.add_metric(of, buckets, part.seconds)
    yield counts
    yield latency


def _drift(drift: dict[str, Any], use_case: str) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    labels = ["use_case", "column"]
    effect = GaugeMetricFamily("evergreen_live_drift_effect", "Shift, as an equal Gaussian shift.", labels=labels)
    alarm = GaugeMetricFamily("evergreen_live_drift_alarm", "1 where live traffic has drifted.", labels=labels)
    for column, found in drift.get("columns", {}).items():
        effect.add_metric([use_case, column], found["effect"])
        alarm.add_metric([use_case, column], int(found["alarm"]))
    yield effect
    yield alarm
    for name, meaning in (
        ("rows", "Rows that live drift looks at."),
        ("positive_rate", "Share of positive predictions among them."),
        ("estimated_auc", "ROC AUC estimated from their scores."),
    ):
        if drift.get(name) is not None:
            gauge = GaugeMetricFamily(f"evergreen_live_{name}", meaning, labels=["use_case"])
            gauge.add_metric([use_case], drift[name])
            yield gauge
