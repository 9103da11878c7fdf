"""What the supervisor tells its workers: small JSON files in a folder of their own, replaced whole."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

SETTINGS_FILE = "settings.json"
"""The service's settings, and where its log and pages lie."""
CURRENT_FILE = "current.json"
"""Which version serves."""
STATUS_FILE = "status.json"
"""What ``/health``, ``/stats`` and ``/metrics`` say beside the workers' own counts."""
READY, OUTGROWN = "ready", "outgrown"
"""What a worker says of itself: it answers; a version should serve that another process had better load."""


def write_state(file: Path, content: dict[str, Any]) -> None:
    """Replace a file at once."""
    temporary = file.with_name(f".{file.name}.{threading.get_ident()}")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(file)


def read_state(file: Path) -> dict[str, Any]:
    """What the file says."""
    return dict(json.loads(file.read_text(encoding="utf-8")))


def signal(folder: Path, what: str) -> None:
    """Say something of this process to its supervisor."""
    (folder / f"{os.getpid()}.{what}").touch()


def has_signalled(folder: Path, process: int, what: str) -> bool:
    """Whether a process has said it."""
    return (folder / f"{process}.{what}").exists()


def forget(folder: Path, process: int) -> None:
    """Drop what a process has said that ended: another may get its number."""
    for what in (READY, OUTGROWN):
        (folder / f"{process}.{what}").unlink(missing_ok=True)
