"""What a row of predictions is, and who made it: the same from scoring and from the service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ScoredBy:
    """Who makes the predictions: use case, version, decision threshold, and the date the run pretends is today."""

    use_case: str
    version: str
    threshold: float
    as_of: dt.date


@dataclass(frozen=True)
class Predictions:
    """A stream of prediction batches of one ``as_of``; the stream can be read once."""

    as_of: dt.date
    batches: Iterator[pd.DataFrame]
