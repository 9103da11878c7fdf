"""A webhook and a mail server of this process, which keep what they are told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, TCPServer, ThreadingTCPServer
from typing import Any


class Webhook(BaseHTTPRequestHandler):
    """Accepts JSON by POST."""

    heard: list[dict[str, Any]]

    def do_POST(self) -> None:
        """Keep the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append({"path": self.path, **json.loads(body)})
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class MailServer(StreamRequestHandler):
    """Just enough SMTP (RFC 5321) to be handed a message."""

    heard: list[str]

    def handle(self) -> None:
        """Agree to everything."""
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                self.heard.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            self._say("221 bye" if verb == b"QUIT" else "250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def listening(server: type[TCPServer], handler: type[StreamRequestHandler]) -> Iterator[tuple[int, list[Any]]]:
    """Serve on a free port of this host; yields the port and what was heard."""
    heard: list[Any] = []
    with server(("127.0.0.1", 0), type("Handler", (handler,), {"heard": heard})) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.socket.getsockname()[1], heard
        running.shutdown()


def webhook() -> Any:
    """A webhook on a free port."""
    return listening(HTTPServer, Webhook)


def mail_server() -> Any:
    """A mail server on a free port."""
    return listening(ThreadingTCPServer, MailServer)
