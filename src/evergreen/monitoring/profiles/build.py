"""From a table to its profile: a reference chooses its edges and levels, a window takes them over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow.compute as pc

from evergreen.errors import EvergreenError
from evergreen.monitoring.profiles.bins import quantile_edges
from evergreen.monitoring.profiles.design_effect import MIN_WINDOWS
from evergreen.monitoring.profiles.group_tally import GroupTally, known_cells, largest_groups, own_cells
from evergreen.monitoring.profiles.profile import CategoricalColumn, Family, NumericColumn, Profile
from evergreen.monitoring.profiles.pushdown import push_down, push_down_groups, with_groups
from evergreen.monitoring.profiles.source import HASHED_PIECES, Batch, Cut, FrameSource, IbisSource, Kind, Source
from evergreen.monitoring.profiles.tally import LevelTally, NumericTally, Tally, TimeTally
from evergreen.monitoring.profiles.two_sample import border_share

_SAMPLE_ROWS = 100_000
_MOST_PIECES = 104
_IN_PROCESS = {"duckdb", "polars", "datafusion"}
_KIND_OF_FAMILY: dict[Family, Kind] = {
    "number": "numeric",
    "boolean": "numeric",
    "text": "categorical",
    "time": "time",
}
_FAMILIES_OF_KIND = {"numeric": {"number", "boolean", "null"}, "time": {"time", "null"}}


def build_profile(
    table: pd.DataFrame | ir.Table,
    reference: Profile | None = None,
    blocks: str | Sequence[str] | Any = None,
    *,
    numeric: Sequence[str] | None = None,
    categorical: Sequence[str] | None = None,
    groups: Sequence[str] = (),
    date: str | None = None,
    period_days: int = 7,
    bins: int = 256,
    max_levels: int = 200,
) -> Profile:
    """Summarise a table; each column is read once, a reference's columns once more for a sample of edges.

    A remote engine (BigQuery, Spark) counts where the data lies; DuckDB and pandas are counted in process.

    Args:
        table: Rows to summarise.
        reference: Profile whose columns, edges and levels to use; None makes a new reference.
        blocks: For a reference: columns whose joint value ties rows together (store × day, customer), or,
            for a DataFrame, one label per row. Without ``date`` they are hashed into held-out windows.
        numeric: Numeric columns of a new reference; default with ``categorical``: all by their type, but for
            blocks and date.
        categorical: Categorical columns of a new reference, whatever their type.
        groups: Columns of a new reference within whose largest groups of rows its columns are counted, too.
        date: Column with the rows' date. A reference is cut by it into held-out windows of ``period_days``.
        period_days: Length of a monitoring window.
        bins: Quantile bins of a numeric column.
        max_levels: Levels of a categorical column that are counted by name; the rest share one count.

    Returns:
        The profile; with design effects where a new reference has dates or blocks.

    Raises:
        EvergreenError: A named column is absent from a new reference's table.
    """
    source: Source = FrameSource(table) if isinstance(table, pd.DataFrame) else IbisSource(table)
    labels = _labels(blocks, source.families)
    if reference is None:
        keys = [*(labels if isinstance(labels, list) else []), *([date] if date else []), *groups]
        kinds = _kinds(source.families, numeric, categorical, keys)
    else:
        kinds = _reference_kinds(reference, source.families)
    date = date if date in source.families else None
    rows, first_day, last_day = source.size(date)
    cut = None if reference is not None else _cut(date, first_day, last_day, period_days, labels)
    pieces = cut.pieces + 1 if cut else 1
    if reference is None:
        _demand_groups(groups, source.families, kinds)
        sample = source.sample(with_groups(kinds, groups), _SAMPLE_ROWS)
        tallies = _own_tallies(sample, kinds, pieces, bins, max_levels, rows)
        grouped = _own_groups(sample, groups, tallies, pieces, rows)
    else:
        tallies = {name: _same_tally(reference, name, pieces) for name in kinds}
        grouped = _same_groups(reference, source, tallies, pieces)
    if isinstance(source, IbisSource) and source.engine not in _IN_PROCESS:
        push_down(source, kinds, cut, tallies)
        push_down_groups(source, kinds, cut, grouped)
    else:
        _count(source, kinds, cut, tallies, grouped)
    ordered = cut is not None and cut.date is not None
    return Profile(
        rows=rows,
        window_start=first_day,
        window_end=last_day,
        families=source.families,
        columns={name: t.column(held_out=cut is not None, ordered=ordered) for name, t in tallies.items()},
        groups={by: found.finished(held_out=cut is not None, ordered=ordered) for by, found in grouped.items()},
    )


def _count(
    source: Source,
    kinds: Mapping[str, Kind],
    cut: Cut | None,
    tallies: Mapping[str, Tally],
    grouped: Mapping[str, GroupTally],
) -> None:
    """Fill the tallies in this process."""
    for batch, numbers in source.batches(with_groups(kinds, grouped), cut):
        codes = {name: tally.add(batch[name], numbers) for name, tally in tallies.items()}
        for by, counted in grouped.items():
            counted.add(batch[by], numbers, codes)


def _labels(blocks: Any, families: dict[str, Family]) -> Any:
    if blocks is None:
        return None
    if isinstance(blocks, str):
        blocks = [blocks]
    if isinstance(blocks, list | tuple) and all(isinstance(name, str) for name in blocks):
        _demand(list(blocks), families, "block")
        return list(blocks)
    return blocks


def _demand_groups(groups: Sequence[str], families: dict[str, Family], kinds: Mapping[str, Kind]) -> None:
    _demand(groups, families, "group")
    numbers = [by for by in groups if kinds.get(by, "categorical") != "categorical"]
    if numbers:
        raise EvergreenError(
            f"Reference profile: {', '.join(numbers)} make groups and are numbers or times among the columns; "
            "take them out of one of the two."
        )


def _kinds(
    families: dict[str, Family],
    numeric: Sequence[str] | None,
    categorical: Sequence[str] | None,
    keys: Sequence[str],
) -> dict[str, Kind]:
    if numeric is None and categorical is None:
        free = {name: family for name, family in families.items() if name not in keys}
        return {name: _KIND_OF_FAMILY[f] for name, f in free.items() if f in _KIND_OF_FAMILY}
    _demand([*(numeric or []), *(categorical or [])], families, "feature")
    return dict.fromkeys(numeric or [], "numeric") | dict.fromkeys(categorical or [], "categorical")


def _demand(names: Sequence[str], families: dict[str, Family], role: str) -> None:
    absent = [name for name in names if name not in families]
    if absent:
        raise EvergreenError(
            f"Reference profile: {role} columns {', '.join(absent)} are not in the table, which has "
            f"{', '.join(families)}; correct the column names."
        )


def _reference_kinds(reference: Profile, families: dict[str, Family]) -> dict[str, Kind]:
    """The reference's columns that this table has and that still have a type to be counted by."""
    kinds = {name: column.kind for name, column in reference.columns.items() if name in families}
    return {
        name: kind for name, kind in kinds.items() if kind == "categorical" or families[name] in _FAMILIES_OF_KIND[kind]
    }


