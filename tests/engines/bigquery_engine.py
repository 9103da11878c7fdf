"""An emulated BigQuery on this machine, started from its own virtual environment, and tables put into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from local_server import free_port, running

VENV = os.environ.get("BIGQUERY_VENV")
SERVER = Path(__file__).with_name("emulator_server.py")
PROJECT = "demo"


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """A running emulator; gives its address, and ends it afterwards."""
    rest = free_port()
    command = [f"{VENV}/bin/python", str(SERVER), "--rest-port", str(rest), "--grpc-port", str(free_port())]
    with running(command, f"http://127.0.0.1:{rest}/bigquery/v2/projects/{PROJECT}/datasets", folder):
        yield f"http://127.0.0.1:{rest}"


def rest_client(address: str) -> Any:
    """A real client that reads over REST: the emulator's storage API does not see the results of queries."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    class RestClient(bigquery.Client):
        def _ensure_bqstorage_client(self, *_: Any, **__: Any) -> None:
            return None

    return RestClient(project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": address})


def connect(client: Any, dataset: str) -> Any:
    """Ibis on a dataset of the emulator."""
    from google.auth.credentials import AnonymousCredentials

    connection = ibis.bigquery.connect(
        project_id=PROJECT, dataset_id=dataset, client=client, credentials=AnonymousCredentials()
    )
    connection.storage_client = None
    return connection


def plain(table: pa.Table) -> pa.Table:
    """Text as text, which every engine reads."""
    fields = [(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type) for field in table.schema]
    return table.cast(pa.schema(fields))


def put(client: Any, dataset: str, tables: dict[str, pa.Table]) -> None:
    """Create the dataset and fill tables by streaming inserts."""
    from google.cloud import bigquery
    from ibis.backends.bigquery.datatypes import BigQuerySchema

    for each in (dataset, "_bqemu_anonymous"):  # where the emulator keeps what a query uploads
        client.create_dataset(each, exists_ok=True)
    for name, rows in tables.items():
        schema = BigQuerySchema.from_ibis(ibis.schema(rows.schema))
        client.delete_table(f"{PROJECT}.{dataset}.{name}", not_found_ok=True)
        table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.{name}", schema=schema))
        for batch in rows.to_batches(max_chunksize=5000):
            faults = client.insert_rows(table, batch.to_pylist())
            assert not faults, faults
