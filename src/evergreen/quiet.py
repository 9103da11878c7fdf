"""Silence what a user can't act on, before any library that talks is imported."""

from __future__ import annotations

import logging
import os

from evergreen.redaction import RedactedRecord

# Said by other libraries at import, whatever Python's own warning filters say.
NOISE = (
    "Add type hints to the `predict` method",
    "Any type hint is inferred as AnyType",
    "IProgress not found",
    "`sklearn.utils.parallel.delayed` should be used",
    "Could not determine bucket type",  # gcsfs, which then takes the bucket for an ordinary one
    "coro=<PrefetchProducer",  # gcsfs, of a file that was read to the end
)


def init() -> None:
    """Quieten MLflow, keep secrets out of the log, which gets Python's warnings, too; the settings call it first."""
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "true")  # it would write a project id into pyproject.toml
    logging.setLogRecordFactory(RedactedRecord)
    logging.captureWarnings(True)
    for name in ("py.warnings", "gcsfs", "asyncio"):
        logging.getLogger(name).addFilter(is_news)
    logging.getLogger("evergreen.rows").addFilter(FirstTime())


class FirstTime(logging.Filter):
    """Lets a message pass once a process: several steps of a run look at the same rows."""

    def __init__(self) -> None:
        super().__init__()
        self._logged: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the message is new."""
        message = record.getMessage()
        is_new = message not in self._logged
        self._logged.add(message)
        return is_new


def is_news(record: logging.LogRecord) -> bool:
    """Whether a captured warning tells the user something."""
    return not any(phrase in record.getMessage() for phrase in NOISE)
