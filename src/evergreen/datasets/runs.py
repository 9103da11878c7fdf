"""The MLflow runs of a use case as a load-only catalog entry."""

from __future__ import annotations

from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from evergreen import registry


class RunsDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """One row per algorithm that was trained, newest first; see :func:`evergreen.registry.runs`.

    Args:
        use_case: The use case.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(self, use_case: str, metadata: dict[str, Any] | None = None) -> None:
        self._use_case = use_case
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """All runs; an empty frame before the first."""
        return registry.runs(self._use_case)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: runs are made by training."""
        raise DatasetError(f"{self._use_case}: runs are logged by training, not saved through the catalog.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"use_case": self._use_case}
