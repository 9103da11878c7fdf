"""How far back may the rows reach that a challenger learns from?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evergreen.retraining.parameters import Choice

AS_GOOD_AUC = 0.005
"""Difference of AUC on a few hundred recent rows that is no merit: the choice with more rows is the safer one."""

WEEKS: dict[Choice, int] = {"weeks_26": 26, "weeks_16": 16, "weeks_8": 8}


@dataclass(frozen=True)
class Span:
    """A choice of rows in a dated use case.

    Attributes:
        choice: Its name.
        days: Days up to the newest one; 0 for all.
        half_life_days: Age at which a row weighs half; None: all weigh alike.
    """

    choice: Choice
    days: int = 0
    half_life_days: float | None = None

    @property
    def weighted(self) -> bool:
        """Whether older rows weigh less."""
        return self.half_life_days is not None

    def weights(self, age_days: np.ndarray, own: np.ndarray | None) -> np.ndarray | None:
        """Weights of rows by their age and their own weight, shape (rows,); None where all weigh alike."""
        if self.half_life_days is None:
            return own
        by_age = 0.5 ** (age_days / self.half_life_days)
        return by_age if own is None else by_age * own


def span_of(choice: Choice, window_days: int, half_life_days: float) -> Span:
    """What a choice means in days.

    Args:
        choice: Its name.
        window_days: Length of the recent window.
        half_life_days: Age at which a row weighs half in ``recency_weighted``.
    """
    if choice in WEEKS:
        return Span(choice, 7 * WEEKS[choice])
    if choice == "recency_weighted":
        return Span(choice, half_life_days=half_life_days)
    return Span(choice, {"recent": window_days, "newest": max(window_days // 2, 1)}.get(choice, 0))
