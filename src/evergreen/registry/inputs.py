"""Which rows did a run look at? The dataset inputs of MLflow's runs: name, digest, size, and no row of theirs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import mlflow
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

LONGEST_DIGEST = 36  # of MLflow


@dataclass(frozen=True)
class UsedRows:
    """Rows of a catalog entry that a run learnt from, was tested on, or watched.

    Attributes:
        entry: The catalog entry that they come from, for instance ``churn.features``.
        digest: What tells them from other rows.
        rows: How many.
        features: How many columns of them are features.
        context: What they were used for.
    """

    entry: str
    digest: str
    rows: int
    features: int
    context: Literal["training", "testing", "monitoring"]


class _TableInput(MetaDataset):
    """A dataset of which MLflow is told the size, too."""

    def __init__(self, used: UsedRows) -> None:
        self._used = used
        source = CodeDatasetSource({"catalog_entry": used.entry})
        super().__init__(source, f"{used.entry} ({used.context})", used.digest[:LONGEST_DIGEST])

    @property
    def profile(self) -> dict[str, int]:
        """Its size."""
        return {"num_rows": self._used.rows, "num_features": self._used.features}

    def to_dict(self) -> dict[str, str]:
        """What MLflow keeps of it."""
        return {**super().to_dict(), "profile": json.dumps(self.profile)}


def note_rows(used: UsedRows, *runs: str) -> None:
    """Let the runs, and the one that is active, name the rows as their input; once each, however often it is said."""
    active = mlflow.active_run()
    noted = DatasetInput(_TableInput(used)._to_mlflow_entity(), [InputTag(MLFLOW_DATASET_CONTEXT, used.context)])
    for run in dict.fromkeys([*runs, *([active.info.run_id] if active else [])]):
        MlflowClient().log_inputs(run, [noted])


def digest_of(parts: Iterable[str]) -> str:
    """A digest of texts that say all there is to say of rows."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
