"""The service's log and the table of its predictions, as catalog entries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import ibis
import ibis.expr.types as ir
from kedro.io import AbstractDataset, DatasetError

from evergreen.datasets.prediction_log.compaction import DATE, Collected, CollectionPolicy, collect
from evergreen.errors import EvergreenError
from evergreen.schema import TableSpec


@dataclass(frozen=True)
class PredictionLog:
    """Where a service writes its log, and the table that it is collected into."""

    folder: Path
    table: Path

    def collect(self, spec: TableSpec, policy: CollectionPolicy, today: dt.date) -> Collected:
        """Move every closed segment's lines into the table."""
        return collect(self.folder, self.table, spec, policy, today)


class PredictionLogDataset(AbstractDataset[NoReturn, PredictionLog]):
    """The log of a use case's service; its workers write it, ``collect_predictions`` empties it.

    Args:
        filepath: Folder of the log's segments.
        table: Folder of the table.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(self, filepath: str, table: str, metadata: dict[str, Any] | None = None) -> None:
        self._log = PredictionLog(Path(filepath), Path(table))
        self.metadata = metadata

    def load(self) -> PredictionLog:
        """The log; it need not hold anything."""
        return self._log

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the service's workers write the log."""
        raise DatasetError(f"{self._log.folder} is written by the workers of `kedro serve` alone.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._log.folder), "table": str(self._log.table)}


class ServicePredictionsDataset(AbstractDataset[NoReturn, ir.Table]):
    """What the service answered, one row a prediction, with the ``date`` that it was made on (UTC).

    Args:
        filepath: The folder, ``date=yyyy-mm-dd`` below it.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self.folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> ir.Table:
        """All predictions, as an Ibis table on a DuckDB of its own.

        Raises:
            EvergreenError: Where nothing was collected yet.
        """
        if not self._exists():
            raise EvergreenError(
                f"{self.folder} holds no predictions of the service yet: run "
                "`kedro run --pipeline=collect_predictions` once it has answered something."
            )
        files = f"{self.folder}/{DATE}*/*.parquet"
        table = ibis.duckdb.connect().read_parquet(files, hive_partitioning=True, union_by_name=True)
        return table.mutate(date=table["date"].cast("date"))

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the log is collected into it."""
        raise DatasetError(f"{self.folder} is filled by `kedro run --pipeline=collect_predictions` alone.")

    def _exists(self) -> bool:
        return any(self.folder.glob(f"{DATE}*/*.parquet"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.folder)}
