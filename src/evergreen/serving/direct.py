"""``POST /predict`` is answered where its last byte is read: no task, no messages between server and application.

A whole request of that route takes some forty calls less than by way of ASGI. Everything else, a request that comes
while an earlier one of its connection is open, and a log that waits for the disk go by way of ASGI as ever.
"""

from __future__ import annotations

import logging
from typing import Any

from evergreen.serving.app import ANSWERED, CLOSE, Front, Headers
from evergreen.serving.one_write import OneWriteProtocol

PATH = b"/predict"
LARGEST = 1 << 20
_STATUS = {
    200: b"HTTP/1.1 200 OK\r\n",
    401: b"HTTP/1.1 401 Unauthorized\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\n",
    404: b"HTTP/1.1 404 Not Found\r\n",
    413: b"HTTP/1.1 413 Content Too Large\r\n",
    422: b"HTTP/1.1 422 Unprocessable Content\r\n",
    429: b"HTTP/1.1 429 Too Many Requests\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\n",
}
logger = logging.getLogger("evergreen.serving")


class DirectProtocol(OneWriteProtocol):
    """uvicorn's protocol with a short way for one route."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._front = self.app if isinstance(self.app, Front) and self.app.answers_at_once else None
        self._body: bytes | None = None
        self._of_answers: tuple[object, bytes] = (None, b"")

    def on_message_begin(self) -> None:
        """A request begins; what ASGI needs of it is made once it is to go that way."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Whose way is it?"""
        self._body = None
        if self._front is not None and self.url == PATH and self._whole_and_alone():
            self._body = b""
            return
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expected
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _whole_and_alone(self) -> bool:
        """Whether a request is a plain POST of a known size, and no earlier one is open."""
        if self.parser.get_method() != b"POST" or self.expect_100_continue or self.parser.should_upgrade():
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        return length.isdigit() and int(length) <= LARGEST and self.parser.get_http_version() == "1.1"

    def on_body(self, body: bytes) -> None:
        """Some bytes of a body."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """The last byte is there."""
        if self._body is None:
            super().on_message_complete()
            return
        assert self._front is not None
        body, self._body = self._body, None
        try:
            status, answer, more = self._front.at_once(self.headers, body)
        except Exception:
            logger.exception("a request could not be answered")
            status, answer, more = (
                500,
                b'{"error":"The service failed; its log says why."}',
                [CLOSE],
            )
        self._respond(status, answer, more)

    def _respond(self, status: int, answer: bytes, more: Headers) -> None:
        keeps = self.parser.should_keep_alive()
        head = self._head(status, more if keeps or CLOSE in more else [*more, CLOSE])
        self.transport.write_through(  # type: ignore[attr-defined]
            b"%bcontent-length: %d\r\n\r\n%b" % (head, len(answer), answer)
        )
        self.server_state.total_requests += 1
        if not keeps or (more is not ANSWERED and CLOSE in more):
            self.transport.close()
            return
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _head(self, status: int, headers: Headers) -> bytes:
        """Status line and headers; those of an answer are made once a second, as the date is."""
        default = self.server_state.default_headers
        if headers is ANSWERED:
            known, head = self._of_answers
            if known is default:
                return head
        lines = (b"%b: %b\r\n" % pair for pair in (*default, *headers))
        head = b"".join([_STATUS[status], *lines])
        if headers is ANSWERED:
            self._of_answers = (default, head)
        return head
