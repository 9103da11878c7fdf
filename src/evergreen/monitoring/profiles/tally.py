"""Counting one column batch by batch, per piece of the table; what a profile is made from.

Every tally holds a matrix of counts, shape (pieces, codes). The last code counts nulls; a numeric column's
last but one counts infinities. Pieces are the held-out windows of a reference; a window has one piece.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evergreen.monitoring.profiles.bins import Binner
from evergreen.monitoring.profiles.design_effect import design_effect, pair_design_effect
from evergreen.monitoring.profiles.profile import (
    CategoricalColumn,
    DesignEffect,
    NumericColumn,
    TimeColumn,
    merge_moments,
    most_frequent,
)
from evergreen.rows.canonical import Levels

Pieces = NDArray[np.integer]
_UNSEEN_TRACKED = 10_000


class NumericTally:
    """Counts per bin and centred moments of a numeric column."""

    def __init__(self, edges: NDArray[np.float64], pieces: int) -> None:
        self.edges = edges
        self.counts = np.zeros((pieces, len(edges) + 3), np.int64)
        self.minimum, self.maximum = np.inf, -np.inf
        self.count, self.mean, self.m2 = 0, 0.0, 0.0
        self._bins = Binner(edges)

    def add(self, values: NDArray[np.float64], pieces: Pieces | None) -> NDArray[np.integer]:
        """Count a batch; NaN is null. ``pieces`` numbers each row's piece, None for a single one. Each row's code."""
        finite = np.isfinite(values)
        if finite.all():
            codes, kept = self._bins(values), values
        else:
            kept = values[finite]
            codes = np.where(np.isnan(values), len(self.edges) + 2, len(self.edges) + 1)
            codes[finite] = self._bins(kept)
        self.counts += crossed(codes, pieces, self.counts.shape)
        if len(kept):
            with np.errstate(over="ignore", invalid="ignore"):  # a wild value makes the variance as large as can be
                mean = float(kept.mean())
                mean = mean if np.isfinite(mean) else float((kept / len(kept)).sum())
                centred = kept - mean
                m2 = float(np.nan_to_num(np.square(centred).sum()))  # a product by BLAS wakes threads that wait busily
            self.add_moments(len(kept), mean, m2, float(kept.min()), float(kept.max()))
        return codes

    def add_moments(self, count: int, mean: float, m2: float, minimum: float, maximum: float) -> None:
        """Merge the moments of further finite values."""
        self.mean, self.m2 = merge_moments(self.count, self.mean, self.m2, count, mean, m2)
        self.count += count
        self.minimum, self.maximum = min(self.minimum, minimum), max(self.maximum, maximum)

    def column(self, *, held_out: bool, ordered: bool) -> NumericColumn:
        """The finished summary; ``held_out`` pieces give its design effect."""
        design, pair_design = _designs(self.counts[:, :-2], self.counts[:, -1], held_out, ordered, numeric=True)
        totals = self.counts.sum(axis=0)
        return NumericColumn(
            nulls=int(totals[-1]),
            infinities=int(totals[-2]),
            minimum=self.minimum if self.count else None,
            maximum=self.maximum if self.count else None,
            mean=self.mean if self.count else None,
            std=float(np.sqrt(min(self.m2, np.finfo(float).max) / (self.count - 1))) if self.count > 1 else None,
            edges=tuple(self.edges.tolist()),
            counts=tuple(totals[:-2].tolist()),
            design=design,
            pair_design=pair_design,
        )


class LevelTally:
    """Counts per level of a categorical column; the last but one code counts all other values."""

    def __init__(self, levels: Iterable[str], pieces: int, border_share: float | None = 0.0) -> None:
        self.levels = tuple(levels)
        self.border_share = border_share
        self.counts = np.zeros((pieces, len(self.levels) + 2), np.int64)
        self.unseen: dict[str, int] = {}
        self._known = Levels(self.levels)
        self._value_set = pa.array(self.levels, pa.string())

    def add(self, values: pa.Array, pieces: Pieces | None) -> NDArray[np.integer]:
        """Count a batch of strings. Each row's code."""
        found = pc.index_in(values, value_set=self._value_set)
        if found.null_count > values.null_count:
            values = self._matched(values)
            found = pc.index_in(values, value_set=self._value_set)
        codes = pc.fill_null(found, len(self.levels)).to_numpy(zero_copy_only=False)
        if values.null_count:
            nulls = values.is_null().to_numpy(zero_copy_only=False)
            codes = np.where(nulls, len(self.levels) + 1, codes)
        self.counts += crossed(codes, pieces, self.counts.shape)
        if found.null_count > values.null_count:
            others = pc.value_counts(values.filter(found.is_null()).drop_null())
            self.add_unseen({item["values"]: item["counts"] for item in others.to_pylist()})
        return codes

    def _matched(self, values: pa.Array) -> pa.Array:
        """The values, those that stand for a level under its name."""
        encoded = values.dictionary_encode()
        names = [self._known.match(text) for text in encoded.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(encoded.indices)

    def add_unseen(self, levels: dict[str, int]) -> None:
        """Remember values outside the levels by name, as far as they are frequent."""
        for level, count in levels.items():
            self.unseen[level] = self.unseen.get(level, 0) + count
        if len(self.unseen) > _UNSEEN_TRACKED:
            self.unseen = most_frequent(self.unseen)

    def column(self, *, held_out: bool, ordered: bool) -> CategoricalColumn:
        """The finished summary; ``held_out`` pieces give its design effect."""
        design, pair_design = _designs(self.counts[:, :-1], self.counts[:, -1], held_out, ordered, numeric=False)
        totals = self.counts.sum(axis=0)
        return CategoricalColumn(
            nulls=int(totals[-1]),
            levels=self.levels,
            counts=tuple(totals[:-1].tolist()),
            unseen=most_frequent(self.unseen),
            border_share=self.border_share,
            design=design,
            pair_design=pair_design,
        )


class TimeTally:
    """Range of a date or timestamp column."""

    def __init__(self) -> None:
        self.count, self.nulls = 0, 0
        self.first: dt.datetime | None = None
        self.last: dt.datetime | None = None

    def add(self, values: NDArray[np.datetime64], pieces: Pieces | None = None) -> NDArray[np.integer]:
        """Take in a batch; NaT is null. A time has no code."""
        del pieces
        known = values[~np.isnat(values)].astype("datetime64[us]")
        ends = (known.min().item(), known.max().item()) if len(known) else (None, None)
        self.add_range(len(known), len(values) - len(known), *ends)
        return np.empty(0, np.int64)

    def add_range(self, count: int, nulls: int, first: Any, last: Any) -> None:
        """Merge the range of further rows."""
        self.count += count
        self.nulls += nulls
        self.first = min((t for t in (self.first, first) if t), default=None)
        self.last = max((t for t in (self.last, last) if t), default=None)

    def column(self, *, held_out: bool, ordered: bool) -> TimeColumn:
        """The finished summary."""
        del held_out, ordered
        return TimeColumn(nulls=self.nulls, count=self.count, first=self.first, last=self.last)


Tally = NumericTally | LevelTally | TimeTally


def _designs(
    values: NDArray[np.int64], nulls: NDArray[np.int64], held_out: bool, ordered: bool, *, numeric: bool
) -> tuple[DesignEffect, DesignEffect | None]:
    """Design effects of one window and, where pieces follow each other in time, of two in a row."""
    if not held_out:
        return DesignEffect(), None
    design = design_effect(values, nulls, ordered=ordered, numeric=numeric)
    return design, pair_design_effect(design, values, nulls, numeric=numeric) if ordered else None


def crossed(codes: NDArray[np.integer], pieces: Pieces | None, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Rows per piece and code."""
    flat = codes if pieces is None else pieces.astype(np.int64) * shape[1] + codes
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
