"""MLflow's server on a real PostgreSQL, its artefacts in a bucket of moto's server, on free ports."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from deploy_tools import tool

from local_server import free_port, running

BUCKET = "evergreen"
SECRETS = {
    "AWS_ACCESS_KEY_ID": "of-the-test",
    "AWS_SECRET_ACCESS_KEY": "of-the-test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def program(name: str) -> str:
    """One of PostgreSQL's programs."""
    found = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)]
    if not found:
        pytest.skip("PostgreSQL is not installed on this machine: apt-get install postgresql")
    return str(found[0])


@dataclass(frozen=True)
class Database:
    """A PostgreSQL of the test's own, whose only user is trusted."""

    folder: Path
    port: int

    @property
    def owner(self) -> str | None:
        """Who runs it: root may not."""
        return None if os.geteuid() else "postgres"

    @property
    def address(self) -> str:
        """As MLflow names it."""
        return f"postgresql://evergreen@127.0.0.1:{self.port}/mlflow"

    def command(self, name: str, *arguments: str) -> None:
        """Run a client against it."""
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "evergreen"]
        done = subprocess.run([program(name), *at, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """A running one with an empty database."""
    made = Database(folder / "postgres", free_port())
    made.folder.mkdir(parents=True)
    if made.owner:
        shutil.chown(made.folder, made.owner)
        for parent in made.folder.parents[:-2]:
            parent.chmod(parent.stat().st_mode | 0o011)  # the way to it
    initdb = [program("initdb"), "-D", str(made.folder), "-U", "evergreen", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, user=made.owner, cwd="/", check=True, capture_output=True)
    options = ["-p", str(made.port), "-k", str(made.folder), "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
    server = subprocess.Popen(
        [program("postgres"), "-D", str(made.folder), *options],
        user=made.owner, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while subprocess.run(
            [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(made.port)], check=False
        ).returncode:
            assert time.monotonic() < end, "PostgreSQL did not start"
            time.sleep(0.1)
        made.command("createdb", "mlflow")
        yield made
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: SIGTERM would wait for every client to leave
        server.wait(60)


@contextmanager
def bucket(folder: Path) -> Iterator[str]:
    """moto's server with an empty bucket; yields its address."""
    address = f"http://127.0.0.1:{free_port()}"
    command = [tool("moto_server"), "-H", "127.0.0.1", "-p", address.rsplit(":", 1)[1]]
    place = folder / "bucket"
    place.mkdir()
    with running(command, address, place):
        urllib.request.urlopen(urllib.request.Request(f"{address}/{BUCKET}", method="PUT")).close()
        yield address


@contextmanager
def mlflow_server(folder: Path, store: Database, bucket_address: str, port: int) -> Iterator[str]:
    """MLflow's server on both, as the image `mlflow` starts it; yields its address."""
    address = f"http://127.0.0.1:{port}"
    places = [f"--backend-store-uri={store.address}", f"--artifacts-destination=s3://{BUCKET}"]
    command = [tool("mlflow"), "server", "--host=127.0.0.1", f"--port={port}", "--workers=1", *places]
    more = {**SECRETS, "MLFLOW_S3_ENDPOINT_URL": bucket_address, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    told = [f"{name}={value}" for name, value in more.items()]
    folder.mkdir(exist_ok=True)
    with running(["env", *told, *command], f"{address}/health", folder):
        yield address
