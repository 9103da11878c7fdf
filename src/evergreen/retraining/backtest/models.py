"""The models of a backtest's windows, kept so that a new week scores them once more instead of fitting them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pandas as pd

from evergreen.retraining.forward import Score

MODEL_COLUMNS = ("window_end", "version", "recipe", "model")


@runtime_checkable
class Stored(Protocol):
    """A score that can be written down."""

    def dump(self) -> bytes:
        """The model behind it."""


@dataclass(frozen=True)
class KeptModels:
    """Models by the last day of their window.

    Attributes:
        known: Those of earlier runs, written down.
        read: Makes a score of what was written down.
    """

    known: Mapping[pd.Timestamp, bytes]
    read: Callable[[bytes], Score]

    def get(self, model_end: pd.Timestamp) -> Score | None:
        """The model of a window, None where it was not kept."""
        found = self.known.get(model_end)
        return None if found is None else self.read(found)


def kept_models(table: pd.DataFrame, recipe: str, read: Callable[[bytes], Score]) -> KeptModels:
    """The models of one recipe.

    Args:
        table: Models of earlier runs, columns as ``MODEL_COLUMNS``; it may be empty.
        recipe: Digest of the recipe and of what shapes cells.
        read: Makes a score of what was written down.
    """
    rows = table[table["recipe"] == recipe] if len(table) else table
    known = dict(zip(rows["window_end"], rows["model"], strict=True)) if len(rows) else {}
    return KeptModels(known, read)


def models_table(known: KeptModels, fresh: Mapping[pd.Timestamp, object], version: str, recipe: str) -> pd.DataFrame:
    """Known models and fresh ones that can be written down, one row each, columns ``MODEL_COLUMNS``."""
    whole = {**known.known, **{end: model.dump() for end, model in fresh.items() if isinstance(model, Stored)}}
    rows = [(end, version, recipe, model) for end, model in whole.items()]
    return pd.DataFrame(rows, columns=list(MODEL_COLUMNS))
