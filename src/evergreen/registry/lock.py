"""Who holds it now? One process of this host at a time, whatever its user and temporary folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from evergreen.errors import EvergreenError

LOCK_SECONDS = 60
HOST_STATE = Path("/var/tmp/evergreen"), Path("/tmp/evergreen")
_EVERY_USER = 0o666


@contextmanager
def exclusive(place: Path, taken: str) -> Iterator[None]:
    """Hold a file lock that every user may take.

    Args:
        place: The lock's file; its folder is made.
        taken: What to say where another process holds it too long.

    Raises:
        EvergreenError: Where it is held too long; nothing was changed then.
        OSError: Where it cannot be written.
    """
    lock = FileLock(place, mode=_EVERY_USER)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise EvergreenError(
            f"{taken} for {LOCK_SECONDS} s; nothing was changed, run again when it is done."
        ) from error
    try:
        yield
    finally:
        lock.release()


def host_state() -> Path:
    """The folder in which processes of this host lock what lies elsewhere; made for every user.

    Raises:
        EvergreenError: Where there is none.
    """
    for folder in HOST_STATE:
        try:
            folder.mkdir(exist_ok=True)
            if folder.stat().st_uid == os.getuid():
                folder.chmod(0o777)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise EvergreenError(
        f"neither {' nor '.join(str(folder) for folder in HOST_STATE)} can be written to, where a registry on a server "
        "is locked for this host: nothing was changed; make one of them writable."
    )
