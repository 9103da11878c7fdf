"""The constant-size statistical summary of a table, and how two of them add up."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evergreen.errors import EvergreenError
from evergreen.monitoring.profiles.groups import GroupCounts, merge_groups
from evergreen.records import Frozen

Family = Literal["number", "boolean", "text", "time", "null", "other"]
UNSEEN_LEVELS_KEPT = 20


class DesignEffect(Frozen):
    """By how much dependence between rows inflates the variance of a column's test statistics.

    Attributes:
        values: Inflation of the squared Kolmogorov–Smirnov distance, or of chi-square; at least 1.
        ranks: Inflation of the squared van der Waerden z; at least 1.
        scales: Inflation of the squared Klotz z; at least 1. None where it was not measured: the larger of the
            others.
        nulls: Inflation of the variance of the null share; at least 1.
        windows: Effective number of held-out windows that the inflations rest on; None where rows are
            taken as independent.
        autocorrelation: Cautious correlation of neighbouring windows; None where it was not measured.
    """

    values: float = 1.0
    ranks: float = 1.0
    scales: float | None = None
    nulls: float = 1.0
    windows: float | None = None
    autocorrelation: float | None = None

    @property
    def of_scales(self) -> float:
        """Inflation of the squared Klotz z."""
        return max(self.values, self.ranks) if self.scales is None else self.scales

    def times(self, factor: float) -> DesignEffect:
        """The design effect with every inflation multiplied."""
        inflated = {name: getattr(self, name) * factor for name in ("values", "ranks", "nulls")}
        return self.model_copy(update={**inflated, "scales": self.of_scales * factor})


class NumericColumn(Frozen):
    """One numeric (or boolean) column: moments of its finite values and a histogram on given edges.

    Attributes:
        nulls: Rows without a value; NaN counts as null.
        infinities: Rows with an infinite value.
        minimum: Smallest finite value; None without any.
        maximum: Largest finite value; None without any.
        mean: Mean of the finite values; None without any.
        std: Sample standard deviation of the finite values; None below two.
        edges: Strictly increasing bin edges.
        counts: Finite values per bin, one more than edges: bin i holds edge[i-1] < x <= edge[i].
        design: What row dependence does to this column's tests.
        pair_design: The same for two windows in a row taken as one; None where that was not measured.
    """

    kind: Literal["numeric"] = "numeric"
    nulls: int
    infinities: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    design: DesignEffect = DesignEffect()
    pair_design: DesignEffect | None = None

    @property
    def count(self) -> int:
        """Number of finite values."""
        return sum(self.counts)

    @property
    def rows(self) -> int:
        """Number of rows, with or without a value."""
        return self.count + self.nulls + self.infinities

    def quantile(self, q: float) -> float | None:
        """Quantile read off the histogram, linear inside a bin; None without values."""
        if self.minimum is None or self.maximum is None:
            return None
        limits = np.clip([self.minimum, *self.edges, self.maximum], self.minimum, self.maximum)
        below = np.concatenate([[0], np.cumsum(self.counts)]) / self.count
        return float(np.interp(q, below, limits))


class CategoricalColumn(Frozen):
    """One categorical column: counts of the reference's levels, and of everything else.

    Attributes:
        nulls: Rows without a value.
        levels: The reference's levels, most frequent first.
        counts: Rows per level; the last number counts all other values.
        unseen: The most frequent values outside ``levels``, with their counts.
        border_share: Share of the reference's rows below which a level might as well not have been listed, so that
            its count there is too large by chance; 0 where every level is listed, None in profiles that don't know
            it.
        design: What row dependence does to this column's tests.
        pair_design: The same for two windows in a row taken as one; None where that was not measured.
    """

    kind: Literal["categorical"] = "categorical"
    nulls: int
    levels: tuple[str, ...]
    counts: tuple[int, ...]
    unseen: dict[str, int] = Field(default_factory=dict)
    border_share: float | None = None
    design: DesignEffect = DesignEffect()
    pair_design: DesignEffect | None = None

    @property
    def count(self) -> int:
        """Number of rows with a value."""
        return sum(self.counts)

    @property
    def rows(self) -> int:
        """Number of rows, with or without a value."""
        return self.count + self.nulls

    @property
    def infinities(self) -> int:
        """No category is infinite."""
        return 0


class TimeColumn(Frozen):
    """One date or timestamp column: only its range; calendars don't drift, they pass.

    Attributes:
        nulls: Rows without a value.
        count: Rows with a value.
        first: Earliest value.
        last: Latest value.
    """

    kind: Literal["time"] = "time"
    nulls: int
    count: int
    first: dt.datetime | None
    last: dt.datetime | None

    @property
    def rows(self) -> int:
        """Number of rows, with or without a value."""
        return self.count + self.nulls


ValueColumn = NumericColumn | CategoricalColumn
Column = Annotated[NumericColumn | CategoricalColumn | TimeColumn, Field(discriminator="kind")]


class Profile(Frozen):
    """What monitoring remembers of a table, whatever its length.

    Attributes:
        rows: Number of rows.
        window_start: First day that the rows speak of, where known.
        window_end: Last day that the rows speak of, where known.
        families: Type family of every column of the table, profiled or not.
        columns: Summaries by column name.
        groups: Counts of the columns within the values of other ones, by the latter's name.
    """

    rows: int
    window_start: dt.date | None = None
    window_end: dt.date | None = None
    families: dict[str, Family]
    columns: dict[str, Column]
    groups: dict[str, GroupCounts] = Field(default_factory=dict)


def merge(a: Profile, b: Profile) -> Profile:
    """Profile of both tables' rows together, as if they had been one table.

    Args:
        a: Profile of one part.
        b: Profile of the other part, on the same edges and levels.

    Raises:
        EvergreenError: The parts were built on different columns, edges or levels.
    """
    if a.columns.keys() != b.columns.keys():
        differing = sorted(a.columns.keys() ^ b.columns.keys())
        raise EvergreenError(
            f"Profiles to merge: columns {', '.join(differing)} stand in one part only; "
            "build both parts from the same columns with the same reference."
        )
    starts = [day for day in (a.window_start, b.window_start) if day]
    ends = [day for day in (a.window_end, b.window_end) if day]
    return Profile(
        rows=a.rows + b.rows,
        window_start=min(starts, default=None),
        window_end=max(ends, default=None),
        families=b.families | {name: kind for name, kind in a.families.items() if kind != "null"},
        columns={name: merge_columns(name, column, b.columns[name]) for name, column in a.columns.items()},
        groups=merge_groups(a.groups, b.groups),
    )


def merge_columns(name: str, a: Column, b: Column) -> Column:
    """Summary of one column's rows from both parts; see ``merge``."""
    if isinstance(a, NumericColumn) and isinstance(b, NumericColumn) and a.edges == b.edges:
        return _merge_numeric(a, b)
    if isinstance(a, CategoricalColumn) and isinstance(b, CategoricalColumn) and a.levels == b.levels:
        unseen = {level: a.unseen.get(level, 0) + b.unseen.get(level, 0) for level in a.unseen | b.unseen}
        return CategoricalColumn(
            nulls=a.nulls + b.nulls,
            levels=a.levels,
            counts=_sum(a.counts, b.counts),
            unseen=most_frequent(unseen),
            border_share=a.border_share,
            design=larger_design(a.design, b.design),
        )
    if isinstance(a, TimeColumn) and isinstance(b, TimeColumn):
        return TimeColumn(
            nulls=a.nulls + b.nulls,
            count=a.count + b.count,
            first=min((t for t in (a.first, b.first) if t), default=None),
            last=max((t for t in (a.last, b.last) if t), default=None),
        )
    raise EvergreenError(
        f"Profiles to merge: column {name} has other edges, levels or another kind in each part; "
        "build both parts with the same reference."
    )


