"""Kedro's file datasets, written whole or not at all: to a temporary name, then moved."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from kedro_datasets.pandas import CSVDataset, ParquetDataset
from kedro_datasets.plotly import JSONDataset
from kedro_datasets.text import TextDataset


class WholeFile:
    """Mix-in for a dataset of one local file: a run that is killed while saving leaves the former file."""

    _filepath: PurePosixPath

    def save(self, data: Any) -> None:
        """Save under a temporary name in the same folder, then move."""
        target = Path(self._filepath)
        temporary = target.with_name(f".{os.getpid()}.{target.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._filepath = PurePosixPath(temporary)
        try:
            super().save(data)  # type: ignore[misc]  # the dataset that this is mixed into
            temporary.replace(target)
        finally:
            self._filepath = PurePosixPath(target)
            temporary.unlink(missing_ok=True)


class FrameDataset(WholeFile, ParquetDataset):
    """A DataFrame as parquet."""


class TableDataset(WholeFile, CSVDataset):
    """A DataFrame as CSV, for people and spreadsheets."""


class PictureDataset(WholeFile, JSONDataset):
    """A Plotly figure, which Kedro-Viz previews."""


class PageDataset(WholeFile, TextDataset):
    """Text: markdown, HTML, metrics."""
