"""Predictions as one parquet file per ``as_of``, streamed in and written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview

from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.paths import place, storage_options
from evergreen.predictions import Predictions

NO_ROWS = (
    "predictions as of {as_of}: the table to score holds no row, at least one is needed; check that the "
    "source tables are fresh."
)


class PredictionsDataset(AbstractDataset[Predictions, pd.DataFrame]):
    """A folder with one hive partition per ``as_of``; saving an ``as_of`` again replaces its partition.

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
        self.folder = place(filepath, credentials, fs_args)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """All predictions, with their ``as_of``."""
        return pd.read_parquet(str(self.folder), storage_options=storage_options(self.folder))

    def save(self, data: Predictions) -> None:
        """Stream the batches into the partition of their ``as_of``."""
        target = self.folder / f"as_of={data.as_of.isoformat()}" / "predictions.parquet"
        with written_whole(target) as temporary:
            _write(data, temporary)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows of the newest ``as_of``, as Kedro-Viz takes them."""
        newest = max(self.folder.glob("as_of=*/*.parquet"))
        with newest.open("rb") as opened, pq.ParquetFile(opened) as file:
            rows = next(file.iter_batches(batch_size=nrows)).to_pandas()
        return TablePreview(json.loads(rows.to_json(orient="split", date_format="iso")))

    def _exists(self) -> bool:
        return any(self.folder.glob("as_of=*/*.parquet"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.folder)}


def _write(data: Predictions, file: Path) -> None:
    first = next(data.batches, None)
    if first is None:
        raise EvergreenError(NO_ROWS.format(as_of=data.as_of))
    table = pa.Table.from_pandas(first, preserve_index=False)
    with pq.ParquetWriter(file, table.schema) as writer:
        writer.write_table(table)
        for batch in data.batches:
            writer.write_table(pa.Table.from_pandas(batch, schema=table.schema, preserve_index=False))
