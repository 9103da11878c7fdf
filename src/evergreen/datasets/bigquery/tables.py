"""The catalog connectors: a table that dbt has built, and a table of features that is computed beside it."""

from __future__ import annotations

import datetime as dt
from typing import Any, NoReturn

import ibis
import ibis.expr.types as ir
from kedro.io import DatasetError
from kedro_datasets.ibis import TableDataset

from evergreen.datasets.bigquery.warehouse import read_warehouse
from evergreen.errors import EvergreenError
from evergreen.features import dimension_of


class BigQueryTableDataset(TableDataset):
    """Loads a table of the warehouse lazily: what is computed from it is computed there.

    All tables of one ``connection`` share a client, which is opened at the first load. Every query is estimated before
    it runs, see ``GuardedClient``.

    Example:
        ```yaml
        high_value_sales.fact_sales:
          type: evergreen.datasets.BigQueryTableDataset
          table: exp_normalized_retail_connector_fact_sales
          date: date_key
          days: 730
          connection: {project: my-project, dataset: dbt_prod, location: EU, max_bytes_billed: 10_000_000_000}
          credentials: bigquery
        ```
    """

    def __init__(
        self,
        *,
        table: str,
        connection: dict[str, Any],
        credentials: dict[str, Any] | None = None,
        date: str | None = None,
        days: int | None = None,
        as_of: str | dt.date | None = None,
        prejoined: str | None = None,
        key: str | None = None,
        when_absent: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the table; nothing is connected before the first load.

        Args:
            table: Name of the table.
            connection: Fields of ``Warehouse``, equal for all tables that are joined.
            credentials: Fields of ``WarehouseCredentials``; default: Google's application-default credentials.
            date: Column that the table is partitioned by; with ``days``, older rows are left out.
            days: How many days before ``as_of`` to read.
            as_of: The date that the run pretends is today; default: today (UTC).
            prejoined: Table of facts with their dimensions' columns, which is read instead of ``table`` when set.
            key: For a dimension, its key: read from ``prejoined`` it is the newest row of each key.
            when_absent: Column → Ibis type of the empty table that stands in where the dataset lacks this one; None: a
                lack is an error.
            metadata: Kedro-Viz and documentation; not read here.

        Raises:
            EvergreenError: A setting is unknown or out of its range.
        """
        super().__init__(table_name=prejoined or table, connection=connection, credentials=credentials)
        self.metadata = metadata
        self._warehouse = read_warehouse(self._connection_config)
        self._split_off = key if prejoined else None
        self._date = date if key is None or prejoined else None  # a dimension's own table is read whole
        self._days, self._as_of = days, as_of
        self._when_absent = when_absent

    def _connect(self) -> Any:
        from evergreen.datasets.bigquery.connection import connect

        return connect(self._warehouse)

    def load(self) -> ir.Table:
        """The lazy table, cut to its newest days.

        Raises:
            EvergreenError: Credentials, permission or the table are missing.
        """
        if self._when_absent is not None and not self._exists():
            return self.connection.no_rows(self._when_absent)
        table = self.connection.table(self._table_name)
        if self._date in table.columns and self._days is not None:
            table = table.filter(since(table[self._date], self._first_day()))
        if self._split_off is None:
            return table
        return dimension_of(table, self._split_off, self._date)

    def _first_day(self) -> dt.date:
        as_of = dt.date.fromisoformat(str(self._as_of)) if self._as_of else dt.datetime.now(dt.UTC).date()
        return as_of - dt.timedelta(days=self._days or 0)

    def save(self, data: ir.Table) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the table is dbt's."""
        raise DatasetError(f"{self._table_name} is a source and is not written to.")

    def _exists(self) -> bool:
        return bool(self.connection.has_table(self._warehouse.path_of(self._table_name)))

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table_name, **self._warehouse.public()}


class BigQueryFeaturesDataset(TableDataset):
    """A table of features in BigQuery, computed there by one atomic ``create or replace table``.

    Args:
        table: Name of the table, in the warehouse's ``features_dataset``.
        connection: Fields of ``Warehouse``, those of the sources.
        credentials: Fields of ``WarehouseCredentials``.
        partition_by: Date column to partition by, so that a window reads its own days only.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        *,
        table: str,
        connection: dict[str, Any],
        credentials: dict[str, Any] | None = None,
        partition_by: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(table_name=table, connection=connection, credentials=credentials)
        self.metadata = metadata
        self._warehouse = read_warehouse(self._connection_config)
        self._partition_by = partition_by

    _connect = BigQueryTableDataset._connect

    def load(self) -> ir.Table:
        """The lazy table."""
        return self.connection.table(self._table_name, database=self._warehouse.home)

    def save(self, data: ir.Table) -> None:
        """Compute the table; readers see the former one until the new one is whole.

        Raises:
            EvergreenError: The rows lie in another engine, or BigQuery refuses.
        """
        engine = data.get_backend()
        if engine is not self.connection:
            raise EvergreenError(
                f"table {self._table_name} is to be computed in BigQuery, but its sources lie in {engine.name}: "
                "take sources and features of a use case from one environment, or leave it out with `--namespaces`."
            )
        partition = [self._partition_by] if self._partition_by else None
        self.connection.create_table(
            self._table_name, data, database=self._warehouse.home, partition_by=partition, overwrite=True
        )

    def _exists(self) -> bool:
        return bool(self.connection.has_table(self._warehouse.path_of(self._table_name, features=True)))

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table_name, "partition_by": self._partition_by, **self._warehouse.public()}


def since(date: ir.Column, day: dt.date) -> ir.BooleanColumn:
    """Whether a row is of ``day`` or later, asked of the bare column, so that older partitions are not read."""
    kind = date.type()
    if kind.is_integer():
        return date >= int(f"{day:%Y%m%d}")
    if kind.is_string():
        return date >= day.isoformat()
    if kind.is_timestamp():
        return date >= ibis.timestamp(day.isoformat()).cast(kind)
    return date >= ibis.date(day)
