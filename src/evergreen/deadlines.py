"""How long may the outside world keep a run waiting?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import Field

from evergreen.records import Frozen

Answer = TypeVar("Answer")


class MlflowDeadlines(Frozen):
    """How long an MLflow server may keep a run waiting.

    Attributes:
        first_answer_seconds: It must answer a first request, whole, within so many seconds, or nothing is run.
        request_seconds: A later request waits so long for the next bytes.
        retries: A later request that fails is tried so many times again.
    """

    first_answer_seconds: float = Field(gt=0)
    request_seconds: int = Field(ge=1)
    retries: int = Field(ge=0, le=10)


class OverdueError(Exception):
    """Something outside took longer than it may."""


def within(seconds: float, doing: Callable[[], Answer]) -> Answer:
    """Do something that waits for the outside world, and leave it behind where it takes too long.

    What is left behind ends with the process at the latest.

    Args:
        seconds: How long to wait, name look-ups and slow answers included.
        doing: What to do.

    Raises:
        OverdueError: Where it took longer; else whatever ``doing`` raises.
    """
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["answer"] = doing()
        except BaseException as error:  # raised again where it was asked for
            outcome["error"] = error

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        raise OverdueError(f"no whole answer within {seconds:g} s")
    if "error" in outcome:
        raise outcome["error"]
    answer: Answer = outcome["answer"]
    return answer
