"""An answer's head and body leave in one write: half the system calls, and the client wakes up once."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Held:
    """A transport that keeps an answer's head until something follows it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head = transport, b""
        self.write_through = transport.write

    def write(self, data: bytes) -> None:
        if self._head:
            self.write_through(self._head + data)
            self._head = b""
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
        else:
            self.write_through(data)

    def flush(self) -> None:
        if self._head:
            self.write_through(self._head)
            self._head = b""

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol on a transport that holds heads back; an answer without a body is flushed as it ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(_Held(transport))  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        """An answer is whole."""
        self.transport.flush()  # type: ignore[attr-defined]
        super().on_response_complete()
