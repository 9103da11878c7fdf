"""A model's probabilities for many rows: batch by batch in bounded memory, or where the rows lie."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.modelling.compiled_model import CompiledModel
from evergreen.modelling.expression import NoExpressionError, with_probability
from evergreen.modelling.parameters import ScoringParameters
from evergreen.predictions import ScoredBy
from evergreen.schema import TableSpec

Predict = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class TableScoring:
    """How a table becomes predictions, here or where it lies.

    They have ``request_id, entity_id, timestamp, use_case, model_version, variant, <features>, probability,
    prediction, latency_ms`` (milliseconds of model time a row, averaged over the batch; null where an engine computes).

    Attributes:
        table: The table; one column per key and feature of ``spec``.
        spec: Its description.
        predict: Features (n, p) → probability of class 1, shape (n,), in this process.
        by: Who makes the predictions.
        policy: Batch size and what is kept.
        compiled: The same in plain form, for other places; None where the model has no such form.
        algorithm: The model's algorithm, for errors.
    """

    table: ir.Table
    spec: TableSpec
    predict: Predict
    by: ScoredBy
    policy: ScoringParameters
    compiled: CompiledModel | None = None
    algorithm: str = "the model"

    @property
    def rows(self) -> ir.Table:
        """Keys and features, lazily."""
        return self.table.select(list(dict.fromkeys([*self.spec.keys, *self.spec.features])))

    def batches(self) -> Iterator[pd.DataFrame]:
        """The predictions, without holding the table in memory."""
        for batch in self.rows.to_pyarrow_batches(chunk_size=self.policy.batch_rows):
            if batch.num_rows:
                yield score_batch(batch.to_pandas(), self.spec, self.predict, self.by, self.policy)

    def scorer(self) -> Callable[[pd.DataFrame], pd.DataFrame]:
        """Rows → their predictions, to be sent to other processes."""
        predict = self.compiled or self.predict
        return partial(score_batch, spec=self.spec, predict=predict, by=self.by, policy=self.policy)

    def statement(self) -> ir.Table:
        """The predictions as an expression of the table's engine, without ``latency_ms``' milliseconds.

        Raises:
            NoExpressionError: The model has no such form, or entities are to be hashed.
        """
        if self.compiled is None:
            raise NoExpressionError(f"{self.algorithm} has no plain form, so no statement can score with it.")
        if self.policy.hash_entities:
            raise NoExpressionError("`hash_entities` asks for BLAKE2b digests, which no statement computes.")
        scored = with_probability(self.rows, self.compiled.compiled, self.algorithm)
        return scored.select(**_columns(scored, self.spec, self.by, self.policy))


def _columns(scored: ir.Table, spec: TableSpec, by: ScoredBy, policy: ScoringParameters) -> dict[str, ir.Value]:
    entity = scored[spec.entity].cast("string")
    timestamp = scored[spec.date].cast("timestamp") if spec.date else ibis.timestamp(by.as_of.isoformat())
    request = ibis.literal(f"{by.use_case}-{by.as_of:%Y%m%d}-") + entity
    return {
        "request_id": request + "-" + timestamp.strftime("%Y%m%d") if spec.panel else request,
        "entity_id": entity,
        "timestamp": timestamp,
        "use_case": ibis.literal(by.use_case),
        "model_version": ibis.literal(by.version),
        "variant": ibis.literal("champion"),
        **({name: scored[name] for name in spec.features} if policy.keep_features else {}),
        "probability": scored.probability,
        "prediction": (scored.probability >= by.threshold).cast("int8"),
        "latency_ms": ibis.null("float64"),
    }


def score_batch(
    rows: pd.DataFrame, spec: TableSpec, predict: Predict, by: ScoredBy, policy: ScoringParameters
) -> pd.DataFrame:
    """The predictions of some rows, with the columns of :class:`TableScoring`."""
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
