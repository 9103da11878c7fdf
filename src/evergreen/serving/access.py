"""Who may ask, and how much?"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from pathlib import Path

from evergreen.errors import EvergreenError
from evergreen.serving.refusals import Refusal
from evergreen.serving.settings import LimitSettings, ServingSettings

VARIABLE = "EVERGREEN_API_KEYS"
DIGEST = "sha256:"
_LOOK_AGAIN_SECONDS = 2.0


class Keys:
    """The keys that open the service; only their digests are held.

    Args:
        settings: Whether a key is needed, in which header, and where keys stand.
    """

    def __init__(self, settings: ServingSettings) -> None:
        self.needed, self.header = settings.needs_key, settings.key_header.lower().encode()
        self._file = Path(settings.keys_file) if settings.keys_file else None
        self._changed, self._looked = -1.0, 0.0
        self._fixed = [_digest(key) for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
        self._digests: list[bytes] = []
        self.reload()

    def reload(self) -> None:
        """Read the keys file again where it has changed; a file that is gone closes its keys."""
        self._looked = time.monotonic()
        try:
            changed = self._file.stat().st_mtime if self._file else 0.0
            if changed == self._changed:
                return
            lines = self._file.read_text(encoding="utf-8").split("\n") if self._file else []
        except OSError:
            changed, lines = -1.0, []
        self._changed = changed
        keys = [line for line in lines if line.strip() and not line.startswith("#")]
        self._digests = [*self._fixed, *map(_digest, keys)]

    @property
    def refusal(self) -> Refusal:
        """The refusal of a request without one of them."""
        return Refusal(401, f"A valid key in the header {self.header.decode()} is required.")

    def __len__(self) -> int:
        return len(self._digests)

    def allow(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may go on; all keys are compared, in constant time.

        Clients that know no header of their own making, as Prometheus, send the key as a bearer token (RFC 6750).
        """
        if time.monotonic() - self._looked > _LOOK_AGAIN_SECONDS:
            self.reload()
        given = next((value for name, value in headers if name == self.header), b"") or _bearer(headers)
        found, digest = False, hashlib.sha256(given).digest()
        for known in self._digests:
            found |= hmac.compare_digest(known, digest)
        return found


def require_keys(settings: ServingSettings) -> None:
    """Refuse to listen to other machines without a key, unless that was asked for.

    Raises:
        EvergreenError: Where keys are needed and there are none.
    """
    if settings.needs_key and not len(Keys(settings)):
        raise EvergreenError(
            f"the service at {settings.host} needs API keys and has none: set {VARIABLE} or keys_file in "
            "conf/<env>/serving.yml, or switch them off with auth: off."
        )


def _bearer(headers: list[tuple[bytes, bytes]]) -> bytes:
    scheme, _, token = next((value for name, value in headers if name == b"authorization"), b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def _digest(key: str) -> bytes:
    key = key.strip()
    if key.startswith(DIGEST):
        try:
            return bytes.fromhex(key.removeprefix(DIGEST))
        except ValueError:
            raise EvergreenError("a key that begins with sha256: is not followed by 64 hexadecimal digits.") from None
    return hashlib.sha256(key.encode()).digest()


class Pace:
    """A bucket of requests that fills at a steady rate, and a number of open ones."""

    def __init__(self, limits: LimitSettings) -> None:
        self._rate, self._burst = limits.requests_per_second, float(limits.burst)
        self._most = limits.max_concurrent
        self._left, self._since = self._burst, time.monotonic()
        self.open = 0

    def enter(self) -> None:
        """Take part; call ``leave`` afterwards.

        Raises:
            Refusal: 429, where there are too many.
        """
        if self._most is not None and self.open >= self._most:
            raise Refusal(429, f"More than {self._most} requests are open at a time.", retry_after=1)
        if self._rate is not None:
            now = time.monotonic()
            self._left = min(self._burst, self._left + (now - self._since) * self._rate)
            self._since = now
            if self._left < 1:
                wait = max(1, round((1 - self._left) / self._rate))
                raise Refusal(429, f"More than {self._rate:g} requests a second.", retry_after=wait)
            self._left -= 1
        self.open += 1

    def leave(self) -> None:
        """The request is done."""
        self.open -= 1
