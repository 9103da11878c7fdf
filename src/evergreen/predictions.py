"""What a row of predictions is, and who made it: the same from scoring and from the service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import ibis.expr.types as ir
import pandas as pd


@dataclass(frozen=True)
class ScoredBy:
    """Who makes the predictions: use case, version, decision threshold, and the date the run pretends is today."""

    use_case: str
    version: str
    threshold: float
    as_of: dt.date


class Scoring(Protocol):
    """Rows that lie on an engine, and what makes predictions of them, there or here."""

    @property
    def rows(self) -> ir.Table:
        """The rows to score: keys and features, lazily."""

    def scorer(self) -> Callable[[pd.DataFrame], pd.DataFrame]:
        """Rows → their predictions, to be sent to other processes."""

    def statement(self) -> ir.Table:
        """The predictions of all rows as an expression of their engine."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one ``as_of``, made while they are stored.

    Attributes:
        as_of: The date that the run pretends is today.
        batches: The predictions, made in this process; the stream can be read once.
        scoring: How to make them where the rows lie; None where they can only be made here.
    """

    as_of: dt.date
    batches: Iterator[pd.DataFrame]
    scoring: Scoring | None = None
