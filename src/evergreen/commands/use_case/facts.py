"""What does a file hold? Types, nulls, levels and extremes of every column, counted by DuckDB where it lies."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd

from evergreen.errors import EvergreenError

Kind = Literal["number", "text", "truth", "date", "other"]
CSV, PARQUET, WORKBOOK = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".xlsx", ".xls", ".xlsm", ".ods")
SAMPLE_ROWS = 20_000
_NEAR_ALL = 0.8  # approximate counts of levels are off by some per cent: above this share they are counted exactly
_MOST = 0.9  # share of texts that must be numbers or dates for the column to be called one
_KINDS: dict[str, Kind] = {"VARCHAR": "text", "BOOLEAN": "truth", "DATE": "date"}
_KEY = re.compile(r"(^|_)(id|key|no|nr|number|code|uuid|guid)$")


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
        return bool(_KEY.search(snake(self.name)))


@dataclass(frozen=True)
class TableFacts:
    """A file, counted.

    Attributes:
        file: Where it lies.
        rows: Number of rows.
        columns: Its columns by name, in the file's order.
        sample: At most 20,000 of its rows.
        outcomes: Values of the target, as written in the file, with their numbers of rows, most frequent first.
    """

    file: Path
    rows: int
    columns: dict[str, ColumnFacts]
    sample: pd.DataFrame
    outcomes: dict[Any, int]


@dataclass(frozen=True)
class OpenTable:
    """A file as a DuckDB relation named ``data``.

    Attributes:
        file: Where it lies.
        connection: The connection that knows it.
    """

    file: Path
    connection: duckdb.DuckDBPyConnection

    def one(self, query: str) -> dict[str, Any]:
        """The only row of a query's answer."""
        found = self.connection.sql(query)
        return dict(zip(found.columns, found.fetchall()[0], strict=True))

    def repeats(self, names: list[str]) -> int:
        """How many rows repeat the joint value of some columns, counted exactly."""
        keys = ", ".join(map(quoted, names))
        return int(
            self.one(f"select count(*) - (select count(*) from (select distinct {keys} from data)) n from data")["n"]
        )


@contextmanager
def opened(file: Path) -> Iterator[OpenTable]:
    """Open a CSV or parquet file.

    Raises:
        EvergreenError: Where it is neither, does not exist, or can't be read.
    """
    if not file.exists():
        raise EvergreenError(f"there is no file {file}: name a CSV or parquet file with --table.")
    if file.suffix in WORKBOOK:
        raise EvergreenError(
            f"{file.name} is a workbook, and a run reads CSV and parquet: save the sheet as CSV (UTF-8), or once with "
            f"pandas.read_excel('{file.name}').to_parquet('{file.stem}.parquet'), and name that file."
        )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(f"{folder}/table.duckdb") as connection:
        connection.execute("set preserve_insertion_order = false")
        try:
            _read(connection, file)
        except duckdb.Error as error:
            said = " ".join(str(error).splitlines()[:2])
            raise EvergreenError(f"{file.name} can't be read as {_format(file)}: {said}") from error
        yield OpenTable(file, connection)


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
    return TableFacts(table.file, rows, columns, sample, dict(table.connection.sql(top).fetchall()))


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
    if stored.startswith("TIMESTAMP"):
        return "date"
    if stored != "VARCHAR":
        number = re.match(r"U?(TINY|SMALL|BIG|HUGE)?INT|DOUBLE|FLOAT|DECIMAL", stored)
        return "number" if number else _KINDS.get(stored, "other")
    texts = sample.dropna().astype(str).str.strip()
    texts = texts[texts != ""].head(1000)
    if texts.empty:
        return "text"
    if pd.to_numeric(texts, errors="coerce").notna().mean() >= _MOST:
        return "number"
    dated = texts.str.match(r"\d{4}-\d{2}-\d{2}").mean() >= _MOST
    return "date" if dated else "text"


def _read(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Make the relation ``data``: parquet where it lies, CSV copied once, since every look would parse it again."""
    name = str(file).replace("'", "''")
    if file.is_dir() or file.suffix in PARQUET:
        where = f"{name}/**/*.parquet" if file.is_dir() else name
        connection.execute(f"create view data as select * from read_parquet('{where}', union_by_name = true)")
        return
    if not any(suffix in CSV for suffix in file.suffixes):
        raise EvergreenError(f"{file.name} is neither CSV ({', '.join(CSV)}) nor parquet: convert it to one of them.")
    types = _csv_types(connection, name)
    while True:
        declared = (
            "{"
            + ", ".join(f"'{column.replace(chr(39), chr(39) * 2)}': '{kind}'" for column, kind in types.items())
            + "}"
        )
        try:
            connection.execute(f"create table data as select * from read_csv('{name}', types = {declared})")
        except duckdb.ConversionException as error:  # a later line is no number: the whole column is text
            odd = re.search(r'column "(.+?)"', str(error))
            if odd is None or types.get(odd[1]) == "VARCHAR":
                raise
            types[odd[1]] = "VARCHAR"
        else:
            return


def _csv_types(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    """Types by the first lines, wide enough for what later ones may hold; keys and truth values stay as written."""
    head = connection.sql(f"select * from read_csv('{name}')")
    types = {column: str(kind) for column, kind in zip(head.columns, head.types, strict=True)}
    written = {
        column: kind for column, kind in types.items() if kind in ("BIGINT", "BOOLEAN", "HUGEINT", "INTEGER", "TIME")
    }
    for column, kind in written.items():
        whole = kind.endswith(("INT", "INTEGER")) and not _KEY.search(snake(column))
        types[column] = "DOUBLE" if whole else "VARCHAR"
    return types


def _format(file: Path) -> str:
    return "parquet" if file.is_dir() or file.suffix in PARQUET else "CSV"


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def snake(name: str) -> str:
    """A column's name in small letters with underscores: customerID → customer_id."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
