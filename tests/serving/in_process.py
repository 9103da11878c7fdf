"""A worker's application, asked without a socket."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.serving.access import Keys
from evergreen.serving.answering import Answering
from evergreen.serving.app import Front
from evergreen.serving.counters import RequestCounter
from evergreen.serving.routes import Routes
from evergreen.serving.served import Served
from evergreen.serving.settings import ServingSettings


@dataclass
class App:
    """The application of one worker."""

    front: Front

    def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json", parts: int = 1
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        return asyncio.run(self._ask(method, path, body, content_type, parts))

    async def _ask(self, method: str, path: str, body: bytes, content_type: str, parts: int) -> tuple[int, bytes]:
        path, _, query = path.partition("?")
        headers = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("test", 80),
        }  # fmt: skip
        size = max(1, -(-len(body) // parts))
        pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        messages[-1]["more_body"] = False
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.front(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    def at_once(self, body: bytes) -> tuple[int, bytes]:
        """The same of ``POST /predict`` by the short way."""
        return self.front.at_once([(b"content-type", b"application/json")], body)[:2]

    def json(self, path: str) -> Any:
        """What a route says."""
        return json.loads(self.ask("GET", path)[1])


def app_of(served: Served, folder: Path, **settings: Any) -> App:
    """A worker's application for a version."""
    answering = Answering(ServingSettings(**settings), folder, SegmentWriter(folder / "log"))
    answering.use(served)
    routes = Routes(answering, folder, None)
    return App(Front(answering, routes.app(), Keys(answering.settings), RequestCounter(folder, answering.worker)))
