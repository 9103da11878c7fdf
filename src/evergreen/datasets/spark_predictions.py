"""Predictions that Spark's executors make and write: rows go neither to nor through the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evergreen.datasets.predictions import NO_ROWS, PredictionsDataset
from evergreen.datasets.spark import folder_put_into_place
from evergreen.errors import EvergreenError
from evergreen.paths import is_remote
from evergreen.predictions import Predictions, Scoring


class SparkPredictionsDataset(PredictionsDataset):
    """A folder with one hive partition per ``as_of``, each a folder of parquet that executors have written.

    The model goes to them as plain arrays; their Python needs Evergreen installed, and they reach the folder under the
    same name. A partition is written under another name and then moved. In a bucket, and where the rows do not lie on
    Spark, predictions are made in this process.
    """

    def save(self, data: Predictions) -> None:
        """Score on the executors and put the partition of ``as_of`` into place.

        Raises:
            EvergreenError: The table holds no row.
        """
        scoring = data.scoring
        if scoring is None or scoring.rows.get_backend().name != "pyspark" or is_remote(str(self.folder)):
            super().save(data)
            return
        target = self.folder / f"as_of={data.as_of.isoformat()}"
        with folder_put_into_place(target, data.as_of.isoformat()) as fresh:
            _write(scoring, fresh)
            if not any(pq.read_metadata(file).num_rows for file in fresh.glob("*.parquet")):
                raise EvergreenError(NO_ROWS.format(as_of=data.as_of))


def _write(scoring: Scoring, folder: Path) -> None:
    from pyspark.sql.pandas.types import from_arrow_schema

    rows, scorer = scoring.rows, scoring.scorer()
    schema = predictions_schema(rows, scorer)
    frame = rows.get_backend()._session.sql(ibis.to_sql(rows))

    def predict(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                found = pa.Table.from_pandas(scorer(batch.to_pandas()), schema=schema, preserve_index=False)
                yield from found.to_batches()

    scored = frame.mapInArrow(predict, from_arrow_schema(schema))
    scored.write.parquet(folder.as_uri(), mode="overwrite")


def predictions_schema(rows: ir.Table, scorer: Callable[[pd.DataFrame], pd.DataFrame]) -> pa.Schema:
    """Types of the predictions of a table: of its own columns as they are there, of the others as they are made."""
    types = rows.schema().to_pyarrow()
    one = pd.DataFrame({name: _example(types.field(name).type) for name in types.names}, index=[0])
    made = pa.Table.from_pandas(scorer(one), preserve_index=False).schema
    return pa.schema([types.field(field.name) if field.name in types.names else _in_micros(field) for field in made])


def _in_micros(field: pa.Field) -> pa.Field:
    """A moment as Spark keeps it: pandas makes a day one of whole seconds, which Spark does not know."""
    return field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field


def _example(kind: pa.DataType) -> Any:
    if pa.types.is_temporal(kind):
        return pd.Timestamp("2000-01-01")
    return np.nan if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else 0
