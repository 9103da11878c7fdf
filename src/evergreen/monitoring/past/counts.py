"""Coarse counts of every window so far, few bytes each, that any later champion can read.

A row is a column in a window. Numbers are counted in at most 68 cells whose edges are among those of the champion that
counted them; another champion reads them at its own edges by interpolation inside a cell, which is exact where it has
the same. Categories are counted by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evergreen.monitoring.profiles.bins import even_cells
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn, Profile, TimeColumn, ValueColumn
from evergreen.monitoring.profiles.source import Cut, FrameSource, IbisSource
from evergreen.monitoring.profiles.tally import LevelTally, NumericTally
from evergreen.rows.spans import first_of, lengths, within

COLUMNS = ("window_start", "window_end", "version", "column", "edges", "levels", "counts", "nulls")
CELLS = 68
READ_CELLS = 24
"""Cells in which windows are compared; the edges of these are among those of the cells that are kept."""
_SHOWN_LEVELS = 60
MOST_WINDOWS = 156
Floats = NDArray[np.float64]


def no_counts() -> pd.DataFrame:
    """The counts before the first window."""
    return pd.DataFrame(columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[:2], "datetime64[us]"))


def cells(column: NumericColumn, most: int = CELLS) -> NDArray[np.intp]:
    """Numbers of the column's edges that bound at most ``most`` cells of about equal share."""
    return even_cells(np.asarray(column.counts), most)


def in_cells(column: NumericColumn, chosen: NDArray[np.intp]) -> Floats:
    """The column's counts in the cells that these of its edges bound."""
    reached = np.cumsum(column.counts)[chosen]
    return np.diff([0, *reached, column.count]).astype(float)


def window_counts(window: Profile, reference: Profile, start: dt.date, end: dt.date, version: str) -> pd.DataFrame:
    """Counts of one window, to keep.

    Args:
        window: Its profile.
        reference: The profile of the champion's reference, which chooses the cells.
        start: First day.
        end: Last day.
        version: The champion that counted.
    """
    rows = []
    for name, known in reference.columns.items():
        column = window.columns.get(name)
        if isinstance(known, NumericColumn) and isinstance(column, NumericColumn):
            chosen = cells(known)
            edges = np.asarray(known.edges)[chosen]
            rows.append(_row(name, edges, [], in_cells(column, chosen), column.nulls))
        elif isinstance(known, CategoricalColumn) and isinstance(column, CategoricalColumn):
            named = np.asarray(column.counts[:-1][:_SHOWN_LEVELS], float)
            counts = [*named, column.count - named.sum()]
            rows.append(_row(name, [], known.levels[:_SHOWN_LEVELS], counts, column.nulls))
    return _frame(rows, start, end, version)


