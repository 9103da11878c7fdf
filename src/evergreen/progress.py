"""How far is a step that takes long? One line on a terminal, drawn again and again; in a log a line now and then."""

from __future__ import annotations

import itertools
import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import ParamSpec, TextIO, TypeVar

logger = logging.getLogger("evergreen.progress")
Item = TypeVar("Item")
Found = TypeVar("Found")
Given = ParamSpec("Given")
FIRST_LINE_SECONDS = 30.0  # a log hears of a step that takes longer, then each time that it has taken twice as long
FIRST_DRAWING_SECONDS = 1.0  # shorter steps would only flicker
TICK_SECONDS = 0.5
_BACK_AND_ERASE = "\r\x1b[2K"


class Display:
    """The step that runs, how far it is, and since when.

    Args:
        stream: Where a terminal draws the line; None: what ``sys.stderr`` is at the time.
        now: A clock, in seconds.
    """

    def __init__(self, stream: TextIO | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._now = stream, now
        self._step: str | None = None
        self._detail = ""
        self._began = self._due = 0.0
        self._drawn = False
        self._lock = threading.RLock()

    def begin(self, step: str) -> None:
        """A step begins."""
        with self._lock:
            self._step, self._detail = step, ""
            self._began, self._due = self._now(), FIRST_LINE_SECONDS

    def tell(self, detail: str) -> None:
        """How far the step is: ``RandomForest, 3 of 6``."""
        with self._lock:
            self._detail = detail

    def end(self) -> None:
        """The step is over; its line goes."""
        with self._lock:
            self.clear()
            self._step = None

    def tick(self) -> None:
        """Draw the line anew, or write one where it is due."""
        with self._lock:
            if self._step is None:
                return
            seconds = self._now() - self._began
            if self._out.isatty():
                if seconds >= FIRST_DRAWING_SECONDS:
                    width = shutil.get_terminal_size().columns - 1
                    self._out.write(f"{_BACK_AND_ERASE}{self._line(seconds)[:width]}")
                    self._out.flush()
                    self._drawn = True
            elif seconds >= self._due:
                self._due *= 2
                logger.info("%s", self._line(seconds))

    def clear(self) -> None:
        """Take the line away, for something else to be written there."""
        with self._lock:
            if self._drawn:
                self._out.write(_BACK_AND_ERASE)
                self._out.flush()
                self._drawn = False

    @property
    def _out(self) -> TextIO:
        return self._stream or sys.stderr

    def _line(self, seconds: float) -> str:
        detail = f": {self._detail}" if self._detail else ""
        return f"{self._step}{detail} ({seconds:.0f} s)"


_display = Display()


def make_room(record: logging.LogRecord) -> bool:  # noqa: ARG001 - the signature of a log's filter
    """Take the line of the running step away before a log's handler writes its own there."""
    _display.clear()
    return True


@contextmanager
def watched() -> Iterator[None]:
    """Let the steps of a run be seen while they last."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(TICK_SECONDS):
            _display.tick()

    handlers = [*logging.getLogger("evergreen").handlers, *logging.getLogger().handlers]
    for handler in handlers:
        handler.addFilter(make_room)
    ticking = threading.Thread(target=tick, name="progress", daemon=True)
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join()
        for handler in handlers:
            handler.removeFilter(make_room)


@contextmanager
def step(name: str) -> Iterator[None]:
    """A step that is seen while it lasts, by name."""
    _display.begin(name)
    try:
        yield
    finally:
        _display.end()


def tell(detail: str) -> None:
    """How far the step is that runs."""
    _display.tell(detail)


def counting(function: Callable[Given, Found], noun: str, most: int) -> Callable[Given, Found]:
    """The function, each of whose calls is told of by its number: ``model 3 of at most 50``."""
    calls = itertools.count(1)

    def told(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        tell(f"{noun} {next(calls)} of at most {most}")
        return function(*args, **kwargs)

    return told


def counted(items: Iterable[Item], noun: str) -> Iterator[Item]:
    """The items, each told of by its number as it is asked for: ``batch 3``, ``batch 3 of 8`` where there is an end."""
    end = f" of {len(items)}" if isinstance(items, Sized) else ""
    for number, item in enumerate(items, start=1):
        tell(f"{noun} {number}{end}")
        yield item
