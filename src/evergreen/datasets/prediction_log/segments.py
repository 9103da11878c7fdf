"""One worker's log: whole lines, in files that are renamed once nobody writes them any more.

A line is written before its answer is sent, so that a killed process loses no acknowledged prediction; the power may
fail only under ``fsync: group``. A worker holds a lock on the segment that it writes: a segment without a lock has no
writer, whatever became of it. Imports nothing heavy: the service's workers use it.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import time
import uuid
from pathlib import Path
from typing import Literal

NEW = ".new"
OPEN = ".open"
CLOSED = ".jsonl"
Fsync = Literal["off", "group"]


class SegmentWriter:
    """Appends lines to a segment of its own.

    Args:
        folder: Where the segments lie; made if absent.
        fsync: ``group``: answers wait for the disk, many at a time; ``off``: for the operating system only.
        rotate_bytes: Size from which a segment is closed.
        rotate_seconds: Age from which a segment that holds something is closed.
    """

    def __init__(self, folder: Path, fsync: Fsync = "off", rotate_bytes: int = 64 << 20, rotate_seconds: float = 60.0):
        self._folder, self._fsync = folder, fsync
        self._rotate_bytes, self._rotate_seconds = rotate_bytes, rotate_seconds
        self._name = uuid.uuid4().hex[:12]
        self._number = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._syncing: asyncio.Task[None] | None = None
        self.fault: str | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._file = self._folder / f"{self._name}-{self._number:06d}{OPEN}"
        unlocked = self._file.with_suffix(NEW)  # nobody takes it for abandoned before it is locked
        self._fd = os.open(unlocked, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._file)
        self._size, self._since = 0, time.monotonic()

    def write(self, lines: bytes) -> None:
        """Append whole lines, all or none.

        Raises:
            OSError: Where the disk takes no more; what was written of the lines is taken back.
        """
        try:
            written = os.write(self._fd, lines)
            if written != len(lines):
                written += os.write(self._fd, lines[written:])
            if written != len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - as the disk itself would
        except OSError as error:
            os.ftruncate(self._fd, self._size)
            self.fault = error.strerror or type(error).__name__
            raise
        self.fault = None
        self._size += written
        if self._size >= self._rotate_bytes:
            self.rotate()

    async def durable(self) -> None:
        """Return once what was written is safe from a loss of power, under ``fsync: group``."""
        if self._fsync == "off":
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync())
        await done

    async def _sync(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            error: OSError | None = None
            try:
                await loop.run_in_executor(None, os.fdatasync, self._fd)
            except OSError as fault:
                error, self.fault = fault, fault.strerror
            for done in group:
                if not done.cancelled():
                    done.set_exception(error) if error else done.set_result(None)

    def rotate_if_old(self) -> None:
        """Close a segment that is old enough, so that it can be collected."""
        if self._size and time.monotonic() - self._since >= self._rotate_seconds:
            self.rotate()

    def rotate(self) -> None:
        """Close the segment and begin the next."""
        self.close()
        self._number += 1
        self._open()

    def close(self) -> None:
        """Close the segment; an empty one is removed."""
        if self._fsync == "group":
            os.fdatasync(self._fd)
        if self._size:
            self._file.rename(self._file.with_suffix(CLOSED))
        else:
            self._file.unlink()
        os.close(self._fd)


def closed_segments(folder: Path) -> list[Path]:
    """Segments that nobody writes any more, those of killed writers included, in the order of their names."""
    for file in folder.glob(f"*{OPEN}"):
        _close_abandoned(file)
    return sorted(folder.glob(f"*{CLOSED}"))


def _close_abandoned(file: Path) -> None:
    try:
        fd = os.open(file, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_size:
            file.rename(file.with_suffix(CLOSED))
        elif file.exists():
            file.unlink()
    except (BlockingIOError, FileNotFoundError):
        return
    finally:
        os.close(fd)