def training_counts(
    rows: pd.DataFrame, reference: Profile, date: str, window_days: int, version: str = ""
) -> pd.DataFrame:
    """Counts of the windows that training rows fall into, counted back from the newest day.

    Args:
        rows: Training rows.
        reference: Their profile.
        date: Column with the rows' date.
        window_days: Length of a window.
        version: The champion that counted.
    """
    source = FrameSource(rows)
    _, first, last = source.size(date)
    if first is None or last is None:
        return no_counts()
    pieces = min(((last - first).days + 1) // window_days, MOST_WINDOWS)
    cut = Cut(pieces, date=date, last_day=last, period_days=window_days)
    return _cut_counts(source, reference, cut, last, dt.timedelta(days=window_days), version)


def counts_by_hours(
    rows: ir.Table, reference: Profile, date: str, last: dt.datetime, length: dt.timedelta, version: str = ""
) -> pd.DataFrame:
    """Counts of the windows of hours up to a minute that rows fall into, empty ones left out.

    Args:
        rows: Rows with a time.
        reference: The profile of the champion's reference.
        date: Column with the rows' time.
        last: Last minute of the newest window.
        length: Length of a window.
        version: The champion that counted.
    """
    minutes = int(length.total_seconds()) // 60
    kept = rows.filter(within(rows[date], last - (MOST_WINDOWS - 1) * length - length, last))
    cut = Cut(MOST_WINDOWS, date=date, last_minute=last, period_minutes=minutes)
    counts = _cut_counts(IbisSource(kept), reference, cut, last, length, version)
    seen = counts["counts"].map(np.sum) + counts["nulls"] > 0
    return counts[seen.groupby(counts["window_end"]).transform("any")].reset_index(drop=True)


def _cut_counts(
    source: FrameSource | IbisSource, reference: Profile, cut: Cut, last: dt.date, length: dt.timedelta, version: str
) -> pd.DataFrame:
    columns = {
        name: column
        for name, column in reference.columns.items()
        if not isinstance(column, TimeColumn) and name in source.families
    }
    tallies: dict[str, NumericTally | LevelTally] = {
        name: NumericTally(np.asarray(column.edges)[cells(column)], cut.pieces + 1)
        if isinstance(column, NumericColumn)
        else LevelTally(column.levels[:_SHOWN_LEVELS], cut.pieces + 1)
        for name, column in columns.items()
    }
    kinds = {name: column.kind for name, column in columns.items()}
    for batch, numbers in source.batches(kinds, cut):
        for name, tally in tallies.items():
            tally.add(batch[name], numbers)
    frames = []
    for piece in range(cut.pieces):
        end = last - piece * length
        found = [_counted(name, tally, piece) for name, tally in tallies.items()]
        frames.append(_frame(found, first_of(end, length), end, version))
    return pd.concat(frames, ignore_index=True) if frames else no_counts()


def _counted(name: str, tally: NumericTally | LevelTally, piece: int) -> dict[str, object]:
    counts = tally.counts[piece]
    if isinstance(tally, NumericTally):
        return _row(name, tally.edges, [], counts[:-2], counts[-1])
    return _row(name, [], tally.levels, counts[:-1], counts[-1])


def _row(name: str, edges: object, levels: object, counts: object, nulls: object) -> dict[str, object]:
    return {
        "column": name,
        "edges": np.asarray(edges, np.float64),
        "levels": list(levels),  # type: ignore[call-overload]
        "counts": np.asarray(counts, np.int64),
        "nulls": int(nulls),  # type: ignore[call-overload]
    }


def _frame(rows: list[dict[str, object]], start: dt.date, end: dt.date, version: str) -> pd.DataFrame:
    days = {"window_start": pd.Timestamp(start), "window_end": pd.Timestamp(end), "version": version}
    return pd.DataFrame([{**days, **row} for row in rows], columns=list(COLUMNS)).astype(
        dict.fromkeys(COLUMNS[:2], "datetime64[us]")
    )


@dataclass(frozen=True)
class PastColumn:
    """Counts of one column in past windows, oldest first, on one set of cells.

    Attributes:
        edges: Edges of the cells of a number, which are among its reference's; empty for categories.
        counts: Shape (windows, cells).
        nulls: Shape (windows,).
        ends: Last day of each window, shape (windows,).
        starts: First day of each window, shape (windows,).
    """

    edges: Floats
    counts: Floats
    nulls: Floats
    ends: NDArray[np.datetime64]
    starts: NDArray[np.datetime64]


def past_columns(
    counts: pd.DataFrame, reference: Profile, start: dt.date, length: dt.timedelta, most: int = READ_CELLS
) -> dict[str, PastColumn]:
    """Each column's past on the reference's cells, from disjoint windows of one length that end before ``start``.

    Args:
        counts: What was kept, of whatever champions.
        reference: The profile of the champion's reference.
        start: First moment of the window that is looked at.
        length: Its length; windows of another length are left out.
        most: Cells a number.
    """
    if counts.empty:
        return {}
    same = lengths(counts["window_start"], counts["window_end"]) == length
    used = counts[same & (counts["window_end"] < pd.Timestamp(start))]
    kept = set(_disjoint(used["window_end"].unique(), length))
    used = used[used["window_end"].isin(kept)].drop_duplicates(["window_end", "column"], keep="last")
    found = {}
    for name, rows in used.sort_values("window_end").groupby("column"):
        column = reference.columns.get(str(name))
        if column is not None and not isinstance(column, TimeColumn):
            found[str(name)] = _past_column(rows, column, most)
    return found


def _disjoint(ends: NDArray[np.datetime64], length: dt.timedelta) -> Iterator[pd.Timestamp]:
    border = None
    for end in sorted(map(pd.Timestamp, ends), reverse=True):
        if border is None or end <= border:
            yield end
            border = end - length


def _past_column(rows: pd.DataFrame, column: ValueColumn, most: int) -> PastColumn:
    if isinstance(column, NumericColumn):
        edges = np.asarray(column.edges)[cells(column, most)]
        counts = np.stack([_read_at(edges, *pair) for pair in zip(rows["edges"], rows["counts"], strict=True)])
    else:
        edges, names = np.empty(0), column.levels[: most - 1]
        counts = np.stack([_read_levels(names, *pair) for pair in zip(rows["levels"], rows["counts"], strict=True)])
    return PastColumn(
        edges=edges,
        counts=counts,
        nulls=rows["nulls"].to_numpy(float),
        ends=rows["window_end"].to_numpy("datetime64[D]"),
        starts=rows["window_start"].to_numpy("datetime64[D]"),
    )


def _read_at(edges: Floats, known: Floats, counts: NDArray[np.int64]) -> Floats:
    """Counts in the cells of ``edges``, from counts in those of ``known``, values spread evenly inside a cell."""
    reached = np.cumsum(counts, dtype=float)
    below = np.interp(edges, known, reached[:-1]) if len(known) else np.zeros(len(edges))
    return np.diff([0.0, *below, reached[-1]])


def _read_levels(names: tuple[str, ...], known: list[str], counts: NDArray[np.int64]) -> Floats:
    found = dict(zip(known, counts, strict=False))
    named = [float(found.get(name, 0)) for name in names]
    return np.array([*named, float(np.sum(counts)) - sum(named)])