def _cut(date: str | None, first: dt.date | None, last: dt.date | None, period_days: int, labels: Any) -> Cut | None:
    if first and last:
        pieces = min(((last - first).days + 1) // period_days, _MOST_PIECES)
        if pieces >= MIN_WINDOWS:
            return Cut(pieces, date=date, last_day=last, period_days=period_days)
    return None if labels is None else Cut(HASHED_PIECES, blocks=labels)


def _own_tallies(
    sample: Batch, kinds: dict[str, Kind], pieces: int, bins: int, max_levels: int, rows: int
) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for name, kind in kinds.items():
        if kind == "numeric":
            finite = sample[name][np.isfinite(sample[name])]
            tallies[name] = NumericTally(quantile_edges(finite, bins), pieces)
        elif kind == "categorical":
            counted = pc.value_counts(sample[name].drop_null()).to_pylist()
            ranked = sorted(counted, key=lambda item: (-item["counts"], item["values"]))
            border = _border_share([item["counts"] for item in ranked], max_levels, whole=len(sample[name]) >= rows)
            tallies[name] = LevelTally((item["values"] for item in ranked[:max_levels]), pieces, border)
        else:
            tallies[name] = TimeTally()
    return tallies


def _own_groups(
    sample: Batch, groups: Sequence[str], tallies: Mapping[str, Tally], pieces: int, rows: int
) -> dict[str, GroupTally]:
    cells = {name: own_cells(tally, sample[name]) for name, tally in tallies.items()} if groups else {}
    found: dict[str, GroupTally] = {}
    for by in groups:
        counted = {name: chosen for name, chosen in cells.items() if chosen is not None and name != by}
        found[by] = GroupTally(largest_groups(sample[by], rows), counted, tallies, pieces)
    return found


def _border_share(counts: Sequence[int], max_levels: int, *, whole: bool) -> float:
    """Share of rows below which chance decided whether a level is listed: four errors above the last one that is."""
    sampled = sum(counts)
    if not sampled or (len(counts) <= max_levels and whole):
        return 0.0
    last = counts[max_levels - 1] if len(counts) > max_levels else 1
    return border_share(last, sampled)


def _same_groups(
    reference: Profile, source: Source, tallies: Mapping[str, Tally], pieces: int
) -> dict[str, GroupTally]:
    """The reference's groups, as far as this table has the column that makes them."""
    return {
        by: GroupTally(
            known.groups,
            {name: known_cells(column) for name, column in known.columns.items() if name in tallies},
            tallies,
            pieces,
        )
        for by, known in reference.groups.items()
        if by in source.families
    }


def _same_tally(reference: Profile, name: str, pieces: int) -> Tally:
    column = reference.columns[name]
    if isinstance(column, NumericColumn):
        return NumericTally(np.asarray(column.edges), pieces)
    if isinstance(column, CategoricalColumn):
        return LevelTally(column.levels, pieces, column.border_share)
    return TimeTally()
