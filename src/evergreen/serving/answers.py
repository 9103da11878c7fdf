"""What a client gets, and what the log keeps of it."""

from __future__ import annotations

from typing import Any

import msgspec

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
    """What ``POST /batch_predict`` answers; ``model_versions`` says each row's where a split dealt them."""

    predictions: list[int]
    probabilities: list[float]
    count: int
    model_version: str
    request_ids: list[str]
    model_versions: list[str] | None = None
