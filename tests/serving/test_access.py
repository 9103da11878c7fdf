"""Who may ask, and how much, without any process."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from evergreen.errors import EvergreenError
from evergreen.serving.access import VARIABLE, Keys, Pace, require_keys
from evergreen.serving.app import Front, read_body
from evergreen.serving.refusals import Refusal, short
from evergreen.serving.settings import LimitSettings, ServingSettings


def header(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"x"), (b"x-api-key", key.encode())]


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "0.0.0.0", "auth": "off"}, False),
        ({"auth": "required"}, True),
        ({"host": "0.0.0.0", "unix_socket": "/tmp/x"}, False),
    ],
)
def test_keys_are_needed_unless_only_this_machine_can_connect(settings: dict[str, Any], needed: bool) -> None:
    assert ServingSettings(**settings).needs_key is needed


def test_a_service_that_needs_keys_does_not_start_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(EvergreenError, match="needs API keys and has none"):
        require_keys(ServingSettings(auth="required"))


def test_keys_of_environment_and_file_open_and_a_changed_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "first, second")
    file = tmp_path / "keys"
    file.write_text(f"# ours\nsha256:{hashlib.sha256(b'third').hexdigest()}\n")
    keys = Keys(ServingSettings(auth="required", keys_file=str(file)))
    assert [keys.allow(header(key)) for key in ("first", "second", "third", "fourth", "")] == [True] * 3 + [False] * 2
    file.unlink()
    keys.reload()
    assert not keys.allow(header("third"))
    assert b"first" not in repr(vars(keys)).encode()


@pytest.mark.parametrize(
    ("scheme", "allowed"), [(b"Bearer k", True), (b"bearer k", True), (b"Basic k", False), (b"Bearer", False)]
)
def test_a_key_may_come_as_a_bearer_token(scheme: bytes, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "k")
    assert Keys(ServingSettings(auth="required")).allow([(b"authorization", scheme)]) is allowed


def test_a_burst_is_answered_and_what_follows_waits() -> None:
    pace = Pace(LimitSettings(requests_per_second=0.5, burst=2))
    pace.enter()
    pace.enter()
    with pytest.raises(Refusal) as refused:
        pace.enter()
    assert (refused.value.status, refused.value.retry_after) == (429, 2)


def test_no_more_requests_are_open_than_allowed() -> None:
    pace = Pace(LimitSettings(max_concurrent=1))
    pace.enter()
    with pytest.raises(Refusal, match="open at a time"):
        pace.enter()
    pace.leave()
    pace.enter()


class _Told:
    """What a client gets of the front."""

    def __init__(self, keys: Keys) -> None:
        self.counted: list[tuple[int, int]] = []
        self.front = Front(_Answering(), None, keys, self)  # type: ignore[arg-type]
        self.messages: list[dict[str, Any]] = []

    def add(self, route: int, status: int) -> None:
        self.counted.append((route, status))

    async def send(self, message: Any) -> None:
        self.messages.append(message)


class _Answering:
    settings, log = ServingSettings(), None


async def _no_body() -> dict[str, Any]:
    return {"body": b"", "more_body": False}


def test_a_request_without_a_key_is_refused_before_its_body_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "right")
    told = _Told(Keys(ServingSettings(auth="required")))

    async def never() -> dict[str, Any]:
        raise AssertionError

    scope = {"type": "http", "path": "/predict", "method": "POST", "headers": header("wrong")}
    asyncio.run(told.front(scope, never, told.send))
    assert told.messages[0]["status"] == 401
    assert told.counted == [(0, 401)]


def test_while_draining_every_answer_says_that_the_connection_closes() -> None:
    told = _Told(Keys(ServingSettings()))
    told.front.draining = True
    scope = {"type": "http", "path": "/predict", "method": "GET", "headers": []}
    asyncio.run(told.front(scope, _no_body, told.send))
    assert (b"connection", b"close") in told.messages[0]["headers"]


@pytest.mark.parametrize("announced", [[(b"content-length", b"5000")], []])
def test_a_body_that_is_too_large_is_refused_without_reading_it_whole(announced: list[tuple[bytes, bytes]]) -> None:
    parts = iter(range(100))

    async def receive() -> dict[str, Any]:
        assert next(parts) < 10
        return {"body": b"x" * 500, "more_body": True}

    with pytest.raises(Refusal, match="larger than 2000 bytes"):
        asyncio.run(read_body({"headers": announced}, receive, 2000))


def test_a_name_from_outside_is_cut_and_printable() -> None:
    assert short("a\nb" + "x" * 100) == "a?b" + "x" * 77 + "…"
