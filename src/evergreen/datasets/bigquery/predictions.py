"""Predictions in BigQuery: made there by a statement where the model has one, else here and uploaded."""

from __future__ import annotations

import datetime as dt
import io
import logging
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from kedro_datasets.ibis import TableDataset

from evergreen.datasets.bigquery.tables import BigQueryTableDataset
from evergreen.datasets.bigquery.warehouse import read_warehouse
from evergreen.datasets.predictions import NO_ROWS
from evergreen.errors import EvergreenError
from evergreen.predictions import Predictions

logger = logging.getLogger("evergreen.datasets")


class BigQueryPredictionsDataset(TableDataset):
    """A table of predictions, partitioned by ``as_of``; saving an ``as_of`` again replaces its partition at once.

    Args:
        table: Name of the table, in the warehouse's ``features_dataset``.
        connection: Fields of ``Warehouse``, those of the sources.
        credentials: Fields of ``WarehouseCredentials``.
        where: ``auto``: what no statement can express is scored here and uploaded, which is said; ``warehouse``: it is
            refused, so that no row leaves the warehouse; ``here``: everything is scored here and uploaded.
        keep_days: After so many days BigQuery deletes a partition; None: never. It is set when the table is made.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        *,
        table: str,
        connection: dict[str, Any],
        credentials: dict[str, Any] | None = None,
        where: Literal["auto", "warehouse", "here"] = "auto",
        keep_days: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(table_name=table, connection=connection, credentials=credentials)
        self.metadata = metadata
        self._warehouse = read_warehouse(self._connection_config)
        self._where, self._keep_days = where, keep_days

    _connect = BigQueryTableDataset._connect

    def load(self) -> ir.Table:
        """The lazy table of all predictions."""
        return self.connection.table(self._table_name, database=self._warehouse.home)

    def save(self, data: Predictions) -> None:
        """Make the predictions of an ``as_of`` and put them into its partition.

        Raises:
            EvergreenError: The table holds no row, or ``where`` is ``warehouse`` and the model has no statement.
        """
        statement = self._statement(data)
        if data.scoring is not None and statement is not None:
            if not self.connection.execute(data.scoring.rows.count()):
                raise EvergreenError(NO_ROWS.format(as_of=data.as_of))
            self._replace(statement, data.as_of)
            return
        staged = f"{self._table_name}_upload"
        try:
            self._upload(data, staged)
            self._replace(self.connection.table(staged, database=self._warehouse.home), data.as_of)
        finally:
            self.connection.drop_table(staged, database=self._warehouse.home, force=True)

    def _statement(self, data: Predictions) -> ir.Table | None:
        """The predictions as an expression of the warehouse; None where they must be made here."""
        scoring = data.scoring
        if self._where == "here" or scoring is None or scoring.rows.get_backend() is not self.connection:
            return None
        try:
            return scoring.statement()
        except EvergreenError as refusal:
            if self._where == "warehouse":
                raise
            logger.warning("Scoring here, and uploading to %s: %s", self._table_name, refusal)
            return None

    def _upload(self, data: Predictions, staged: str) -> None:
        from google.cloud import bigquery
        from ibis.backends.bigquery.datatypes import BigQuerySchema

        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
        client = self.connection.client
        path = f"{client.project}.{self._warehouse.path_of(staged, features=True)}"
        client.delete_table(path, not_found_ok=True)
        schema = None
        for batch in data.batches:
            table = pa.Table.from_pandas(batch, schema=schema, preserve_index=False)
            if schema is None:
                schema = table.schema
                columns = BigQuerySchema.from_ibis(ibis.schema(schema))
                client.create_table(bigquery.Table(path, schema=columns))
            file = io.BytesIO()
            pq.write_table(table, file)
            client.load_table_from_file(file, path, rewind=True, job_config=config).result()
        if schema is None:
            raise EvergreenError(NO_ROWS.format(as_of=data.as_of))

    def _replace(self, fresh: ir.Table, as_of: dt.date) -> None:
        fresh = fresh.mutate(as_of=ibis.date(as_of.isoformat()))
        home, path = self._warehouse.home, self._warehouse.path_of(self._table_name, features=True)
        if not self._exists():
            self.connection.create_table(self._table_name, fresh, database=home, partition_by=["as_of"])
            if self._keep_days:
                self.connection.raw_sql(
                    f"alter table `{path}` set options (partition_expiration_days={self._keep_days})"
                )
            return
        for statement in _statements(fresh, self.load(), path, as_of):
            self.connection.raw_sql(statement)

    def _exists(self) -> bool:
        return bool(self.connection.has_table(self._warehouse.path_of(self._table_name, features=True)))

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table_name, "where": self._where, **self._warehouse.public()}


def _statements(fresh: ir.Table, kept: ir.Table, path: str, as_of: dt.date) -> list[str]:
    """Columns that another version's predictions lacked, then one atomic statement that replaces a partition."""
    from ibis.backends.bigquery.datatypes import BigQueryType

    new = [name for name in fresh.columns if name not in kept.columns]
    types, known = fresh.schema(), kept.schema()
    fresh = fresh.cast({name: known[name] for name in fresh.columns if name in known and known[name] != types[name]})
    added = [
        f"alter table `{path}` add column if not exists `{name}` {BigQueryType.to_string(types[name])}" for name in new
    ]
    columns = ", ".join(f"`{name}`" for name in fresh.columns)
    merge = (
        f"merge into `{path}` as kept using ({ibis.to_sql(fresh, pretty=False)}) as fresh on false "
        f"when not matched by source and kept.as_of = date '{as_of.isoformat()}' then delete "
        f"when not matched then insert ({columns}) values ({columns})"
    )
    return [*added, merge]
