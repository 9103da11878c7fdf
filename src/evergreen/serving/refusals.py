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
        reason: A name for programs, where one status has several reasons.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None, reason: str | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after, self.reason = status, sentence, retry_after, reason

    def body(self) -> bytes:
        """The answer's JSON."""
        named = {"reason": self.reason} if self.reason else {}
        return json.dumps({"error": self.sentence, **named}).encode()

    def at(self, place: str) -> Refusal:
        """The same of one row among many."""
        return Refusal(self.status, f"{place}: {self.sentence}", self.retry_after, self.reason)


def refuse_more_rows(rows: int, most: int) -> None:
    """Refuse a request with too many rows.

    Raises:
        Refusal: 413.
    """
    if rows > most:
        raise Refusal(413, f"{rows} rows are more than the {most} that are allowed.")


def short(name: str) -> str:
    """A name that came from outside, printable and of bounded length."""
    printable = "".join(c if c.isprintable() else "?" for c in name[: NAME_LENGTH + 1])
    return f"{printable[:NAME_LENGTH]}…" if len(name) > NAME_LENGTH else printable
