"""What windows leave behind: a history of one parquet file a window and version, and counts in one file."""

from __future__ import annotations

from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from evergreen.datasets.whole import written_whole
from evergreen.monitoring.past.counts import no_counts
from evergreen.paths import place, storage_options
from evergreen.rows.spans import by_hours


class HistoryDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """Rows of many windows in a folder, one file per last day or hour (``window_end``) and champion (``version``).

    Args:
        filepath: The folder, on this machine or in a bucket.
        credentials: Of the bucket in which it lies.
        fs_args: What else the bucket's file system takes.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        filepath: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = place(filepath, credentials, fs_args)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """All windows, oldest first; an empty frame before the first."""
        files = sorted(self._folder.glob("*.parquet"))
        frames = [pd.read_parquet(str(file), storage_options=storage_options(file)) for file in files]
        return (
            pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"window_end": pd.Series(dtype="M8[us]")})
        )

    def save(self, data: pd.DataFrame) -> None:
        """Write one file per window, whole or not at all."""
        for (end, version), rows in data.groupby(["window_end", "version"]):
            last = pd.Timestamp(str(end))
            name = f"{last:{'%Y-%m-%dT%H' if by_hours(last) else '%Y-%m-%d'}}-version-{version}.parquet"
            with written_whole(self._folder / name) as temporary:
                rows.to_parquet(temporary, index=False)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "files": "one per window_end and version"}


class CountsDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """Counts of all windows in one compressed file; before the first window a frame without rows.

    Args:
        filepath: The file, on this machine or in a bucket.
        credentials: Of the bucket in which it lies.
        fs_args: What else the bucket's file system takes.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        filepath: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._file = place(filepath, credentials, fs_args)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """All windows, oldest first."""
        if not self._file.is_file():
            return no_counts()
        return pd.read_parquet(str(self._file), storage_options=storage_options(self._file))

    def save(self, data: pd.DataFrame) -> None:
        """Write them whole or not at all."""
        with written_whole(self._file) as temporary:
            data.to_parquet(temporary, index=False, compression="zstd")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._file)}
