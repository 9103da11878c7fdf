"""From segments to one parquet file a day and batch: each line once, wherever a run is killed.

Segments move into the folder of a batch that never gets others; its lines are written under names that the batch alone
decides; the batch is renamed once they stand, and goes last. What a killed run left is done again, with one outcome.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from evergreen.datasets.prediction_log.collection import Collected
from evergreen.datasets.prediction_log.segments import CLOSED, closed_segments
from evergreen.datasets.prediction_log.sinks import Sink
from evergreen.datasets.whole import upload
from evergreen.modelling.parameters import ScoringParameters
from evergreen.paths import is_remote, remove_folder
from evergreen.rows.canonical import canonical_text
from evergreen.schema import TableSpec

BATCH = "batch-"
DONE = "done-"
DATE = "date="
_HEAD = {"request_id": pa.string(), "entity_id": pa.string(), "timestamp": pa.timestamp("us")}
_HEAD |= {name: pa.string() for name in ("use_case", "model_version", "variant")}
_TAIL = {"probability": pa.float64(), "prediction": pa.int8(), "latency_ms": pa.float64()}
_ASKED = {"asked_keys": pa.string(), "asked_date": pa.date32(), "known_until": pa.date32()}
_DAYS_ASKED = {"asked_date": "date", "known_until": "known_until"}
_ROWS_TOGETHER = 50_000


def collect(
    log: Path,
    table: Path,
    spec: TableSpec,
    policy: ScoringParameters,
    today: dt.date,
    sinks: Sequence[Sink] = (),
) -> Collected:
    """Move every closed segment's lines into the table; one process at a time.

    Args:
        log: Folder of segments.
        table: Folder of the table, ``date=yyyy-mm-dd`` below it.
        spec: The features' kinds.
        policy: What is kept.
        today: The day to count retention back from.
        sinks: Who else takes the rows; a batch that one of them did not take stays, and is given to all again.

    Raises:
        EvergreenError: Where a sink takes nothing; the table has the rows by then.
    """
    log.mkdir(parents=True, exist_ok=True)
    rows, dates = 0, set()
    with FileLock(log / ".collecting"):
        if segments := closed_segments(log):
            batch = log / f"{BATCH}{uuid.uuid4().hex[:16]}"
            batch.mkdir()
            for segment in segments:
                segment.rename(batch / segment.name)
        for batch in sorted(log.glob(f"{BATCH}*")):
            for day, count in _write_batch(batch, table, spec, policy).items():
                rows += count
                dates.add(day)
            _pour(batch, sinks, spec, policy)
            batch.rename(log / f"{DONE}{batch.name}")
        for done in log.glob(f"{DONE}*"):
            shutil.rmtree(done)
        return Collected(rows, tuple(sorted(dates)), tuple(_expire(table, policy.retention_days, today)))


def _write_batch(batch: Path, table: Path, spec: TableSpec, policy: ScoringParameters) -> dict[dt.date, int]:
    """Write a batch under names that it alone decides; all files appear before the batch goes."""
    schema = _schema(spec, policy)
    writers: dict[dt.date, tuple[Path, Path, pq.ParquetWriter]] = {}
    counts: dict[dt.date, int] = {}
    for day, lines in _by_day(batch):
        if day not in writers:
            target = table / f"{DATE}{day.isoformat()}" / f"{batch.name.removeprefix(BATCH)}.parquet"
            temporary = _beside(target, batch)
            writers[day] = target, temporary, pq.ParquetWriter(temporary, schema)
        writers[day][2].write_table(pa.Table.from_pylist([_row(line, spec, policy) for line in lines], schema))
        counts[day] = counts.get(day, 0) + len(lines)
    for _, _, writer in writers.values():
        writer.close()
    for target, temporary, _ in writers.values():
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if is_remote(target):
            upload(temporary, target)
        else:
            temporary.replace(target)
    return counts


def _pour(batch: Path, sinks: Sequence[Sink], spec: TableSpec, policy: ScoringParameters) -> None:
    """Give a batch to the sinks, in parts that it alone decides."""
    schema = _schema(spec, policy)
    for number, (_, lines) in enumerate(_by_day(batch) if sinks else ()):
        rows = pa.Table.from_pylist([_row(line, spec, policy) for line in lines], schema)
        for sink in sinks:
            sink.write(batch.name, number, rows)


def _beside(target: Path, batch: Path) -> Path:
    """Where a file is written first: beside its place, or of a bucket in the batch's folder, which goes whole."""
    name = f".{target.name}.{os.getpid()}"
    if is_remote(target):
        return batch / f"{target.parent.name}{name}"
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*"):
        left.unlink()
    return target.with_name(name)


def _by_day(batch: Path) -> Iterator[tuple[dt.date, list[dict[str, Any]]]]:
    waiting: dict[dt.date, list[dict[str, Any]]] = {}
    for segment in sorted(batch.glob(f"*{CLOSED}")):
        for line in _lines(segment):
            day = dt.date.fromisoformat(line["timestamp"][:10])
            waiting.setdefault(day, []).append(line)
            if len(waiting[day]) >= _ROWS_TOGETHER:
                yield day, waiting.pop(day)
    yield from waiting.items()


def _lines(segment: Path) -> Iterator[dict[str, Any]]:
    """Whole lines; a torn last one was never answered."""
    with segment.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)


def _schema(spec: TableSpec, policy: ScoringParameters) -> pa.Schema:
    kinds = dict.fromkeys(spec.numeric, pa.float64()) | dict.fromkeys(spec.categorical, pa.string())
    return pa.schema(_HEAD | (kinds if policy.keep_features else {}) | _TAIL | _ASKED)


def _row(line: dict[str, Any], spec: TableSpec, policy: ScoringParameters) -> dict[str, Any]:
    features = line["features"]
    entity = _category(line.get("entity_id"))
    if entity is not None and policy.hash_entities:
        entity = hashlib.blake2b(entity.encode(), digest_size=16).hexdigest()
    row = {name: line.get(name) for name in (*_HEAD, *_TAIL)}
    row |= {"entity_id": entity, "timestamp": dt.datetime.fromisoformat(line["timestamp"]).replace(tzinfo=None)}
    row |= _asked(line.get("asked"), policy)
    row |= {name: features.get(name) for name in spec.numeric}
    return row | {name: _category(features.get(name)) for name in spec.categorical}


def _asked(asked: dict[str, Any] | None, policy: ScoringParameters) -> dict[str, Any]:
    """What was asked by key: keys as JSON, which name an entity and stay away where these are hashed."""
    if asked is None:
        return {}
    days = {name: dt.date.fromisoformat(asked[field]) for name, field in _DAYS_ASKED.items()}
    return days | {"asked_keys": None if policy.hash_entities else json.dumps(asked["keys"], sort_keys=True)}


def _category(value: Any) -> str | None:
    return None if value is None else canonical_text(value)


def _expire(table: Path, retention_days: int | None, today: dt.date) -> Iterator[dt.date]:
    if retention_days is None:
        return
    oldest = today - dt.timedelta(days=retention_days)
    for part in sorted(table.glob(f"{DATE}*")):
        day = dt.date.fromisoformat(part.name.removeprefix(DATE))
        if day < oldest:
            remove_folder(part)
            yield day
