"""A file as DuckDB reads it: parquet where it lies, text with the checks that a run makes, typed wide enough."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from evergreen.datasets.csv.dialect import GZIP, UTF8, CsvFile, literal, recognised, require_utf8, transcode
from evergreen.datasets.csv.files import ALIASES, require_same_columns
from evergreen.datasets.parquet_files import have_one_schema
from evergreen.errors import EvergreenError
from evergreen.scratch import new_folder

CSV, PARQUET, WORKBOOK = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".xlsx", ".xls", ".xlsm", ".ods")
TABLE = "--table"
_KEY = re.compile(r"(^|_)(id|key|no|nr|number|code|uuid|guid)$")
_SNIFFED = 20_480
_DECIMAL_COMMA = r"-?\d{1,3}(\.?\d{3})*,\d+"
_AS_WRITTEN = ("BIGINT", "BOOLEAN", "HUGEINT", "INTEGER", "TIME")


@dataclass(frozen=True)
class OpenTable:
    """A file as a DuckDB relation named ``data``.

    Attributes:
        file: Where it lies.
        connection: The connection that knows it.
        format: ``csv`` or ``parquet``.
        load_args: Options of reading that a run needs, too.
        zones: Columns whose moments have a time zone → the zone that the file names.
    """

    file: Path
    connection: duckdb.DuckDBPyConnection
    format: str
    load_args: Mapping[str, Any] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)

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
def opened(file: Path, load_args: Mapping[str, Any] | None = None) -> Iterator[OpenTable]:
    """Open a CSV or parquet file, or a folder of either.

    Args:
        file: Where it lies.
        load_args: Options of reading, as a catalog entry's ``load_args``.

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
    files, kind = _files(file)
    with new_folder() as folder, duckdb.connect(f"{folder}/table.duckdb") as connection:
        connection.execute("set preserve_insertion_order = false; set TimeZone = 'UTC'")
        try:
            if kind == "parquet":
                yield _parquet(connection, file, files)
            else:
                options, zones = _csv(connection, files, dict(load_args or {}), Path(folder))
                yield OpenTable(file, connection, kind, options, zones)
        except duckdb.Error as error:
            said = " ".join(str(error).splitlines()[:2])
            raise EvergreenError(f"{file.name} can't be read as {kind}: {said}") from error


def _files(file: Path) -> tuple[list[Path], str]:
    """The files of a table, and what they are."""
    if not file.is_dir():
        if file.suffix in PARQUET:
            return [file], "parquet"
        if any(suffix in CSV for suffix in file.suffixes):
            return [file], "csv"
        raise EvergreenError(f"{file.name} is neither CSV ({', '.join(CSV)}) nor parquet: convert it to one of them.")
    for kind in ("parquet", "csv"):
        if found := sorted(file.rglob(f"*.{kind}")):
            return found, kind
    raise EvergreenError(f"the folder {file.name} holds no file that ends in .parquet or .csv: name one that does.")


def _parquet(connection: duckdb.DuckDBPyConnection, file: Path, files: list[Path]) -> OpenTable:
    names = list(map(str, files))
    if len(files) > 1:
        have_one_schema(connection, names, TABLE)
    read = f"select * from read_parquet({literal(names)}, union_by_name = true)"
    found = connection.sql(f"{read} limit 0")
    zoned = [
        name for name, kind in zip(found.columns, map(str, found.types), strict=True) if kind.endswith("TIME ZONE")
    ]
    plain = ", ".join(f"{quoted(name)}::timestamp as {quoted(name)}" for name in zoned)
    connection.execute(f"create view data as {read.replace('*', f'* replace ({plain})', 1) if zoned else read}")
    schema = pq.read_schema(files[0]) if zoned else None
    zones = {name: schema.field(name).type.tz for name in zoned} if schema is not None else {}
    return OpenTable(file, connection, "parquet", zones=zones)


def _csv(
    connection: duckdb.DuckDBPyConnection, files: list[Path], load_args: dict[str, Any], folder: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Copy text once, since every look would parse it again; the options that a run needs, and columns with zones."""
    options = {ALIASES.get(name, name): value for name, value in load_args.items()}
    declared = dict(options.pop("types", None) or {})
    encoding = str(options.pop("encoding", None) or "utf-8")
    try:
        parts = [_recognised(connection, file, encoding, options, folder) for file in files]
        for part in parts[1:]:
            require_same_columns(parts[0], part, TABLE)
    except EvergreenError as error:
        raise EvergreenError(f"{error} This command takes load_args as --load-args='{{…}}'.") from error
    if "decimal_separator" not in options and _has_decimal_commas(connection, parts[0]):
        options, load_args = {**options, "decimal_separator": ","}, {**load_args, "decimal_separator": ","}
        parts = [_recognised(connection, file, encoding, options, folder) for file in files]
    types = _wide_enough(parts[0].types) | declared
    while not _copied(connection, parts, types):
        pass
    return load_args, {name: "UTC" for name, kind in parts[0].types.items() if kind.endswith("TIME ZONE")}


def _recognised(
    connection: duckdb.DuckDBPyConnection, file: Path, encoding: str, options: dict[str, Any], folder: Path
) -> CsvFile:
    path = str(file)
    if encoding.lower() not in UTF8 or path.endswith(GZIP):
        path = str(folder / f"{file.stem}.utf8.csv")
        transcode(str(file), encoding, Path(path), file.name, TABLE)
    else:
        require_utf8(path, file.name, TABLE)
    return recognised(connection, path, file.name, {"sample_size": _SNIFFED, **options}, TABLE)


def _has_decimal_commas(connection: duckdb.DuckDBPyConnection, file: CsvFile) -> bool:
    """Whether a column of the first lines holds nothing but numbers with a decimal comma."""
    texts = [name for name in file.names if file.types[name] == "VARCHAR"]
    if file.options["delim"] == "," or not texts:
        return False
    asked = ", ".join(f"bool_and(regexp_full_match({quoted(name)}, {literal(_DECIMAL_COMMA)}))" for name in texts)
    rows = f"(select * from {file.rows(dict.fromkeys(file.names, 'VARCHAR'))} limit {_SNIFFED})"
    found = connection.execute(f"select {asked} from {rows}").fetchone()
    return any(found or ())


def _copied(connection: duckdb.DuckDBPyConnection, files: list[CsvFile], types: dict[str, str]) -> bool:
    """Copy all rows with these types; where a later line is none of its type, the whole column is text from now on."""
    rows = " union all by name ".join(f"select * from {file.rows({n: types[n] for n in file.names})}" for file in files)
    try:
        connection.execute(f"create or replace table data as {rows}")
    except duckdb.ConversionException as error:
        odd = re.search(r'column "(.+?)"', str(error))
        if odd is None or types.get(odd[1]) == "VARCHAR":
            raise
        types[odd[1]] = "VARCHAR"
        return False
    return True


def _wide_enough(types: Mapping[str, str]) -> dict[str, str]:
    """Types by the first lines, wide enough for what later ones may hold; keys and truth values stay as written."""
    wide = dict(types)
    for column, kind in types.items():
        if kind in _AS_WRITTEN:
            whole = kind.endswith(("INT", "INTEGER")) and not is_key(column)
            wide[column] = "DOUBLE" if whole else "VARCHAR"
        elif kind.endswith("TIME ZONE"):
            wide[column] = "VARCHAR"
    return wide


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def snake(name: str) -> str:
    """A column's name in small letters with underscores: customerID → customer_id."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


def is_key(name: str) -> bool:
    """Whether a column's name is one that keys have."""
    return bool(_KEY.search(snake(name)))
