"""Records on disk: one JSON file, written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from pydantic import BaseModel

from evergreen.errors import EvergreenError


class RecordDataset(AbstractDataset[BaseModel, dict[str, Any]]):
    """A pydantic record as JSON; loads as a plain dict.

    Writes to a temporary name, then moves, so that a killed run leaves the former record.

    Args:
        filepath: Where the file lies.
        made_by: The command that writes it, for the message when it is missing.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(self, filepath: str, made_by: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self._made_by = made_by
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the record."""
        if not self._path.is_file():
            raise EvergreenError(f"{self._path} does not exist yet: run `{self._made_by}` first.")
        return dict(json.loads(self._path.read_text()))

    def save(self, data: BaseModel) -> None:
        """Write the record."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        temporary.write_text(data.model_dump_json(indent=2))
        temporary.replace(self._path)

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path), "made_by": self._made_by}
