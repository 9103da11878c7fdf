"""A model's probabilities for many rows, batch by batch in bounded memory."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.modelling.parameters import ScoringParameters
from evergreen.predictions import ScoredBy
from evergreen.schema import TableSpec

Predict = Callable[[pd.DataFrame], np.ndarray]


def score_table(
    rows: ir.Table, spec: TableSpec, predict: Predict, by: ScoredBy, policy: ScoringParameters
) -> Iterator[pd.DataFrame]:
    """Score a table without holding it in memory.

    Args:
        rows: The table; one column per key and feature of ``spec``.
        spec: Its description.
        predict: Features (n, p) → probability of class 1, shape (n,).
        by: Who makes the predictions.
        policy: Batch size and what is kept.

    Yields:
        ``request_id, entity_id, timestamp, use_case, model_version, variant, <features>, probability,
        prediction, latency_ms`` (milliseconds of model time a row, averaged over the batch).
    """
    columns = list(dict.fromkeys([*spec.keys, *spec.features]))
    reader = rows.select(columns).to_pyarrow_batches(chunk_size=policy.batch_rows)
    for batch in reader:
        if batch.num_rows:
            yield _score_batch(batch.to_pandas(), spec, predict, by, policy)


def _score_batch(
    rows: pd.DataFrame, spec: TableSpec, predict: Predict, by: ScoredBy, policy: ScoringParameters
) -> pd.DataFrame:
    began = time.perf_counter()
    probability = predict(rows[spec.features])
    latency_ms = (time.perf_counter() - began) * 1000 / len(rows)
    entity = rows[spec.entity].astype(str)
    if policy.hash_entities:
        entity = entity.map(lambda value: hashlib.blake2b(value.encode(), digest_size=16).hexdigest())
    timestamp = pd.to_datetime(rows[spec.date]) if spec.date else pd.Series(pd.Timestamp(by.as_of), rows.index)
    own_day = "-" + timestamp.dt.strftime("%Y%m%d") if spec.panel else ""
    head = pd.DataFrame(
        {
            "request_id": f"{by.use_case}-{by.as_of:%Y%m%d}-" + entity + own_day,
            "entity_id": entity,
            "timestamp": timestamp,
            "use_case": by.use_case,
            "model_version": by.version,
            "variant": "champion",
        }
    )
    kept = rows[spec.features] if policy.keep_features else rows[[]]
    tail = pd.DataFrame(
        {
            "probability": probability,
            "prediction": (probability >= by.threshold).astype(np.int8),
            "latency_ms": latency_ms,
        },
        index=rows.index,
    )
    return pd.concat([head, kept, tail], axis=1)
