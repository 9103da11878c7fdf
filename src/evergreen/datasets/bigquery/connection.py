"""The open connection: Google's client with a guard in front of every query, and Ibis on top."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.sql.datatypes import BigQueryType

from evergreen.datasets.bigquery.faults import CHEAPER, faults_in_words, without_client
from evergreen.datasets.bigquery.warehouse import Warehouse
from evergreen.errors import EvergreenError

try:
    import google.auth
    from google.api_core.exceptions import NotFound
    from google.auth.credentials import AnonymousCredentials, Credentials
    from google.cloud import bigquery
    from google.oauth2 import service_account
    from ibis.backends.bigquery import Backend
except ImportError as error:
    raise without_client(error) from error

logger = logging.getLogger("evergreen.bigquery")
SCOPES = ("https://www.googleapis.com/auth/bigquery", "https://www.googleapis.com/auth/cloud-platform")
PATIENCE_SECONDS = 60.0
LEAST_BILLED = 10 * 1024**2
"""Bytes that BigQuery bills at the least; a query that is estimated at no more is not worth a line."""


def connect(warehouse: Warehouse) -> WarehouseBackend:
    """Open a connection.

    Args:
        warehouse: Where, as whom, and how much a query may cost.

    Raises:
        EvergreenError: No credentials, or ones that cannot be read; no project, no dataset.
    """
    credentials, own_project = find_credentials(warehouse)
    project = warehouse.project or own_project
    if not project:
        raise EvergreenError(
            "no Google Cloud project is set and the credentials name none: set the one that pays with "
            "`--params=project=<project>` or in conf/bigquery/globals.yml."
        )
    client = GuardedClient(warehouse, project, credentials)
    backend = WarehouseBackend().connect(
        project_id=project, dataset_id=warehouse.needed_dataset, client=client, credentials=credentials
    )
    if not warehouse.storage_api:
        backend.storage_client = None
    return backend


def find_credentials(warehouse: Warehouse) -> tuple[Credentials, str | None]:
    """The credentials and the project that they name, if any."""
    if warehouse.anonymous:
        return AnonymousCredentials(), None
    file = warehouse.service_account_file
    if file is None:
        with faults_in_words("looking for application-default credentials"):
            return google.auth.default(scopes=SCOPES)
    try:
        found = service_account.Credentials.from_service_account_file(file, scopes=SCOPES)
    except (OSError, ValueError) as error:
        raise EvergreenError(
            f"bigquery.service_account_file is {file}, which is no key file of a service account "
            f"({type(error).__name__}): correct conf/local/credentials.yml."
        ) from None
    return found, found.project_id


class GuardedClient(bigquery.Client):
    """A client that estimates every query by a dry run, says so where it matters, and refuses what would cost too much.

    BigQuery itself gets the same limit, should the estimate be wrong.
    """

    def __init__(self, warehouse: Warehouse, project: str, credentials: Credentials) -> None:
        endpoint = {"api_endpoint": warehouse.api_endpoint} if warehouse.api_endpoint else None
        super().__init__(project=project, credentials=credentials, location=warehouse.location, client_options=endpoint)
        self._warehouse = warehouse
        self._estimated = 0

    def query_and_wait(self, query: str, **options: Any) -> Any:
        """Estimate, refuse or run."""
        config = options.pop("job_config", None) or bigquery.QueryJobConfig()
        with faults_in_words("asking for an answer"):
            self._estimate(query, config)
            config.maximum_bytes_billed = self._warehouse.max_bytes_billed
            return super().query_and_wait(query, job_config=config, **options)

    def _estimate(self, query: str, config: Any) -> None:
        dry = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, query_parameters=config.query_parameters)
        job = super().query(query, job_config=dry)
        estimate, limit = int(job.total_bytes_processed or 0), self._warehouse.max_bytes_billed
        reads = ", ".join(sorted({table.table_id for table in job.referenced_tables})) or "its tables"
        if estimate > limit:
            raise EvergreenError(
                f"a query over {reads} would read {in_words(estimate)}, allowed {in_words(limit)}, so it was not run: "
                f"{CHEAPER}."
            )
        self._estimated += estimate
        matters = estimate > LEAST_BILLED or query.lstrip().upper().startswith("CREATE")
        logger.log(
            logging.INFO if matters else logging.DEBUG,
            "BigQuery: %s to read from %s (at most %s a query; %s so far).",
            *(in_words(estimate), reads, in_words(limit), in_words(self._estimated)),
        )

    def get_table(self, table: Any, **options: Any) -> Any:
        """Schema of a table, without Google's ten minutes of patience."""
        patience = bigquery.DEFAULT_RETRY.with_timeout(PATIENCE_SECONDS)
        with faults_in_words(f"looking at table {table}"):
            return super().get_table(table, **{"retry": patience, **options})

    def has_table(self, path: str) -> bool:
        """Whether a table exists."""
        with faults_in_words(f"looking for table {path}"):
            try:
                super().get_table(path)
            except NotFound:
                return False
        return True

    def _ensure_bqstorage_client(self, *arguments: Any, **options: Any) -> Any:
        """None makes results come over REST, however many pages they have."""
        return super()._ensure_bqstorage_client(*arguments, **options) if self._warehouse.storage_api else None


class WarehouseBackend(Backend):
    """Ibis on the guarded client; what goes wrong while results are fetched is said in a sentence, too."""

    def has_table(self, path: str) -> bool:
        """Whether ``dataset.table`` exists."""
        return bool(self.client.has_table(path))

    def no_rows(self, columns: dict[str, str]) -> ir.Table:
        """An empty table, given column → Ibis type."""
        schema = ibis.schema(columns)
        nulls = ", ".join(f"cast(null as {BigQueryType.to_string(kind)}) as {name}" for name, kind in schema.items())
        return self.sql(f"select {nulls} from unnest([1]) as nothing where false", schema=schema)

    def execute(self, expr: ir.Expr, /, **options: Any) -> pd.DataFrame | pd.Series | Any:
        """Results as pandas."""
        with faults_in_words("fetching results"):
            return super().execute(expr, **options)

    def to_pyarrow(self, expr: ir.Expr, /, **options: Any) -> pa.Table:
        """Results as Arrow."""
        with faults_in_words("fetching results"):
            return super().to_pyarrow(expr, **options)

    def to_pyarrow_batches(self, expr: ir.Expr, /, **options: Any) -> pa.RecordBatchReader:
        """Results as a stream."""
        with faults_in_words("fetching results"):
            reader = super().to_pyarrow_batches(expr, **options)
        return pa.RecordBatchReader.from_batches(reader.schema, _in_sentences(reader))


def _in_sentences(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with faults_in_words("fetching results"):
        yield from reader


def in_words(size: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
