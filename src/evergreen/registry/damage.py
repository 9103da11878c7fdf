"""What of a registry cannot be read and is passed over: said once, in a line."""

from __future__ import annotations

import functools
import logging

logger = logging.getLogger("evergreen.registry")


@functools.cache
def report_damage(sentence: str) -> None:
    """Warn of something damaged, once a process."""
    logger.warning("%s", sentence)
