"""What a worker counts, in memory that it shares with the other processes of the service through small files."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SUFFIX = ".counts"
REQUESTS = ".requests"
LATENCY_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
_COUNT, _POSITIVE, _CONFIDENCE, _LEAST, _GREATEST, _LAST, _SECONDS, _BUCKETS = range(8)
_SLOTS = _BUCKETS + len(LATENCY_SECONDS) + 1
CODES = ("2xx", "4xx", "5xx", "429")
ROUTES = ("predict", "batch_predict", "invocations", "infer", "other")


class Shared:
    """A few float64 in a file, as fast to change as a list; nobody else writes them."""

    def __init__(self, file: Path, slots: int) -> None:
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(fd, 8 * slots)
        self._map = mmap.mmap(fd, 8 * slots)
        os.close(fd)
        self.values = memoryview(self._map).cast("d")


class PredictionCounter(Shared):
    """Predictions of one version and variant."""

    def __init__(self, folder: Path, worker: str, version: str, variant: str) -> None:
        super().__init__(folder / f"{worker}~{version}~{variant}{SUFFIX}", _SLOTS)
        self.values[_LEAST] = 2.0

    def add(self, probability: float, positive: bool, now: float, seconds: float) -> None:
        """Count one prediction that took ``seconds`` and was made at ``now``."""
        values, confidence = self.values, probability if probability >= 0.5 else 1 - probability
        values[_COUNT] += 1.0
        values[_POSITIVE] += positive
        values[_CONFIDENCE] += confidence
        if confidence < values[_LEAST]:
            values[_LEAST] = confidence
        if confidence > values[_GREATEST]:
            values[_GREATEST] = confidence
        values[_LAST] = now
        values[_SECONDS] += seconds
        place = _BUCKETS
        for edge in LATENCY_SECONDS:
            if seconds <= edge:
                break
            place += 1
        values[place] += 1.0

    def add_many(self, probability: np.ndarray, positive: np.ndarray, now: float, seconds: float) -> None:
        """Count many predictions that took ``seconds`` each."""
        if not len(probability):
            return
        values, confidence = self.values, np.maximum(probability, 1 - probability)
        values[_COUNT] += len(probability)
        values[_POSITIVE] += float(positive.sum())
        values[_CONFIDENCE] += float(confidence.sum())
        values[_LEAST] = min(values[_LEAST], float(confidence.min()))
        values[_GREATEST] = max(values[_GREATEST], float(confidence.max()))
        values[_LAST] = now
        values[_SECONDS] += seconds * len(probability)
        values[_BUCKETS + sum(seconds > edge for edge in LATENCY_SECONDS)] += len(probability)


class RequestCounter(Shared):
    """Answers by route and kind of status."""

    def __init__(self, folder: Path, worker: str) -> None:
        super().__init__(folder / f"{worker}{REQUESTS}", len(ROUTES) * len(CODES))

    def add(self, route: int, status: int) -> None:
        """Count an answer of a route (its place in ``ROUTES``)."""
        code = 0 if status < 400 else 3 if status == 429 else 1 if status < 500 else 2
        self.values[route * len(CODES) + code] += 1.0


@dataclass
class PredictionTotals:
    """Predictions of all workers, for one version and variant or over all."""

    count: int = 0
    positive: int = 0
    confidence_sum: float = 0.0
    least: float = 2.0
    greatest: float = 0.0
    last: float = 0.0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_SECONDS) + 1))

    def add(self, values: memoryview[float]) -> None:
        """Add one worker's."""
        self.count += int(values[_COUNT])
        self.positive += int(values[_POSITIVE])
        self.confidence_sum += values[_CONFIDENCE]
        self.least, self.greatest = min(self.least, values[_LEAST]), max(self.greatest, values[_GREATEST])
        self.last = max(self.last, values[_LAST])
        self.seconds += values[_SECONDS]
        self.buckets = [a + int(b) for a, b in zip(self.buckets, values[_BUCKETS:], strict=True)]

    def summary(self) -> dict[str, float | int | str | None]:
        """As ``/stats`` tells it."""
        last_at = None if not self.last else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.last))
        return {
            "predictions": self.count,
            "positive_predictions": self.positive,
            "positive_rate": self.positive / self.count if self.count else None,
            "mean_confidence": self.confidence_sum / self.count if self.count else None,
            "min_confidence": self.least if self.count else None,
            "max_confidence": self.greatest if self.count else None,
            "last_prediction": last_at,
        }


def read_predictions(folder: Path) -> dict[tuple[str, str], PredictionTotals]:
    """All workers' predictions by version and variant; those of workers that are gone count as well."""
    found: dict[tuple[str, str], PredictionTotals] = {}
    for file, values in _read(folder, SUFFIX):
        _, version, variant = file.name.removesuffix(SUFFIX).split("~")
        found.setdefault((version, variant), PredictionTotals()).add(values)
    return found


def total(parts: Iterable[PredictionTotals]) -> PredictionTotals:
    """All of them together."""
    whole = PredictionTotals()
    for part in parts:
        whole.count += part.count
        whole.positive += part.positive
        whole.confidence_sum += part.confidence_sum
        whole.least, whole.greatest = min(whole.least, part.least), max(whole.greatest, part.greatest)
        whole.last, whole.seconds = max(whole.last, part.last), whole.seconds + part.seconds
        whole.buckets = [a + b for a, b in zip(whole.buckets, part.buckets, strict=True)]
    return whole


def read_requests(folder: Path) -> dict[tuple[str, str], int]:
    """All workers' answers by route and kind of status."""
    found: dict[tuple[str, str], int] = {}
    for _, values in _read(folder, REQUESTS):
        for place, value in enumerate(values):
            key = (ROUTES[place // len(CODES)], CODES[place % len(CODES)])
            found[key] = found.get(key, 0) + int(value)
    return found


def _read(folder: Path, suffix: str) -> Iterable[tuple[Path, memoryview[float]]]:
    for file in sorted(folder.glob(f"*{suffix}")):
        content = file.read_bytes()
        if len(content) >= 8 and len(content) % 8 == 0:
            yield file, memoryview(content).cast("d")
