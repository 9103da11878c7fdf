"""What live traffic looks like: counts of constant size on the reference's own edges and levels."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from evergreen.rows.canonical import Levels, canonical_text

SUFFIX = ".tally"
_ROWS_TOGETHER = 256


class Layout:
    """Where each column's counts stand: bins or levels, then all other values, then missing.

    Args:
        watch: ``numeric`` (edges by feature), ``categorical`` (levels by feature) and the edges of the ``score``.
        features: Features in the order of a row.
    """

    def __init__(self, watch: dict[str, Any], features: list[str]) -> None:
        self.numeric = [(name, features.index(name), np.array(e)) for name, e in watch.get("numeric", {}).items()]
        self.categorical = [
            (name, features.index(name), _Known(levels)) for name, levels in watch.get("categorical", {}).items()
        ]
        self.score = np.array(watch.get("score", []))
        sizes = [len(edges) + 2 for _, _, edges in self.numeric]
        sizes += [len(levels.places) + 2 for _, _, levels in self.categorical]
        self.starts = np.concatenate([[0], np.cumsum([*sizes, len(self.score) + 1])]).astype(int).tolist()

    @property
    def size(self) -> int:
        """Number of counts."""
        return int(self.starts[-1])

    def blocks(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Counts by column, the score's under the empty name."""
        names = [name for name, _, _ in [*self.numeric, *self.categorical]] + [""]
        return {name: counts[a:b] for name, (a, b) in zip(names, pairwise(self.starts), strict=True)}


class _Known:
    """Where a category's level is counted: after the levels come all others, then the missing."""

    def __init__(self, levels: Iterable[str]) -> None:
        self.places = {level: place for place, level in enumerate(levels)}
        self._match, self._others = Levels(self.places).match, len(self.places)

    def places_of(self, values: Iterable[Any]) -> np.ndarray:
        """Where each of many is counted; equal values are one level, for 1, 1.0 and true are one text."""
        found: dict[Any, int] = {}
        listed = list(values)
        for value in set(listed):
            found[value] = self.place(value)
        return np.fromiter(map(found.__getitem__, listed), np.int64, len(listed))

    def place(self, value: Any) -> int:
        if type(value) is str:
            known = self.places.get(value)
            if known is not None:
                return known
        if value is None:
            return self._others + 1
        return self.places.get(self._match(canonical_text(value)), self._others)


class LiveTally:
    """One worker's counts of one version's requests; rows wait and are counted many at a time.

    Args:
        file: Where the counts lie, shared with the supervisor.
        layout: What is counted.
    """

    def __init__(self, file: Path, layout: Layout) -> None:
        self._layout = layout
        self._counts = np.memmap(file, np.int64, "w+", shape=(max(layout.size, 1),))
        self._rows: list[tuple[Any, ...]] = []
        self._scores: list[float] = []

    def add(self, values: tuple[Any, ...], probability: float) -> None:
        """Count one row."""
        self._rows.append(values)
        self._scores.append(probability)
        if len(self._rows) >= _ROWS_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Count the rows that wait."""
        if self._rows:
            columns = list(zip(*self._rows, strict=True))
            self.add_counts(self.count(columns, np.array(self._scores)))
            self._rows, self._scores = [], []

    def add_counts(self, counts: np.ndarray) -> None:
        """Add what :meth:`count` counted."""
        self._counts += counts

    def count(self, columns: list[Any], scores: np.ndarray) -> np.ndarray:
        """Counts of many rows, given by columns in the order of the features; changes nothing."""
        if not self._layout.size:
            return np.zeros(1, np.int64)
        codes = []
        starts = iter(self._layout.starts)
        for _, place, edges in self._layout.numeric:
            values = np.array(columns[place], np.float64)
            found = np.searchsorted(edges, values, side="left")  # NaN is searched beyond the last edge
            found[np.isnan(values)] = len(edges) + 1
            codes.append(found + next(starts))
        for _, place, levels in self._layout.categorical:
            codes.append(levels.places_of(columns[place]) + next(starts))
        codes.append(np.searchsorted(self._layout.score, scores, side="left") + next(starts))
        return np.bincount(np.concatenate(codes), minlength=self._layout.size)


def read_tallies(folder: Path, version: str, size: int) -> np.ndarray:
    """All workers' counts of a version together."""
    counts = np.zeros(size, np.int64)
    for file in folder.glob(f"*~{version}{SUFFIX}"):
        found = np.fromfile(file, np.int64)
        if len(found) == size:
            counts += found
    return counts
