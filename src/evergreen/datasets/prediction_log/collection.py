"""What a collection of the service's log did."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from evergreen.records import Record


@dataclass(frozen=True)
class Collected:
    """What a collection did.

    Attributes:
        rows: Predictions that were written.
        days: Days that they fell on (UTC).
        removed_days: Days beyond retention that went.
    """

    rows: int
    days: tuple[dt.date, ...]
    removed_days: tuple[dt.date, ...]


class CollectionRecord(Record):
    """``collection.json``; ``status`` is ``collected`` or ``nothing_new``.

    Attributes:
        rows: Predictions that were written.
        days: Days that they fell on (UTC).
        removed_days: Days beyond retention that went.
    """

    rows: int
    days: tuple[dt.date, ...]
    removed_days: tuple[dt.date, ...]
