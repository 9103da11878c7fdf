"""The models of a backtest's windows, kept so that a new week scores them once more instead of fitting them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from evergreen.retraining.forward import Score

MODEL_COLUMNS = ("window_end", "version", "recipe", "model", "means", "spreads")


@runtime_checkable
class Stored(Protocol):
    """A score that can be written down."""

    def dump(self) -> bytes:
        """The model behind it."""


@dataclass(frozen=True)
class WindowModel:
    """The model of a window.

    Attributes:
        score: Scores rows on the logit scale.
        means: Mean of each numeric feature in what it learnt.
        spreads: Its standard deviation there, or more where it wanders from window to window.
    """

    score: Score
    means: np.ndarray
    spreads: np.ndarray


@dataclass(frozen=True)
class WrittenModel:
    """A window's model, written down; fields as of :class:`WindowModel`."""

    model: bytes
    means: np.ndarray
    spreads: np.ndarray


@dataclass(frozen=True)
class KeptModels:
    """Models by the last day of their window.

    Attributes:
        known: Those of earlier runs, written down.
        read: Makes a score of what was written down.
    """

    known: Mapping[pd.Timestamp, WrittenModel]
    read: Callable[[bytes], Score]

    def get(self, model_end: pd.Timestamp) -> WindowModel | None:
        """The model of a window, None where it was not kept."""
        found = self.known.get(model_end)
        return None if found is None else WindowModel(self.read(found.model), found.means, found.spreads)


def kept_models(table: pd.DataFrame, recipe: str, read: Callable[[bytes], Score]) -> KeptModels:
    """The models of one recipe.

    Args:
        table: Models of earlier runs, columns as ``MODEL_COLUMNS``; it may be empty.
        recipe: Digest of the recipe and of what shapes cells.
        read: Makes a score of what was written down.
    """
    if not set(MODEL_COLUMNS) <= set(table.columns):
        return KeptModels({}, read)
    rows = table[table["recipe"] == recipe] if len(table) else table
    written = zip(rows["window_end"], rows["model"], rows["means"], rows["spreads"], strict=True)
    return KeptModels(
        {end: WrittenModel(model, np.asarray(means), np.asarray(spreads)) for end, model, means, spreads in written},
        read,
    )


def models_table(
    known: KeptModels, fresh: Mapping[pd.Timestamp, WindowModel], version: str, recipe: str
) -> pd.DataFrame:
    """Known models and fresh ones that can be written down, one row each, columns ``MODEL_COLUMNS``."""
    written = {end: found for end, model in fresh.items() if (found := _written(model)) is not None}
    whole = {**known.known, **written}
    rows = [(end, version, recipe, each.model, list(each.means), list(each.spreads)) for end, each in whole.items()]
    return pd.DataFrame(rows, columns=list(MODEL_COLUMNS))


def _written(model: WindowModel) -> WrittenModel | None:
    score: object = model.score
    return WrittenModel(score.dump(), model.means, model.spreads) if isinstance(score, Stored) else None
