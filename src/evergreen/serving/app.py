"""The front of the service: access, limits and ``POST /predict`` without a framework; all other routes behind it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from evergreen.serving.access import Keys, Pace
from evergreen.serving.answering import Answering
from evergreen.serving.counters import ROUTES, RequestCounter
from evergreen.serving.refusals import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = {"/health", "/ready", "/ping", "/v2/health/live", "/v2/health/ready"}
JSON = (b"content-type", b"application/json")
SECURITY = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
OF_PAGES = [(b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer")]
CLOSE = (b"connection", b"close")
ANSWERED = [JSON, *SECURITY]
_ROUTE_OF = {"/predict": 0, "/batch_predict": 1, "/invocations": 2}


class Front:
    """The ASGI application.

    Args:
        answering: What answers.
        routes: The other routes.
        keys: Who may ask.
        requests: Where answers are counted.
    """

    def __init__(self, answering: Answering, routes: Asgi, keys: Keys, requests: RequestCounter) -> None:
        self.answering, self.draining = answering, False
        self._routes, self._keys, self._requests = routes, keys, requests
        self._pace = Pace(answering.settings.limits)
        self._largest = answering.settings.limits.max_body_bytes
        self._durable = answering.log.durable if answering.log and answering.settings.log.fsync == "group" else None

    @property
    def answers_at_once(self) -> bool:
        """Whether an answer waits for nothing but its own making."""
        return self._durable is None

    def at_once(self, headers: Headers, body: bytes) -> tuple[int, bytes, Headers]:
        """Answer a whole ``POST /predict``: status, body, and headers but for its length."""
        began = time.perf_counter()
        try:
            if self._keys.needed and not self._keys.allow(headers):
                raise self._keys.refusal
            if len(body) > self._largest:
                raise Refusal(413, f"The body is larger than {self._largest} bytes.")  # noqa: TRY301
            self._pace.enter()
            try:
                answer = self.answering.answer(body, began)
            finally:
                self._pace.leave()
        except Refusal as refusal:
            self._requests.add(0, refusal.status)
            return refusal.status, refusal.body(), [*_headers_of(refusal), *SECURITY, *self._closing]
        self._requests.add(0, 200)
        return 200, answer, [*ANSWERED, CLOSE] if self.draining else ANSWERED

    @property
    def _closing(self) -> Headers:
        return [CLOSE] if self.draining else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        path = scope["path"]
        route = _ROUTE_OF.get(path, 3 if path.endswith("/infer") else len(ROUTES) - 1)
        try:
            if path in OPEN_PATHS:
                await self._pass_on(scope, receive, send, route)
                return
            if self._keys.needed and not self._keys.allow(scope["headers"]):
                raise self._keys.refusal
            self._pace.enter()
            try:
                if route == 0:
                    if scope["method"] != "POST":
                        raise Refusal(405, "Another method: POST.")
                    body = await read_body(scope, receive, self._largest)
                    answer = self.answering.answer(body, began)
                    if self._durable is not None:
                        await self._durable()
                    await self._send(send, 200, answer, [JSON])
                    self._requests.add(0, 200)
                else:
                    await self._pass_on(scope, receive, send, route)
            finally:
                self._pace.leave()
        except Refusal as refusal:
            await self.refuse(send, refusal, route)

    async def refuse(self, send: Send, refusal: Refusal, route: int) -> None:
        """Answer why not; the connection closes where the rest of a body was not read."""
        await self._send(send, refusal.status, refusal.body(), _headers_of(refusal))
        self._requests.add(route, refusal.status)

    async def _send(self, send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        more = [*headers, (b"content-length", b"%d" % len(body)), *SECURITY]
        if self.draining:
            more.append(CLOSE)
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": body})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, route: int) -> None:
        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY, *OF_PAGES, *([CLOSE] if self.draining else [])]
                self._requests.add(route, message["status"])
            await send(message)

        scope["read_body"] = lambda: read_body(scope, receive, self._largest)
        await self._routes(scope, receive, send_with_headers)


def _headers_of(refusal: Refusal) -> Headers:
    """The headers that go with a refusal; a connection closes where the rest of a body was not read."""
    headers = [JSON]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    if refusal.status == 405:
        headers.append((b"allow", b"POST"))
    if refusal.status == 413:
        headers.append(CLOSE)
    return headers


async def read_body(scope: Scope, receive: Receive, largest: int) -> bytes:
    """A request's whole body.

    Raises:
        Refusal: 413 before a byte of it is parsed, where it is too large.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        announced = next((int(v) for n, v in scope["headers"] if n == b"content-length" and v.isdigit()), 0)
        parts, size = [body], len(body)
        while message.get("more_body") and max(size, announced) <= largest:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        if max(size, announced) > largest:
            raise Refusal(413, f"The body is larger than {largest} bytes.")
        return b"".join(parts)
    if len(body) > largest:
        raise Refusal(413, f"The body is larger than {largest} bytes.")
    return body
