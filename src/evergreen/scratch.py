"""Where do copies of rows lie while a process needs them, and who removes what a killed one left?"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".lock"
_roots: list[Path] = []


def lay_copies_in(root: Path) -> None:
    """Let this process' copies lie below a folder from now on."""
    _roots.append(root)


def copies_in() -> Path:
    """Where this process' copies lie, for a process that it starts."""
    return _root()


def new_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for copies; removed on leaving it, and whatever happens by the next run."""
    return tempfile.TemporaryDirectory(dir=_own(_root()))


def lasting_folder() -> Path:
    """A folder for copies that are needed as long as the process lives."""
    return Path(tempfile.mkdtemp(dir=_own(_root())))


def abandoned(delete: bool) -> list[str]:
    """Folders of processes that ended without removing them; a living one holds its folder's lock.

    Those of commands that know no data folder lie in the temporary folder and count, too.

    Args:
        delete: Remove them.

    Returns:
        Their names.
    """
    found = []
    roots = dict.fromkeys((_root(), _without_data()))
    for folder in sorted(part for root in roots for part in root.glob("*") if part.is_dir()):
        lock = FileLock(folder.with_name(folder.name + _LOCK))
        try:
            with lock.acquire(timeout=0):
                found.append(folder.name)
                if delete:
                    shutil.rmtree(folder, ignore_errors=True)
                    Path(lock.lock_file).unlink(missing_ok=True)
        except Timeout:
            continue
    return found


def _root() -> Path:
    return _roots[-1] if _roots else _without_data()


def _without_data() -> Path:
    return Path(tempfile.gettempdir()) / f"evergreen-copies-{os.getuid()}"


@functools.cache
def _own(root: Path) -> Path:
    """This process' folder, which its lock keeps from being taken for an abandoned one."""
    folder = root / uuid.uuid4().hex
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(folder.name + _LOCK))
    lock.acquire()
    folder.mkdir(mode=0o700)

    def leave() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()

    atexit.register(leave)
    return folder
