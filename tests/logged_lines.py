"""Lines of a service's log."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", target="gone", numeric=["age"], categorical=["city"])
TODAY = dt.date(2026, 3, 3)


def line(number: int, day: str = "2026-03-02", city: object = "A") -> bytes:
    found = {
        "request_id": f"r{number}",
        "timestamp": f"{day}T12:00:00.000001+00:00",
        "use_case": "leavers",
        "model_version": "1",
        "variant": "champion",
        "entity_id": number,
        "features": {"age": 40.5, "city": city, "id": number},
        "probability": 0.25,
        "prediction": 0,
        "latency_ms": 0.1,
    }
    return json.dumps(found).encode() + b"\n"


def write(folder: Path, *lines: bytes) -> None:
    writer = SegmentWriter(folder)
    for each in lines:
        writer.write(each)
    writer.close()
