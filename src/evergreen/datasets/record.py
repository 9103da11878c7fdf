"""Records on disk: one JSON file of a kind that is known, written whole or not at all."""

from __future__ import annotations

import logging
from typing import Any

from kedro.io import AbstractDataset
from pydantic import ValidationError

from evergreen.datasets.prediction_log.collection import CollectionRecord
from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.evaluation.judge import EvaluationRecord
from evergreen.experiments.record import ExperimentRecord
from evergreen.invocation import command
from evergreen.modelling.record import TrainingRecord
from evergreen.monitoring.record import MonitoringRecord, WindowProfile
from evergreen.monitoring.skew import SkewAuditRecord
from evergreen.paths import place
from evergreen.records import Record
from evergreen.reporting.dashboard.records import ServiceStatus
from evergreen.reporting.index import ContentsRecord
from evergreen.reporting.serving import ServingRecord
from evergreen.retraining.backtest.record import BacktestRecord
from evergreen.retraining.gate import QualityGate
from evergreen.retraining.record import ChallengerRecord, RetrainingRecord, ValidationRecord
from evergreen.retraining.trigger import RetrainingTrigger

logger = logging.getLogger("evergreen.datasets")

# Kind of record, as the catalog names it → its model.
RECORDS: dict[str, type[Record]] = {
    "training": TrainingRecord,
    "evaluation": EvaluationRecord,
    "contents": ContentsRecord,
    "serving": ServingRecord,
    "monitoring": MonitoringRecord,
    "window_profile": WindowProfile,
    "quality_gate": QualityGate,
    "trigger": RetrainingTrigger,
    "challenger": ChallengerRecord,
    "validation": ValidationRecord,
    "retraining": RetrainingRecord,
    "collection": CollectionRecord,
    "skew_audit": SkewAuditRecord,
    "experiment": ExperimentRecord,
    "policy_backtest": BacktestRecord,
    "service": ServiceStatus,
}


class RecordDataset(AbstractDataset[Record, Record | None]):
    """A record as JSON, read back as the record that it was.

    Writes to a temporary name, then moves, so that a killed run leaves the former record.

    Args:
        filepath: Where the file lies.
        made_by: The command that writes it, for the message when it is missing; what the present run's environment
            adds to it is added.
        record: The kind of record, a key of ``RECORDS``; by default the file's name.
        optional: Whether a record that is missing, or of another version of the project, loads as None.
        credentials: Of the bucket in which it lies.
        fs_args: What else the bucket's file system takes.
        metadata: Kedro-Viz and documentation; not read here.

    Raises:
        EvergreenError: Where there is no such kind of record.
    """

    def __init__(
        self,
        filepath: str,
        made_by: str,
        record: str | None = None,
        optional: bool = False,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path = place(filepath, credentials, fs_args)
        self._made_by = made_by
        self._kind = record or self._path.stem
        self._optional = optional
        self.metadata = metadata
        if self._kind not in RECORDS:
            raise EvergreenError(
                f"{self._path.name}: there is no record of the kind {self._kind!r}; set `record` to one of "
                f"{', '.join(RECORDS)}."
            )

    def load(self) -> Record | None:
        """Read the record.

        Raises:
            EvergreenError: Where it is missing, or not what this version of the project writes.
        """
        if not self._path.is_file():
            if self._optional:
                return None
            raise EvergreenError(f"{self._path} does not exist yet: run `{command(self._made_by)}` first.")
        try:
            return RECORDS[self._kind].model_validate_json(self._path.read_bytes())
        except ValidationError as error:
            found = f"{self._path} is not a {self._kind} record of this version ({_first_fault(error)})"
            if self._optional:
                logger.warning("%s: not read.", found)
                return None
            raise EvergreenError(f"{found}: run `{command(self._made_by)}` again.") from error

    def save(self, data: Record) -> None:
        """Write the record."""
        with written_whole(self._path) as temporary:
            temporary.write_text(data.model_dump_json(indent=2))

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path), "record": self._kind, "made_by": self._made_by}


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" if fault["loc"] else fault["msg"]
