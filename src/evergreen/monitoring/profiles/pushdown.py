"""Counting where the data lies: a profile's tallies as a few Ibis queries for a remote engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evergreen.monitoring.profiles.group_tally import GroupTally
from evergreen.monitoring.profiles.profile import UNSEEN_LEVELS_KEPT
from evergreen.monitoring.profiles.source import Cut, IbisSource, Kind
from evergreen.monitoring.profiles.tally import LevelTally, NumericTally, Tally, TimeTally
from evergreen.rows.canonical import Levels

_COLUMNS_PER_QUERY = 20


@ibis.udf.scalar.builtin(name="RANGE_BUCKET")
def _edges_reached(value: float, edges: dtypes.Array(dtypes.float64)) -> int:  # type: ignore[empty-body, valid-type]
    """BigQuery's own binary search: the number of ascending edges that are not above the value."""


def push_down(source: IbisSource, kinds: Mapping[str, Kind], cut: Cut | None, tallies: Mapping[str, Tally]) -> None:
    """Fill the tallies; the engine answers with counts, never with rows.

    Args:
        source: The remote table.
        kinds: Kind of each profiled column.
        cut: How to cut a reference into held-out windows; None for a window.
        tallies: Empty tallies by column, filled in place.
    """
    names = list(kinds)
    for start in range(0, len(names), _COLUMNS_PER_QUERY):
        group = {name: kinds[name] for name in names[start : start + _COLUMNS_PER_QUERY]}
        table = source.selected(group, cut, source.table)
        ours = {f"c{i}": tallies[name] for i, name in enumerate(group)}
        _take_counts(count_query(table, ours, source.engine).to_pyarrow(), ours)
        _take_moments(moment_query(table, ours).to_pyarrow().to_pylist()[0], ours)
        _take_unseen(table, ours)


def with_groups(kinds: Mapping[str, Kind], groups: Iterable[str]) -> dict[str, Kind]:
    """The columns to read: those that are profiled, and those that make groups."""
    return {**kinds, **dict.fromkeys(groups, "categorical")}


def push_down_groups(
    source: IbisSource, kinds: Mapping[str, Kind], cut: Cut | None, grouped: Mapping[str, GroupTally]
) -> None:
    """Fill the tallies by group; the engine answers with counts here, too.

    Args:
        source: The remote table.
        kinds: Kind of each profiled column.
        cut: How to cut a reference into held-out windows; None for a window.
        grouped: Empty tallies by the column that makes the groups, filled in place.
    """
    for by, counted in grouped.items():
        names = list(counted.columns)
        for start in range(0, len(names), _COLUMNS_PER_QUERY):
            chosen = {name: kinds[name] for name in names[start : start + _COLUMNS_PER_QUERY] if name != by}
            table = source.selected({**chosen, by: "categorical"}, cut, source.table)
            group = _code(table[f"c{len(chosen)}"], counted.coded, source.engine)
            piece = table.piece.cast("int64") if cut is not None else ibis.literal(0, "int64")
            ours = {f"c{i}": counted.columns[name] for i, name in enumerate(chosen)}
            if start == 0:
                _take_rows(table.select(group=group), counted)
            sections = table.mutate(piece=piece * counted.sections + group)
            _take_counts(count_query(sections, ours, source.engine).to_pyarrow(), ours)


def _take_rows(groups: ir.Table, counted: GroupTally) -> None:
    for cell in groups.group_by("group").agg(rows=groups.count()).to_pyarrow().to_pylist():
        counted.coded.counts[0, cell["group"]] += cell["rows"]


def count_query(table: ir.Table, tallies: Mapping[str, Tally], engine: str) -> ir.Table:
    """Rows per column, piece and code, in one pass; empty where no column is counted by code."""
    counted = {key: tally for key, tally in tallies.items() if not isinstance(tally, TimeTally)}
    coded = {key: _code(table[key], tally, engine) for key, tally in counted.items()}
    piece = table.piece if "piece" in table.columns else ibis.literal(0)
    long = table.select(piece=piece.cast("int64"), **coded).pivot_longer(list(coded), names_to="key", values_to="code")
    return long.group_by(["key", "piece", "code"]).agg(rows=long.count())


