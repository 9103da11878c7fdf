"""A table of features as parquet, of which Kedro-Viz shows the first rows."""

from __future__ import annotations

import json

from kedro_datasets._typing import TablePreview

from evergreen.datasets.own_table import OwnTableDataset


class FeaturesDataset(OwnTableDataset):
    """A table file with a preview."""

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, as Kedro-Viz takes them."""
        rows = self.load().limit(nrows).to_pandas()
        return TablePreview(json.loads(rows.to_json(orient="split", date_format="iso")))
