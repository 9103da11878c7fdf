"""How a message reaches a channel that may be down: retries, then one warning, never a fault."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import monotonic, sleep

from evergreen.deadlines import OverdueError, within

logger = logging.getLogger("evergreen.alerts")
MAX_WAIT_SECONDS = 60.0


class DeliveryError(Exception):
    """One attempt failed; the message holds no secret.

    Attributes:
        lasting: Whether trying again is useless.
        wait_seconds: How long the other side asked to wait; None where it didn't say.
    """

    def __init__(self, message: str, *, lasting: bool = False, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.wait_seconds = wait_seconds


def deliver(
    attempt: Callable[[], None],
    channel: str,
    *,
    attempts: int,
    backoff_seconds: float,
    timeout_seconds: float,
    until: float,
) -> bool:
    """Try until the channel takes the message; give up with one warning, so that the run goes on.

    Waits ``backoff_seconds`` before the second attempt and twice as long before each further one, or as long
    as the channel asks for; a wait of over a minute is not worth holding a run up.

    Args:
        attempt: Sends the message once; raises ``DeliveryError``.
        channel: The channel's name for the warning, without secrets.
        attempts: Most attempts.
        backoff_seconds: First wait.
        timeout_seconds: How long a whole attempt may take.
        until: When to give up whatever happens, on the clock of ``time.monotonic``.

    Returns:
        Whether the message was taken.
    """
    for number in range(1, attempts + 1):
        try:
            _in_time(attempt, min(timeout_seconds, until - monotonic()))
        except DeliveryError as error:
            wait = backoff_seconds * 2 ** (number - 1)
            if error.wait_seconds is not None:
                wait = error.wait_seconds
            too_long = wait > MAX_WAIT_SECONDS or monotonic() + wait > until
            if error.lasting or number == attempts or too_long:
                logger.warning(
                    "%s did not take an alert after %d of %d attempts: %s.", channel, number, attempts, error
                )
                return False
            sleep(wait)
        else:
            return True
    return False


def _in_time(attempt: Callable[[], None], seconds: float) -> None:
    if seconds <= 0:
        raise DeliveryError("no time was left for it", lasting=True)
    try:
        within(seconds, attempt)
    except OverdueError as error:
        raise DeliveryError(str(error)) from None


def requested_wait(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None where it says nothing sensible."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((until - dt.datetime.now(until.tzinfo)).total_seconds(), 0.0)
