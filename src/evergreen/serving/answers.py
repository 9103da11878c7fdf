"""What a client gets, and what the log keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from evergreen.serving.by_key import Found


class Answer(msgspec.Struct, gc=False, omit_defaults=True):
    """What ``POST /predict`` answers; ``known_until`` is the newest day that features by key know of."""

    prediction: int
    probability: float
    confidence: float
    threshold: float
    model_version: str
    variant: str
    request_id: str
    timestamp: str
    known_until: str | None = None


class Line(msgspec.Struct, gc=False, omit_defaults=True):
    """One line of the prediction log."""

    request_id: str
    timestamp: str
    use_case: str
    model_version: str
    variant: str
    entity_id: Any
    features: Any
    probability: float
    prediction: int
    latency_ms: float
    asked: Found | None = None


class Batch(msgspec.Struct, gc=False, omit_defaults=True):
    """What ``POST /batch_predict`` answers.

    ``model_versions`` says each row's where a split dealt them, ``known_until`` what features by key know of.
    """

    predictions: list[int]
    probabilities: list[float]
    count: int
    model_version: str
    request_ids: list[str]
    model_versions: list[str] | None = None
    known_until: str | None = None


@dataclass(frozen=True)
class Scored:
    """Many rows, scored but neither logged nor counted yet.

    Attributes:
        answer: What the client gets.
        lines: Their lines of the log.
        probability: Probabilities (n,).
        prediction: Decisions (n,).
        theirs: Rows that the challenger answered (n,).
        counts: What they add to the live tally; None where nothing is counted.
        now: When they were scored, seconds since 1970.
        seconds: What each took.
    """

    answer: Batch
    lines: bytes
    probability: np.ndarray
    prediction: np.ndarray
    theirs: np.ndarray
    counts: np.ndarray | None
    now: float
    seconds: float
