"""Requests as they come over a wire: in pieces, several at once, by every way that HTTP allows."""

from __future__ import annotations

import json
import socket
import time

import pytest
from small_service import Service

BODY = json.dumps({"age": 41.0, "income": 1.5, "city": "A"}).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
SIZED = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
STATS = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSING = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


def answers(service: Service, *pieces: bytes) -> bytes:
    """All that is answered until the service closes the connection; the last request asks for that."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        found = b""
        while more := connection.recv(65536):
            found += more
        return found


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("pieces", "count"),
    [
        ([CLOSING], 1),
        ([SIZED, CLOSING], 2),
        ([SIZED + SIZED + CLOSING], 3),
        ([SIZED + STATS + SIZED + CLOSING], 4),
        ([STATS + SIZED, CLOSING], 3),
        ([SIZED[:10], SIZED[10:90], SIZED[90:], CLOSING], 2),
        ([CHUNKED, CLOSING], 2),
        ([SIZED.replace(b"/predict", b"/predict?x=1"), CLOSING], 2),
        ([CLOSING.replace(b"HTTP/1.1", b"HTTP/1.0")], 1),
    ],
    ids=["one", "two", "pipelined", "mixed", "after another route", "in pieces", "chunked", "query", "HTTP/1.0"],
)
def test_every_request_is_answered_in_its_order(service: Service, pieces: list[bytes], count: int) -> None:
    found = answers(service, *pieces)
    assert found.count(b" 200 OK\r\n") == count
    assert found.count(b'"prediction":') + found.count(b"text/plain") == count
    assert found.lower().count(b"date: ") == count
    assert b"connection: close" in found.lower().rsplit(b" 200 ok", 1)[1]


def test_a_body_is_asked_for_where_its_client_waits_for_that(service: Service) -> None:
    head, body = CLOSING.split(b"\r\n\r\n", 1)
    found = answers(service, head + b"\r\nExpect: 100-continue\r\n\r\n", body)
    assert b" 100 Continue\r\n" in found
    assert b" 200 OK\r\n" in found


def test_a_refusal_leaves_the_connection_open(service: Service) -> None:
    bad = SIZED.replace(b"41.0", b'"41"')
    found = answers(service, bad + CLOSING)
    assert (found.count(b" 422 "), found.count(b" 200 ")) == (1, 1)
