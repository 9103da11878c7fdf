"""Whether a shift is what comes each year: earlier years' windows that stood out at the same time.

A window alarms only where it differs both from the reference and from the reference moved as an earlier year's window
stood off those before it, whole or in part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evergreen.monitoring.parameters import SeasonPolicy
from evergreen.monitoring.past.counts import READ_CELLS, PastColumn, cells, in_cells
from evergreen.monitoring.past.replay import MEDIAN_CHI_SQUARE, replayed
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn, Profile, ValueColumn
from evergreen.monitoring.profiles.two_sample import (
    chi_square,
    ks_distance,
    normal_score_z,
    pool_rare_levels,
    pooled,
    size_factor,
    squared_normal_score_z,
)

Floats = NDArray[np.float64]
_YEAR = np.timedelta64(365, "D")
_PARTS = (0.25, 0.5, 0.75, 1.0)
_STANDS_OUT = 3.0
_WEEKS_AROUND = 2
TRAILING_DAYS = 182


@dataclass(frozen=True)
class Alternative:
    """What a column would look like this season, had it moved as it did in an earlier year.

    Attributes:
        year_before: First day of the earlier window.
        reference: The reference, moved, in a few cells; as many rows as the reference has.
        window: The window in the same cells.
        inflation: By how much the earlier window's own noise widens the comparison.
    """

    year_before: dt.date
    reference: ValueColumn
    window: ValueColumn
    inflation: float


def alternatives(
    reference: Profile,
    window: Profile,
    past: Mapping[str, PastColumn],
    start: dt.date,
    calendar: Sequence[SeasonPolicy] = (),
) -> dict[str, list[Alternative]]:
    """For each column, how earlier years would have moved its reference by now.

    Candidates are windows of earlier years within two weeks of the same day that stood out: at least three standard
    errors off the half year before them, the error from the median of all replayed windows, which seasons hardly move.
    Where the window lies in a season that the calendar knows, they are that season's earlier windows, whether or not
    they stood out.

    Args:
        reference: Profile of the champion's reference.
        window: Profile of the window.
        past: Counts of past windows.
        start: The window's first day.
        calendar: Known seasons and special days.
    """
    found = {}
    for name, column in past.items():
        known, new = reference.columns.get(name), window.columns.get(name)
        now = {season.name for season in calendar if season.holds(start, _last(column, start))}
        same = [season for season in calendar if season.name in now]
        if isinstance(known, NumericColumn) and isinstance(new, NumericColumn):
            coarse: tuple[ValueColumn, ValueColumn] = _coarse_numeric(known, new)
        elif isinstance(known, CategoricalColumn) and isinstance(new, CategoricalColumn):
            coarse = _coarse_levels(known, new)
        else:
            continue
        h = float(size_factor(max(known.count, 1), max(new.count, 1)))
        moved = [
            Alternative(move.first, moved_by(coarse[0], move.off * part), coarse[1], 1 + part**2 * move.h / h)
            for move in _seasonal_moves(column, start, same)
            for part in _PARTS
        ]
        if moved:
            found[name] = moved
    return found


def _last(column: PastColumn, start: dt.date) -> dt.date:
    length = column.ends[-1] - column.starts[-1] if len(column.ends) else np.timedelta64(0, "D")
    return (np.datetime64(start, "D") + length).item()


@dataclass(frozen=True)
class _Move:
    """First day of a candidate, how its shares stood off those of the half year before it, and ``1/n + 1/m``."""

    first: dt.date
    off: Floats
    h: float


def _seasonal_moves(column: PastColumn, start: dt.date, same: Sequence[SeasonPolicy]) -> list[_Move]:
    days = int((column.ends[-1] - column.starts[-1]).astype(int)) + 1 if len(column.ends) else 7
    length = max(1, min(TRAILING_DAYS // days, len(column.counts) // 3))
    if len(column.counts) < length + 2:
        return []
    windows, before = replayed(column.counts, length, 1)
    held = (windows.sum(axis=1) > 0) & (before.sum(axis=1) > 0)  # one without a value says nothing of the others
    windows, before, firsts = windows[held], before[held], column.starts[length:][held]
    if not len(windows):
        return []
    z = _standardised(windows, before, numeric=bool(len(column.edges)))
    share, usual = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) for counts in (windows, before))
    if same:
        lasts = column.ends[length:][held]
        chosen = [any(s.holds(a.item(), b.item()) for s in same) for a, b in zip(firsts, lasts, strict=True)]
    else:
        chosen = ((z >= _STANDS_OUT) & _same_time_of_year(firsts, start)).tolist()
    h = _size_factor(windows, before)
    return [_Move(firsts[i].item(), share[i] - usual[i], float(h[i])) for i in np.flatnonzero(chosen)]


def _same_time_of_year(firsts: NDArray[np.datetime64], start: dt.date) -> NDArray[np.bool_]:
    age = np.datetime64(start, "D") - firsts
    years = np.rint(age / _YEAR)
    off = np.abs(age / np.timedelta64(1, "D") - years * 365.25)
    return np.asarray((years >= 1) & (off <= 7 * _WEEKS_AROUND + 3))


def _standardised(windows: Floats, before: Floats, *, numeric: bool) -> Floats:
    """How far each window stands off, near |z| of a normal where nothing does; the largest of several statistics."""
    if not numeric:
        groups = pool_rare_levels(before.mean(axis=0), windows.mean(axis=0))
        if len(groups) < 2:
            return np.zeros(len(windows))
        return _by_median(chi_square(pooled(before, groups), pooled(windows, groups))[0])
    distance = ks_distance(before, windows) ** 2 / _size_factor(windows, before)
    scores = [statistic(before, windows) ** 2 for statistic in (normal_score_z, squared_normal_score_z)]
    return np.max([_by_median(squared) for squared in (distance, *scores)], axis=0)


def _by_median(squared: Floats) -> Floats:
    middle = float(np.median(squared))
    return np.sqrt(squared / middle * MEDIAN_CHI_SQUARE) if middle > 0 else np.zeros(len(squared))


def _size_factor(windows: Floats, before: Floats) -> Floats:
    return size_factor(np.maximum(windows.sum(axis=1), 1), np.maximum(before.sum(axis=1), 1))


def _coarse_numeric(known: NumericColumn, new: NumericColumn) -> tuple[NumericColumn, NumericColumn]:
    chosen = cells(known, READ_CELLS)
    edges = tuple(np.asarray(known.edges)[chosen].tolist())
    reduced = [
        side.model_copy(update={"edges": edges, "counts": tuple(in_cells(side, chosen).astype(int).tolist())})
        for side in (known, new)
    ]
    return reduced[0], reduced[1]


def _coarse_levels(known: CategoricalColumn, new: CategoricalColumn) -> tuple[CategoricalColumn, CategoricalColumn]:
    names = known.levels[: READ_CELLS - 1]
    reduced = []
    for side in (known, new):
        named = side.counts[: len(names)]
        counts = (*named, side.count - sum(named))
        reduced.append(side.model_copy(update={"levels": names, "counts": counts, "unseen": {}, "border_share": 0.0}))
    return reduced[0], reduced[1]


def moved_by(known: ValueColumn, off: Floats) -> ValueColumn:
    """The reference with its shares moved, and as many rows.

    Args:
        known: The reference.
        off: By how much each cell's share moves; where none would be left, it is none.
    """
    rows = known.count
    share = np.maximum(np.asarray(known.counts, float) / max(rows, 1) + off, 0.0)
    counts = np.rint(share / share.sum() * rows).astype(int)
    return known.model_copy(update={"counts": tuple(counts.tolist())})
