"""What must nobody read? Secrets of the configuration and of addresses, taken out of every text that leaves a run."""

from __future__ import annotations

import html
import json
import logging
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "[hidden]"
SHORTEST = 4
# Login of an address; a password may hold @ and /, a token stands alone.
_LOGIN = re.compile(r"(?<=://)(?:[^\s\"'<>:/@]*:[^\s\"'<>]*|[^\s\"'<>:/@]+)@")
_SECRET_NAME = re.compile(r"password|passwd|secret|token|account_key|sas|api_?key|connection_string", re.IGNORECASE)
_PUBLIC_NAME = re.compile(r"(^|_)(user|username|name|host|port|id|project|location|region|endpoint|endpoint_url|file)$")
_known: set[str] = set()


def remember(secret: object) -> None:
    """Take a text out of whatever is written from now on, however it is quoted."""
    text = str(secret or "")
    if len(text) >= SHORTEST:
        _known.update(_forms(text))


def remember_configuration(credentials: Mapping[str, Any], *blocks: Mapping[str, Any]) -> None:
    """Remember every secret that configuration and this process' environment hold.

    Args:
        credentials: All of it counts as secret, but for what its name says is none (user, host, project, …).
        blocks: Other configuration, in which names tell what is secret.
    """
    for name, value in _leaves(credentials):
        if not _PUBLIC_NAME.search(name):
            remember(value)
    for name, value in (leaf for block in (*blocks, os.environ) for leaf in _leaves(block)):
        if _SECRET_NAME.search(name) and not _PUBLIC_NAME.search(name):
            remember(value)


def redact(text: str) -> str:
    """The text without any known secret and without the login of any address."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _LOGIN.sub("", text)


def redacted(value: Any) -> Any:
    """A value in whose texts nothing is left to hide, at any depth."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {name: redacted(each) for name, each in value.items()}
    return type(value)(map(redacted, value)) if isinstance(value, list | tuple) else value


class RedactedRecord(logging.LogRecord):
    """A line of the log, traceback included, that holds no secret, whichever handler writes it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.exc_info, tuple) and self.exc_info[0] is not None:
            self.exc_text = redact(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        """The message as people read it."""
        return redact(super().getMessage())


def _forms(secret: str) -> Iterator[str]:
    for text in {secret, unquote(secret)}:
        yield from (
            text,
            quote(text),
            quote(text, safe=""),
            quote_plus(text),
            html.escape(text),
            json.dumps(text)[1:-1],
        )
        yield repr(text)[1:-1]
        yield b64encode(text.encode("utf-8", "surrogateescape")).decode()


def _leaves(block: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif isinstance(value, str):
            yield str(name), value
