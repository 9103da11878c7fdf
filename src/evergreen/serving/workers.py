"""The processes that answer: started on one socket, started again when they die, let drain at the end."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

from evergreen.errors import EvergreenError
from evergreen.serving.state import OUTGROWN, READY, forget, has_signalled

START_SECONDS = 60.0
LONGEST_BACK_OFF = 10.0
HEALTHY_SECONDS = 30.0
TICK = 0.1
logger = logging.getLogger("evergreen.serving")


class _Slot:
    """One worker's place: its process, the one that will take over from it, and how often one died lately."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.successor: subprocess.Popen[bytes] | None = None
        self.crashes, self.started, self.not_before = 0, 0.0, 0.0


class Workers:
    """So many processes that share a listening socket.

    Args:
        use_case: Whose, for messages.
        count: How many.
        folder: Where the supervisor says what is served, and they count.
        descriptor: The listening socket's.
        environment: Their environment variables.
    """

    def __init__(self, use_case: str, count: int, folder: Path, descriptor: int, environment: dict[str, str]) -> None:
        self._use_case, self._folder, self._descriptor = use_case, folder, descriptor
        self._environment = environment
        self._slots = [_Slot() for _ in range(count)]
        self._leaving: list[subprocess.Popen[bytes]] = []

    def start(self, stop: Event) -> None:
        """Start all, and wait until each answers or ``stop`` is set.

        Raises:
            EvergreenError: Where one ends before, or takes longer than a minute.
        """
        for slot in self._slots:
            slot.process = self._start(slot)
        end = time.monotonic() + START_SECONDS
        while not all(self._has_said(slot.process, READY) for slot in self._slots):
            ended = [slot.process.poll() for slot in self._slots if slot.process and slot.process.poll() is not None]
            if ended or time.monotonic() > end:
                raise EvergreenError(
                    f"{self._use_case}: a worker ended with code {ended[0] if ended else 'none'} before it answered; "
                    "what it printed stands above."
                )
            if stop.wait(TICK / 2):
                return

    def keep(self, stop: Event, restarted: Callable[[], None]) -> None:
        """Until ``stop`` is set, start workers again that have ended, each later the more often it dies young.

        A worker that says that it is outgrown goes on until another process answers in its place, and then drains.

        Args:
            stop: The end.
            restarted: Called for each worker that ended.
        """
        while not stop.wait(TICK):
            for slot in self._slots:
                if slot.process is not None and slot.process.poll() is not None:
                    self._bury(slot)
                    restarted()
                if slot.process is None and slot.successor is None and time.monotonic() >= slot.not_before:
                    slot.process = self._start(slot)
                self._succeed(slot)
            self._leaving = [process for process in self._leaving if process.poll() is None]

    def drain(self, seconds: float) -> None:
        """Let them finish what they have, and end those that take longer than ``seconds``."""
        present = [process for slot in self._slots for process in (slot.process, slot.successor) if process is not None]
        living = present + self._leaving
        for process in living:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + seconds
        for process in living:
            try:
                process.wait(max(TICK, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, slot: _Slot) -> subprocess.Popen[bytes]:
        worker = [sys.executable, "-m", "evergreen.serving.worker"]
        command = [*worker, str(self._folder), str(self._descriptor), str(os.getpid())]
        slot.started = time.monotonic()
        return subprocess.Popen(command, env=self._environment, pass_fds=[self._descriptor])

    def _succeed(self, slot: _Slot) -> None:
        """One step from an outgrown worker to its successor."""
        if slot.successor is None:
            if self._has_said(slot.process, OUTGROWN) and time.monotonic() >= slot.not_before:
                slot.successor = self._start(slot)
        elif slot.successor.poll() is not None:
            self._wait_longer(slot, slot.successor)
            slot.successor = None
        elif self._has_said(slot.successor, READY):
            if slot.process is not None:
                forget(self._folder, slot.process.pid)
                slot.process.terminate()
                self._leaving.append(slot.process)
            slot.process, slot.successor = slot.successor, None

    def _has_said(self, process: subprocess.Popen[bytes] | None, what: str) -> bool:
        return process is not None and has_signalled(self._folder, process.pid, what)

    def _bury(self, slot: _Slot) -> None:
        assert slot.process is not None
        self._wait_longer(slot, slot.process)
        slot.process = None

    def _wait_longer(self, slot: _Slot, ended: subprocess.Popen[bytes]) -> None:
        """Say that a worker has ended, and let the next one start the later the more often they die young."""
        now = time.monotonic()
        slot.crashes = slot.crashes + 1 if now - slot.started < HEALTHY_SECONDS else 1
        slot.not_before = now + min(TICK * 2 ** (slot.crashes - 1), LONGEST_BACK_OFF)
        logger.error("%s: a worker ended with code %s.", self._use_case, ended.returncode)
        forget(self._folder, ended.pid)
