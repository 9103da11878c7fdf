"""A table of features as parquet, of which Kedro-Viz shows the first rows."""

from __future__ import annotations

import json

from kedro_datasets._typing import TablePreview
from kedro_datasets.ibis import FileDataset


class FeaturesDataset(FileDataset):
    """``ibis.FileDataset`` with a preview."""

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, as Kedro-Viz takes them."""
        rows = self.load().limit(nrows).to_pandas()
        return TablePreview(json.loads(rows.to_json(orient="split", date_format="iso")))
