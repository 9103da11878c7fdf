"""From checked rows to logged answers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.serving.answers import Answer, Batch, Line, Scored
from evergreen.serving.by_key import ByKey, Found, names_keys
from evergreen.serving.counters import PredictionCounter
from evergreen.serving.refusals import Refusal
from evergreen.serving.routing import answered, challenger_rows, goes_to_challenger
from evergreen.serving.served import Served
from evergreen.serving.settings import ServingSettings
from evergreen.serving.tally import SUFFIX, Layout, LiveTally

CHAMPION, CHALLENGER, SHADOW = "champion", "challenger", "shadow"
_encode = msgspec.json.encode


class Clock:
    """A moment as ISO text in UTC; the text of a second is made once."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def text(self, now: float) -> str:
        """Seconds since 1970 as text, to the microsecond."""
        second = int(now)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int((now - second) * 1e6):06d}+00:00"


class Answering:
    """Scores rows with the version that serves, logs and counts them.

    Args:
        settings: The service's settings.
        folder: Where this service's processes share their counts.
        log: Where answers are logged; None where they are not.
        by_key: Where features are read that a request names keys for; None where there are none.
    """

    def __init__(
        self, settings: ServingSettings, folder: Path, log: SegmentWriter | None, by_key: ByKey | None = None
    ) -> None:
        self.settings, self.log, self.by_key, self._folder = settings, log, by_key, folder
        self.worker = uuid.uuid4().hex[:12]
        self.served: Served
        self.challenger: Served | None = None
        self._prefix, self._number = f"{self.worker}-", 0
        self._clock = Clock()
        self._counters: dict[tuple[str, str], PredictionCounter] = {}
        self._tallies: dict[str, LiveTally] = {}
        self._count_live = settings.drift.enabled
        self._unlogged_allowed = settings.log.when_full == "unlogged"

    def use(self, served: Served, challenger: Served | None = None) -> None:
        """Answer with this version from the next request on."""
        self._prepare(served, CHAMPION)
        if challenger is not None:
            self._prepare(challenger, SHADOW if self.settings.routing.shadow else CHALLENGER)
        self.challenger = challenger
        self.served = served

    def _prepare(self, served: Served, variant: str) -> None:
        key = (served.version, variant)
        if key not in self._counters:
            self._counters[key] = PredictionCounter(self._folder, self.worker, *key)
        if self._count_live and served.version not in self._tallies:
            file = self._folder / f"{self.worker}~{served.version}{SUFFIX}"
            layout = Layout(served.facts["watch"], served.features)
            self._tallies[served.version] = LiveTally(file, layout)

    def flush(self) -> None:
        """Count what waits to be counted, and close a log segment that is old enough."""
        for tally in list(self._tallies.values()):
            tally.flush()
        if self.log is not None:
            self.log.rotate_if_old()

    def close(self) -> None:
        """The last thing that a worker does."""
        self.flush()
        if self.log is not None:
            self.log.close()

    def answer(self, body: bytes, began: float) -> bytes:
        """Read, score, log and count one row, given by its features or by its keys.

        Raises:
            Refusal: Naming what is wrong, or where it cannot be logged and must be.
        """
        served = self.served
        if self.by_key is not None and names_keys(body, served):
            row, values, asked = self.by_key.read(served, body)
            return self.one(served, row, values, began, asked)
        row, values = served.read_row(body)
        return self.one(served, row, values, began)

    def one(
        self,
        served: Served,
        row: msgspec.Struct,
        values: tuple[Any, ...],
        began: float,
        asked: Found | None = None,
    ) -> bytes:
        """Score, log and count one row that ``served`` has read; ``asked`` is what it was asked by, where by key.

        Raises:
            Refusal: Where it cannot be logged and must be.
        """
        entity = values[served.width] if len(values) > served.width else None
        request_id = f"{self._prefix}{self.next_number()}"
        variant = CHAMPION
        if self.challenger is not None:
            served, variant = self._routed(served, row, values, entity, request_id, began)
        probability = served.probability(values)
        prediction = 1 if probability >= served.threshold else 0
        now = time.time()
        timestamp = self._clock.text(now)
        seconds = time.perf_counter() - began
        version, use_case = served.version, served.use_case
        if self.log is not None:
            ms = seconds * 1000
            line = Line(
                request_id, timestamp, use_case, version, variant, entity, row, probability, prediction, ms, asked
            )  # fmt: skip
            self._write(_encode(line) + b"\n")
        self._counters[version, variant].add(probability, prediction == 1, now, seconds)
        if self._count_live:
            self._tallies[version].add(values, probability)
        confidence = probability if probability >= 0.5 else 1 - probability
        known = None if asked is None else asked.known_until
        return _encode(
            Answer(
                prediction, probability, confidence, served.threshold, version, variant, request_id, timestamp, known
            )
        )

    def _routed(
        self, served: Served, row: msgspec.Struct, values: tuple[Any, ...], entity: Any, request_id: str, began: float
    ) -> tuple[Served, str]:
        """Who answers while an experiment is active; a shadow scores and is logged on the side."""
        routing, challenger = self.settings.routing, self.challenger
        assert challenger is not None
        if routing.shadow:
            if self.log is not None:
                probability = challenger.probability(values)
                positive = int(probability >= challenger.threshold)
                now = time.time()
                ms = (time.perf_counter() - began) * 1000
                head = (f"{request_id}-{SHADOW}", self._clock.text(now), served.use_case)
                self._write(
                    _encode(Line(*head, challenger.version, SHADOW, entity, row, probability, positive, ms)) + b"\n"
                )
                self._counters[challenger.version, SHADOW].add(probability, positive == 1, now, ms / 1000)
            return served, CHAMPION
        return (challenger, CHALLENGER) if goes_to_challenger(routing, entity, request_id) else (served, CHAMPION)

    def read_many(self, served: Served, body: bytes) -> tuple[list[msgspec.Struct], list[Found] | None]:
        """Rows of ``{"data": [...]}``, given by their features or by their keys, and what was asked, where by keys.

        Raises:
            Refusal: Naming what is wrong.
        """
        if self.by_key is not None and names_keys(body, served):
            return self.by_key.read_many(served, body, self.settings.limits.max_rows)
        return served.read_rows(body), None

    def score(
        self,
        served: Served,
        rows: Sequence[msgspec.Struct],
        began: float,
        batch: int,
        asked: Sequence[Found] | None = None,
    ) -> Scored:
        """Score many rows and say what is to be logged and counted; changes nothing, so that a thread may do it.

        Args:
            served: The version that has read them.
            rows: The rows.
            began: When their request did.
            batch: A number of its own for this worker.
            asked: What each was asked by, where by key.

        Raises:
            Refusal: Where a number is out of range.
        """
        columns, challenger = served.columns(rows), self.challenger or served
        ids = [f"{self._prefix}b{batch}-{number}" for number in range(len(rows))]
        theirs = np.zeros(len(rows), dtype=bool)
        if self.challenger is not None:
            theirs = challenger_rows(self.settings.routing, columns, served, ids)
        dealt = bool(theirs.any())
        probability, prediction = answered(served, challenger, columns, theirs)
        now = time.time()
        seconds = (time.perf_counter() - began) / max(len(rows), 1)
        versions = [served.version] * len(rows)
        variants = [CHAMPION] * len(rows)
        if dealt:
            versions = [challenger.version if other else served.version for other in theirs]
            variants = [CHALLENGER if other else CHAMPION for other in theirs]
        named = ", ".join(sorted({*versions} or {served.version}))
        answer = Batch(prediction.tolist(), probability.tolist(), len(rows), named, ids)
        if dealt:
            answer.model_versions = versions
        if asked:
            answer.known_until = asked[0].known_until
        lines = b""
        if self.log is not None and rows:
            entities = columns[served.keys[0]] if served.keys else [None] * len(rows)
            head, ms = (Clock().text(now), served.use_case), seconds * 1000
            by: Sequence[Found | None] = asked or [None] * len(rows)
            found = zip(
                ids, versions, variants, entities, rows, answer.probabilities, answer.predictions, by, strict=True
            )
            each = [
                _encode(Line(i, *head, v, side, entity, row, p, y, ms, what))
                for i, v, side, entity, row, p, y, what in found
            ]
            lines = b"\n".join([*each, b""])
        tally = self._tallies.get(served.version) if rows and not dealt else None
        counts = tally.count([columns[name] for name in served.features], probability) if tally else None
        return Scored(answer, lines, probability, prediction, theirs, counts, now, seconds)

    def record(self, served: Served, scored: Scored) -> Batch:
        """Log and count what was scored.

        Raises:
            Refusal: Where it cannot be logged and must be.
        """
        self._write(scored.lines)
        sides = [(served.version, CHAMPION, ~scored.theirs)]
        if scored.theirs.any() and self.challenger is not None:
            sides.append((self.challenger.version, CHALLENGER, scored.theirs))
        for version, variant, own in sides:
            counter = self._counters[version, variant]
            counter.add_many(scored.probability[own], scored.prediction[own], scored.now, scored.seconds)
        if scored.counts is not None:
            self._tallies[served.version].add_counts(scored.counts)
        return scored.answer

    def next_number(self) -> int:
        """A number that this worker gives once."""
        self._number += 1
        return self._number

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        assert self.log is not None
        try:
            self.log.write(lines)
        except OSError:
            if not self._unlogged_allowed:
                raise Refusal(
                    503, "The prediction log takes no more: nothing is answered until it does.", retry_after=10
                ) from None

    @property
    def log_fault(self) -> str | None:
        """What keeps this worker from logging; None where nothing does, or nothing is logged."""
        return self.log.fault if self.log is not None else None

    @property
    def ready(self) -> str | None:
        """What keeps this worker from answering; None where nothing does."""
        if self.log_fault and not self._unlogged_allowed:
            return f"the prediction log takes no more ({self.log_fault})"
        return None
