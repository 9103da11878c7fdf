"""Why is a request not answered? A status and a sentence that names fields and never repeats a value."""

from __future__ import annotations

import json

NAME_LENGTH = 80


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is refused.

    Attributes:
        status: HTTP status, 4xx or 503.
        sentence: What is wrong and what is allowed.
        retry_after: Seconds after which to try again, where that helps.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after

    def body(self) -> bytes:
        """The answer's JSON."""
        return json.dumps({"error": self.sentence}).encode()


def short(name: str) -> str:
    """A name that came from outside, printable and of bounded length."""
    printable = "".join(c if c.isprintable() else "?" for c in name[: NAME_LENGTH + 1])
    return f"{printable[:NAME_LENGTH]}…" if len(name) > NAME_LENGTH else printable