def moment_query(table: ir.Table, tallies: Mapping[str, Tally]) -> ir.Table:
    """Moments of finite values and ranges of times, one row."""
    asked: dict[str, ir.Value] = {"rows": table.count()}
    for key, tally in tallies.items():
        if isinstance(tally, LevelTally):
            continue
        column = table[key]
        if isinstance(tally, NumericTally):
            column = ibis.ifelse(column.isinf(), ibis.null("float64"), column)
            asked |= {f"{key}_mean": column.mean(), f"{key}_var": column.var(how="pop")}
        asked |= {f"{key}_n": column.count(), f"{key}_min": column.min(), f"{key}_max": column.max()}
    return table.agg(**asked)


def _code(column: ir.Value, tally: NumericTally | LevelTally, engine: str) -> ir.Value:
    size = tally.counts.shape[1]
    if isinstance(tally, LevelTally):
        spelt = Levels(tally.levels).spellings()
        texts = [[level, *spelt.get(level, [])] for level in tally.levels]
        is_level = [column == forms[0] if len(forms) == 1 else column.isin(forms) for forms in texts]
        branches = [(found, ibis.literal(i, "int64")) for i, found in enumerate(is_level)]
        found = ibis.cases(*branches, else_=len(tally.levels)) if branches else ibis.literal(0, "int64")
        return ibis.ifelse(column.isnull(), size - 1, found).cast("int64")
    number = _range_bucket if engine == "bigquery" else _bin_number
    found = ibis.ifelse(column.isinf(), size - 2, number(column, tally.edges))
    return ibis.ifelse(column.isnull(), size - 1, found).cast("int64")


def _bin_number(column: ir.Value, edges: NDArray[np.float64]) -> ir.Value:
    """Number of edges below the value, as a binary search of nested conditions."""

    def between(low: int, high: int) -> ir.Value:
        if low == high:
            return ibis.literal(low, "int64")
        middle = (low + high) // 2
        return ibis.ifelse(column <= float(edges[middle]), between(low, middle), between(middle + 1, high))

    return between(0, len(edges))


def _range_bucket(column: ir.Value, edges: NDArray[np.float64]) -> ir.Value:
    """The same number in one short call: edges below a value are those that its negative does not reach."""
    mirrored = ibis.literal((-edges[::-1]).tolist(), "array<float64>")
    return len(edges) - _edges_reached(-column, mirrored)


def _take_counts(counted: pa.Table, tallies: Mapping[str, Tally]) -> None:
    for cell in counted.to_pylist():
        tally = tallies[cell["key"]]
        if not isinstance(tally, TimeTally):
            tally.counts[cell["piece"], cell["code"]] += cell["rows"]


def _take_moments(row: Mapping[str, Any], tallies: Mapping[str, Tally]) -> None:
    for key, tally in tallies.items():
        if isinstance(tally, LevelTally):
            continue
        count = int(row[f"{key}_n"])
        low, high = row[f"{key}_min"], row[f"{key}_max"]
        if isinstance(tally, TimeTally):
            tally.add_range(count, int(row["rows"]) - count, low, high)
        elif count:
            spread = float(row[f"{key}_var"]) * count
            tally.add_moments(count, float(row[f"{key}_mean"]), spread, float(low), float(high))


def _take_unseen(table: ir.Table, tallies: Mapping[str, Tally]) -> None:
    for key, tally in tallies.items():
        if isinstance(tally, LevelTally) and tally.counts[:, -2].any():
            column = table[key]
            known = column.notnull()
            texts = [*tally.levels, *chain.from_iterable(Levels(tally.levels).spellings().values())]
            outside = table.filter(known & column.notin(texts) if texts else known)
            found = outside.group_by(level=column).agg(rows=outside.count())
            top = found.order_by([ibis.desc("rows"), "level"]).limit(UNSEEN_LEVELS_KEPT).to_pyarrow().to_pylist()
            tally.add_unseen({item["level"]: item["rows"] for item in top})