def most_frequent(levels: dict[str, int]) -> dict[str, int]:
    """The levels worth keeping by name, most frequent first, ties by name."""
    ranked = sorted(levels.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:UNSEEN_LEVELS_KEPT])


def merge_moments(n_a: int, mean_a: float, m2_a: float, n_b: int, mean_b: float, m2_b: float) -> tuple[float, float]:
    """Mean and centred sum of squares of two parts together (Chan, Golub and LeVeque 1979)."""
    n = n_a + n_b
    if n_a == 0 or n_b == 0:
        return (mean_b, m2_b) if n_b else (mean_a, m2_a)
    gap = mean_b - mean_a
    return mean_a + gap * (n_b / n), m2_a + m2_b + gap * gap * (n_a * (n_b / n))


def _merge_numeric(a: NumericColumn, b: NumericColumn) -> NumericColumn:
    n_a, n_b = a.count, b.count
    mean, m2 = merge_moments(n_a, a.mean or 0.0, _m2(a), n_b, b.mean or 0.0, _m2(b))
    n = n_a + n_b
    return NumericColumn(
        nulls=a.nulls + b.nulls,
        infinities=a.infinities + b.infinities,
        minimum=min((x for x in (a.minimum, b.minimum) if x is not None), default=None),
        maximum=max((x for x in (a.maximum, b.maximum) if x is not None), default=None),
        mean=mean if n else None,
        std=float(np.sqrt(m2 / (n - 1))) if n > 1 else None,
        edges=a.edges,
        counts=_sum(a.counts, b.counts),
        design=larger_design(a.design, b.design),
    )


def _m2(column: NumericColumn) -> float:
    return 0.0 if column.std is None else column.std**2 * (column.count - 1)


def _sum(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    total: NDArray[np.int64] = np.asarray(a, np.int64) + np.asarray(b, np.int64)
    return tuple(total.tolist())


def larger_design(a: DesignEffect, b: DesignEffect) -> DesignEffect:
    """The more cautious of two design effects, entry by entry."""
    windows = [n for n in (a.windows, b.windows) if n is not None]
    return DesignEffect(
        values=max(a.values, b.values),
        ranks=max(a.ranks, b.ranks),
        scales=None if a.scales is None and b.scales is None else max(a.of_scales, b.of_scales),
        nulls=max(a.nulls, b.nulls),
        windows=min(windows, default=None),
        autocorrelation=max((rho for rho in (a.autocorrelation, b.autocorrelation) if rho is not None), default=None),
    )
