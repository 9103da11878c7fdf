"""Real servers that a test starts on this machine and stops again."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 180
STOP_SECONDS = 10
FAULT_OF_THE_SERVER = 500


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: Sequence[str], address: str, folder: Path) -> Iterator[None]:
    """A server that runs in ``folder`` and answers at ``address``; ended afterwards."""
    log = folder / "server.log"
    with log.open("w") as told:
        server = subprocess.Popen(command, stdout=told, stderr=told, cwd=folder)
    try:
        _wait_for(address, server, log)
        yield
    finally:
        end(server)


def end(server: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Ask the server to stop; one that still waits for its clients' open connections is killed."""
    server.terminate()
    try:
        server.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < FAULT_OF_THE_SERVER:
                return  # it is there and wants a login
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
