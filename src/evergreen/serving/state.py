"""What the supervisor tells its workers: small JSON files in a folder of their own, replaced whole."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

SETTINGS_FILE = "settings.json"
"""The service's settings, and where its log and pages lie."""
CURRENT_FILE = "current.json"
"""Which version serves."""
STATUS_FILE = "status.json"
"""What ``/health``, ``/stats`` and ``/metrics`` say beside the workers' own counts."""


def write_state(file: Path, content: dict[str, Any]) -> None:
    """Replace a file at once."""
    temporary = file.with_name(f".{file.name}.{threading.get_ident()}")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(file)


def read_state(file: Path) -> dict[str, Any]:
    """What the file says."""
    return dict(json.loads(file.read_text(encoding="utf-8")))
