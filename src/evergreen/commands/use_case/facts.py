"""What does a file hold? Types, nulls, levels and extremes of every column, counted by DuckDB where it lies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from evergreen.commands.use_case.opening import OpenTable, is_key, quoted
from evergreen.errors import EvergreenError

Kind = Literal["number", "text", "truth", "date", "other"]
SAMPLE_ROWS = 20_000
_NEAR_ALL = 0.8  # approximate counts of levels are off by some per cent: above this share they are counted exactly
_MOST = 0.9  # share of texts that must be numbers or dates for the column to be called one
_KINDS: dict[str, Kind] = {"VARCHAR": "text", "BOOLEAN": "truth", "DATE": "date"}
_NUMBERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL(\(.*\))?")  # DOUBLE[] is a list
_MOMENTS = re.compile(r"TIMESTAMP(_\w+| WITH TIME ZONE)?")
_DAYS = (19000101, 21991231)


@dataclass(frozen=True)
class ColumnFacts:
    """One column, counted.

    Attributes:
        name: Its name.
        kind: What it holds; texts that are nearly all numbers or dates are called so.
        stored: DuckDB's type.
        nulls: Rows without a value; empty texts count.
        levels: Different values; exact where they are nearly as many as the rows.
        least: Smallest number or date, texts that hold one read so; None of other texts, which cost most to compare.
        greatest: Largest of them.
        length: Mean length of texts, in bytes.
    """

    name: str
    kind: Kind
    stored: str
    nulls: int
    levels: int
    least: Any
    greatest: Any
    length: float | None = None

    @property
    def key_like(self) -> bool:
        """Whether its name is one that keys have."""
        return is_key(self.name)


@dataclass(frozen=True)
class TableFacts:
    """A file, counted.

    Attributes:
        file: Where it lies.
        rows: Number of rows.
        columns: Its columns by name, in the file's order.
        sample: At most 20,000 of its rows.
        outcomes: Values of the target, as written in the file, with their numbers of rows, most frequent first.
        format: ``csv`` or ``parquet``.
        load_args: Options of reading that a run needs, too.
        zones: Columns whose moments have a time zone → the zone that the file names.
    """

    file: Path
    rows: int
    columns: dict[str, ColumnFacts]
    sample: pd.DataFrame
    outcomes: dict[Any, int]
    format: str = "parquet"
    load_args: Mapping[str, Any] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)


def table_facts(table: OpenTable, target: str) -> TableFacts:
    """Count a table once, and what is near a key exactly.

    Args:
        table: The open file.
        target: The outcome's column.

    Raises:
        EvergreenError: Where the table has no such column, or no row.
    """
    names = table.connection.sql("select * from data limit 0").columns
    if target not in names:
        raise EvergreenError(f"{table.file.name} has no column {target}: --target is one of {', '.join(names)}.")
    rows = int(table.one("select count(*) as n from data")["n"])
    if rows == 0:
        raise EvergreenError(f"{table.file.name} has no rows: at least some hundred are needed.")
    sample = table.connection.sql(f"select * from data using sample reservoir({SAMPLE_ROWS} rows) repeatable (0)").df()
    columns = _counted(table, rows, sample)
    outcome = quoted(target)
    top = f"select {outcome}, count(*) from data where {outcome} is not null group by 1 order by 2 desc, 1 limit 20"
    outcomes = dict(table.connection.sql(top).fetchall())
    return TableFacts(table.file, rows, columns, sample, outcomes, table.format, table.load_args, table.zones)


def _counted(table: OpenTable, rows: int, sample: pd.DataFrame) -> dict[str, ColumnFacts]:
    found = table.connection.sql("select * from data limit 0")
    stored = dict(zip(found.columns, map(str, found.types), strict=True))
    kinds = {name: _kind(stored[name], sample[name]) for name in stored}
    counted = table.one(
        f"select {', '.join(_counts(name, i, stored[name], kinds[name]) for i, name in enumerate(stored))} from data"
    )
    columns = {}
    for i, (name, kind) in enumerate(kinds.items()):
        facts = ColumnFacts(
            name, kind, stored[name], rows - counted[f"v{i}"], counted[f"l{i}"], counted[f"s{i}"], counted[f"g{i}"],
            counted[f"t{i}"],
        )  # fmt: skip
        if counted[f"p{i}"] is not None and counted[f"p{i}"] < _MOST * counted[f"v{i}"]:
            facts = replace(facts, kind="text")
        columns[name] = facts
    near = [c for c in columns.values() if c.levels >= _NEAR_ALL * (rows - c.nulls) and not _measured(c)]
    if near:
        exact = table.one(
            f"select {', '.join(f'count(distinct {quoted(c.name)}) as d{i}' for i, c in enumerate(near))} from data"
        )
        columns |= {c.name: replace(c, levels=exact[f"d{i}"]) for i, c in enumerate(near)}
    return columns


def _measured(column: ColumnFacts) -> bool:
    """Whether a column holds measured numbers, of which nearly all differ without telling rows apart."""
    return column.stored in ("DOUBLE", "FLOAT") and not all(
        float(value).is_integer() for value in (column.least, column.greatest) if value is not None
    )


def _counts(name: str, i: int, stored: str, kind: Kind) -> str:
    """Values, levels, extremes, length, and how many texts are what they seem, of one column."""
    column = quoted(name)
    value = f"nullif({column}, '')" if stored == "VARCHAR" else column
    length = f"avg(strlen({column}))" if stored == "VARCHAR" else "null"
    seems = {"number": "double", "date": "timestamp"}.get(kind) if stored == "VARCHAR" else None
    read = f"try_cast({column} as {seems})" if seems else column
    parsed = f"count({read})" if seems else "null"
    extremes = ("null", "null") if stored == "VARCHAR" and not seems else (f"min({read})", f"max({read})")
    return (
        f"count({value}) as v{i}, approx_count_distinct({value}) as l{i}, "
        f"{extremes[0]} as s{i}, {extremes[1]} as g{i}, {length} as t{i}, {parsed} as p{i}"
    )


def _kind(stored: str, sample: pd.Series) -> Kind:
    """What a column holds by its type, and by a sample of its texts."""
    if _MOMENTS.fullmatch(stored):
        return "date"
    if stored != "VARCHAR":
        number = _NUMBERS.fullmatch(stored)
        if number and _are_days(sample):
            return "date"
        return "number" if number else _KINDS.get(stored, "other")
    texts = sample.dropna().astype(str).str.strip()
    texts = texts[texts != ""].head(1000)
    if texts.empty:
        return "text"
    if pd.to_numeric(texts, errors="coerce").notna().mean() >= _MOST:
        return "number"
    dated = texts.str.match(r"\d{4}-\d{2}-\d{2}").mean() >= _MOST
    return "date" if dated else "text"


def _are_days(sample: pd.Series) -> bool:
    """Whether numbers are days as yyyymmdd, each a day that there is."""
    numbers = sample.dropna().head(1000).astype("float64")
    if numbers.empty or not numbers.between(*_DAYS).all() or (numbers % 1).any():
        return False
    return bool(pd.to_datetime(numbers.astype("int64").astype("str"), format="%Y%m%d", errors="coerce").notna().all())
