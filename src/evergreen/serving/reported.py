"""What does the service leave for the dashboard? What it last said of itself, as a record."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from evergreen.reporting.dashboard.records import ServiceStatus
from evergreen.serving.counters import read_predictions, total
from evergreen.serving.state import STATUS_FILE, read_state


def service_status(use_case: str, version: str, folder: Path, began: dt.datetime) -> ServiceStatus:
    """The record of this moment.

    Args:
        use_case: The use case.
        version: The version that answers.
        folder: Where the service's processes share their state.
        began: Since when the service runs.
    """
    found = total(read_predictions(folder).values())
    state = read_state(folder / STATUS_FILE) if (folder / STATUS_FILE).is_file() else {}
    columns = (state.get("drift") or {}).get("columns", {})
    now, refused = dt.datetime.now(dt.UTC), state.get("refused")
    return ServiceStatus(
        use_case=use_case, as_of=now.date(), status="refused" if refused else "alive", said=now, started=began,
        version=version, predictions=found.count, restarts=state.get("restarts", 0), refused=refused,
        positive_rate=found.positive / found.count if found.count else None,
        mean_confidence=found.confidence_sum / found.count if found.count else None,
        latency_ms=1000 * found.seconds / found.count if found.count else None,
        drifted=tuple(name for name, column in columns.items() if column["alarm"]),
    )  # fmt: skip
