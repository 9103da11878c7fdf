"""Emulated buckets of Google and Azure on free ports, each with an empty bucket `evergreen`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deploy_tools import node_package, tool

from local_server import free_port, running

# The account that Azurite's documentation prints, of which every installation has the same key.
AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6"
    "IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
)


@contextmanager
def google(folder: Path) -> Iterator[dict[str, str]]:
    """An emulated Cloud Storage; yields what its clients' surroundings are."""
    pytest.importorskip("gcsfs")
    port = free_port()
    options = ["--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=evergreen", "--quiet"]
    with running([tool("gcp-storage-emulator"), "start", *options], f"http://127.0.0.1:{port}/storage/v1/b", folder):
        yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "EVERGREEN_DATA": "gs://evergreen/team one"}


@contextmanager
def azure(folder: Path) -> Iterator[dict[str, str]]:
    """An emulated Blob Storage; yields what its clients' surroundings are."""
    pytest.importorskip("adlfs")
    from azure.storage.blob import BlobServiceClient

    port = free_port()
    program = node_package("azurite", "dist/src/blob/main.js")
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--blobHost=127.0.0.1", f"--blobPort={port}"]
    with running(["node", str(program), "--silent", *options], f"http://127.0.0.1:{port}/", folder):
        login = AZURITE.format(port=port)
        with BlobServiceClient.from_connection_string(login) as client:
            client.create_container("evergreen")
        yield {"AZURE_STORAGE_CONNECTION_STRING": login, "EVERGREEN_DATA": "az://evergreen/team one"}
