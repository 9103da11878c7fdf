"""Keep-alive clients that ask a server of this machine and remember what they were told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any


@dataclass
class Load:
    """What came of a load.

    Attributes:
        seconds: From a request's first byte to its answer's last, each.
        answers: What was answered with 200, where it is kept.
        refused: Answers of any other status.
        failed: Requests that were sent and not answered.
        closed: Connections that the server said it would close, and that were opened anew.
    """

    seconds: list[float] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    failed: int = 0
    closed: int = 0

    def quantile(self, q: float) -> float:
        """Quantile of the latency, milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


def request(path: str, body: bytes, content_type: str = "application/json", headers: str = "") -> bytes:
    """One POST request, whole."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(
    port: int,
    requests: list[bytes],
    *,
    clients: int = 8,
    total: int | None = None,
    until: Callable[[], bool] = lambda: False,
    keep: bool = False,
    pause: float = 0.0,
    check: Callable[[int, dict[str, Any]], None] | None = None,
) -> Load:
    """Ask on keep-alive connections until so many requests were sent, or ``until`` says so.

    A connection that the server announced to close, or refused, is opened anew; an unanswered request counts as failed.
    ``pause``: seconds that each client waits before it asks. ``check`` gets the place of a request and its answer.
    """
    load, supply = Load(), iter(cycle(enumerate(requests)))
    look = check or ((lambda _, answer: load.answers.append(answer)) if keep else None)
    numbers: Iterator[int] = iter(range(total)) if total is not None else iter(int, 1)
    await asyncio.gather(*(_client(port, supply, numbers, until, look, pause, load) for _ in range(clients)))
    return load


async def _client(
    port: int,
    supply: Iterator[tuple[int, bytes]],
    numbers: Iterator[int],
    until: Callable[[], bool],
    look: Callable[[int, dict[str, Any]], None] | None,
    pause: float,
    load: Load,
) -> None:
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not until() and next(numbers, None) is not None:
        if connection is None:
            connection = await _open(port, until)
            if connection is None:
                break
        reader, writer = connection
        if pause:
            await asyncio.sleep(pause)
        place, body = next(supply)
        began = time.perf_counter()
        try:
            writer.write(body)
            status, closing, answer = await _answer(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            load.failed += 1
            writer.close()
            connection = None
            continue
        load.seconds.append(time.perf_counter() - began)
        if status != 200:
            load.refused.append((status, answer.decode(errors="replace")))
        elif look is not None:
            look(place, json.loads(answer))
        if closing:
            load.closed += 1
            writer.close()
            connection = None
    if connection is not None:
        connection[1].close()


async def _open(port: int, until: Callable[[], bool]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    while not until():
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
    return None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return int(head[9:12]), b"connection: close" in head, await reader.readexactly(length)


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_mb(pid: int) -> float:
    """Memory that is a process's own or its share of what it shares (PSS), in MB."""
    return _kilobytes(pid, "Pss:") / 1024


def own_mb(pid: int) -> float:
    """Memory that is a process's own alone (USS), in MB."""
    return (_kilobytes(pid, "Private_Clean:") + _kilobytes(pid, "Private_Dirty:")) / 1024


def _kilobytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
