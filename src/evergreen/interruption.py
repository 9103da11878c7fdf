"""What becomes of a run that somebody stops: it ends as if it had failed, its MLflow runs marked as killed."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any


class Terminated(BaseException):
    """SIGTERM came."""

    def __str__(self) -> str:
        return "Terminated"


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise in the main thread, so that what is open is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def close_runs(status: str) -> None:
    """End every MLflow run that is open."""
    mlflow: Any = sys.modules.get("mlflow")
    if mlflow is None:
        return
    with suppress(Exception):  # whatever a server that is gone answers: the process ends anyway
        while mlflow.active_run() is not None:
            mlflow.end_run(status)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
