"""Servers of this process that answer every connection in one way, right or wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket], None]


@contextmanager
def answering(answer: Answer) -> Iterator[int]:
    """The port of a server that lets ``answer`` speak on every connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                answer(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=speak, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listening.getsockname()[1])
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def silent(connection: socket.socket) -> None:
    """Read on and on."""
    while connection.recv(65_536):
        pass


def saying(text: str) -> Answer:
    """Send this once, whatever is asked."""

    def say(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(text.encode())

    return say


def endless(head: str, part: bytes) -> Answer:
    """Send on and on."""

    def send(connection: socket.socket) -> None:
        connection.sendall(head.encode())
        while True:
            connection.sendall(part)

    return send


def dripping(head: str, seconds: float) -> Answer:
    """Send a byte now and then, for ever."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(head.encode())
        while not threading.Event().wait(seconds):
            connection.sendall(b"x")

    return drip


def http(status: str, body: str, kind: str = "application/json", more: str = "") -> Answer:
    """An HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return saying(f"{head}{more}\r\n{body}")
