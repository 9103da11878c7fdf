"""The service's log and the table of its predictions, as catalog entries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import ibis
import ibis.expr.types as ir
from kedro.io import AbstractDataset, DatasetError

from evergreen.datasets.lazy_parquet import lazy_parquet
from evergreen.datasets.prediction_log.collection import Collected
from evergreen.datasets.prediction_log.compaction import DATE, collect
from evergreen.datasets.prediction_log.sinks import Sink, sinks_of
from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.modelling.parameters import ScoringParameters
from evergreen.paths import place
from evergreen.schema import TableSpec


@dataclass(frozen=True)
class PredictionLog:
    """Where a service writes its log, and the table that it is collected into."""

    folder: Path
    table: Path
    sinks: tuple[Sink, ...] = ()

    def collect(self, spec: TableSpec, policy: ScoringParameters, today: dt.date) -> Collected:
        """Move every closed segment's lines into the table."""
        return collect(self.folder, self.table, spec, policy, today, self.sinks)


class PredictionLogDataset(AbstractDataset[NoReturn, PredictionLog]):
    """The log of a use case's service; its workers write it, ``collect_predictions`` empties it.

    Args:
        filepath: Folder of the log's segments, on this machine.
        table: Folder of the table, on this machine or in a bucket.
        credentials: Of the bucket in which the table lies.
        fs_args: What else the bucket's file system takes.
        sinks: Who else takes predictions: ``delta: {path: …}``, ``kafka: {topic: …, settings: …, credentials: …}``.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        filepath: str,
        table: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        sinks: dict[str, dict[str, Any]] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._log = PredictionLog(place(filepath), place(table, credentials, fs_args), tuple(sinks_of(sinks or {})))
        self.metadata = metadata

    def load(self) -> PredictionLog:
        """The log; it need not hold anything."""
        return self._log

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the service's workers write the log."""
        raise DatasetError(f"{self._log.folder} is written by the service's workers alone.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._log.folder), "table": str(self._log.table)}


class ServicePredictionsDataset(AbstractDataset[NoReturn, ir.Table | None]):
    """What the service answered, one row a prediction, with the ``date`` that it was made on (UTC).

    Labels that arrive apart are joined: by ``request_id``, or by ``entity_id`` and ``date``; of several the one that
    was observed last counts.

    Args:
        filepath: The folder, ``date=yyyy-mm-dd`` below it.
        labels: Parquet file, or folder of such, with ``label``, ``observed_at`` and ``request_id`` or ``entity_id`` and
            ``date``; need not be there.
        credentials: Of the bucket in which both lies.
        fs_args: What else the bucket's file system takes.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        filepath: str,
        labels: str | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.folder = place(filepath, credentials, fs_args)
        self._labels = place(labels, credentials, fs_args) if labels else None
        self.metadata = metadata

    def load(self) -> ir.Table | None:
        """All predictions with ``label`` and ``observed_at``, on a DuckDB of its own; None where there are none yet.

        Raises:
            EvergreenError: Where the labels lack a column.
        """
        files = sorted(self.folder.glob(f"{DATE}*/*.parquet"), key=str)
        if not files:
            return None
        connection = ibis.duckdb.connect()
        table = lazy_parquet(connection, files, hive_partitioning=True, union_by_name=True)
        table = table.mutate(date=table["date"].cast("date"))
        labels = self._label_files()
        if not labels:
            return table.mutate(label=ibis.null("string"), observed_at=ibis.null("timestamp"))
        return _labelled(table, lazy_parquet(connection, labels, union_by_name=True), str(self._labels))

    def _label_files(self) -> list[Path]:
        if self._labels is None or not self._labels.exists():
            return []
        return sorted(self._labels.rglob("*.parquet"), key=str) if self._labels.is_dir() else [self._labels]

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the log is collected into it."""
        raise DatasetError(f"{self.folder} is filled by `{command('kedro run --pipeline=collect_predictions')}` alone.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.folder)}


def _labelled(predictions: ir.Table, labels: ir.Table, where: str) -> ir.Table:
    """Predictions with the label that was observed last for each, null where none has arrived."""
    by_request = "request_id" in labels.columns
    keys = ["request_id"] if by_request else ["entity_id", "date"]
    lacking = [name for name in [*keys, "label", "observed_at"] if name not in labels.columns]
    if lacking:
        raise EvergreenError(
            f"labels at {where} lack {', '.join(lacking)}: label, observed_at and request_id, or entity_id and date, "
            "are needed."
        )
    kinds = {"request_id": "string", "entity_id": "string", "date": "date", "observed_at": "timestamp"}
    labels = labels.mutate(**{name: labels[name].cast(kinds[name]) for name in [*keys, "observed_at"]})
    newest = labels.group_by(keys).agg(
        label=labels["label"].argmax(labels["observed_at"]), observed_at=labels["observed_at"].max()
    )
    joined = predictions.left_join(newest, keys)
    return joined.select(*predictions.columns, "label", "observed_at")
