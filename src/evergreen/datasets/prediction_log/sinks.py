"""Where else predictions go when the service's log is collected: a Delta table, a Kafka topic.

A batch that was not taken whole is given again: a Delta table remembers what it has of it, so that each row is there
once; a topic may have a row twice, under the same key, its ``request_id``.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pyarrow as pa

from evergreen.errors import EvergreenError

FLUSH_SECONDS = 30.0


class Sink(Protocol):
    """A further receiver of predictions."""

    def write(self, batch: str, number: int, rows: pa.Table) -> None:
        """Take the part of a batch with this number; the same part may come again.

        Raises:
            EvergreenError: Where it was not taken.
        """


class DeltaSink:
    """A Delta table; it and its folder are made where they are absent.

    Args:
        path: Folder or URL.
        storage_options: What the URL's file system takes.
    """

    def __init__(self, path: str, storage_options: dict[str, str] | None = None) -> None:
        _require("deltalake", "delta")
        self._path, self._options = path, storage_options

    def write(self, batch: str, number: int, rows: pa.Table) -> None:
        """Append the part, unless the table has it."""
        import deltalake

        try:
            if deltalake.DeltaTable.is_deltatable(self._path, self._options):
                table = deltalake.DeltaTable(self._path, storage_options=self._options)
                if (table.transaction_version(batch) or 0) >= number + 1:
                    return
            taken = deltalake.CommitProperties(app_transactions=[deltalake.Transaction(batch, number + 1)])
            deltalake.write_deltalake(
                self._path,
                rows,
                mode="append",
                schema_mode="merge",
                storage_options=self._options,
                commit_properties=taken,
            )
        except (deltalake.exceptions.DeltaError, OSError) as error:
            raise EvergreenError(
                f"predictions were not written to the Delta table ({type(error).__name__}): they are collected, and "
                "given to it again by the next collection."
            ) from error


class KafkaSink:
    """A Kafka topic: one JSON object a prediction, under its ``request_id``.

    Args:
        topic: Its name.
        settings: librdkafka's, such as ``bootstrap.servers``.
        credentials: Further ones that are secret, such as ``sasl.password``.
        producer: Makes the producer from all of them; default: confluent-kafka's.
    """

    def __init__(
        self,
        topic: str,
        settings: Mapping[str, Any],
        credentials: Mapping[str, Any] | None = None,
        producer: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        if producer is None:
            _require("confluent_kafka", "kafka")
        self._topic, self._make = topic, producer
        self._settings = {"enable.idempotence": True, "acks": "all", **settings, **(credentials or {})}
        self._producer: Any = None

    def write(self, batch: str, number: int, rows: pa.Table) -> None:  # noqa: ARG002 - rows carry their own keys
        """Send the part and wait until the brokers have it."""
        if self._producer is None:
            self._producer = self._made()
        failed: list[Any] = []

        def told(error: Any, _: Any) -> None:
            if error is not None:
                failed.append(error)

        for row in rows.to_pylist():
            value = json.dumps(row, default=str).encode()
            while not self._sent(row["request_id"], value, told):
                self._producer.poll(0.1)
        left = self._producer.flush(FLUSH_SECONDS)
        if left or failed:
            self._producer = None
            raise EvergreenError(
                f"{left + len(failed)} of {rows.num_rows} predictions were not taken by the Kafka topic {self._topic}: "
                "they are collected, and sent to it again by the next collection."
            )

    def _sent(self, key: str, value: bytes, told: Callable[[Any, Any], None]) -> bool:
        try:
            self._producer.produce(self._topic, key=key, value=value, on_delivery=told)
        except BufferError:
            return False
        return True

    def _made(self) -> Any:
        if self._make is not None:
            return self._make(self._settings)
        import confluent_kafka

        return confluent_kafka.Producer(self._settings)


SINKS: dict[str, Callable[..., Sink]] = {"delta": DeltaSink, "kafka": KafkaSink}


def sinks_of(described: Mapping[str, Mapping[str, Any]]) -> list[Sink]:
    """The sinks that a catalog entry describes.

    Args:
        described: Kind of sink → its arguments.

    Raises:
        EvergreenError: Where there is no such kind, its arguments are wrong, or its library is missing.
    """
    found = []
    for kind, arguments in described.items():
        if kind not in SINKS:
            raise EvergreenError(f"prediction_log has a sink {kind}, allowed: {', '.join(SINKS)}; correct the catalog.")
        try:
            found.append(SINKS[kind](**arguments))
        except TypeError as error:
            raise EvergreenError(f"the sink {kind} of prediction_log can't be made ({error}): correct it.") from error
    return found


def _require(module: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise EvergreenError(f"this sink needs {module}: install Evergreen with the extra `{extra}`.")
