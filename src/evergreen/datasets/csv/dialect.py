"""How is a CSV file written: encoding, separator, quotes, header?"""

from __future__ import annotations

import codecs
import csv
import gzip
import itertools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from evergreen.errors import EvergreenError

GZIP = ".gz"
UTF8 = ("utf-8", "utf8", "utf-8-sig")
_SEPARATORS = ",;\t|"
_CHUNK = 1 << 20
_NAMED_IN_THE_HEADER = 5


@dataclass(frozen=True)
class CsvFile:
    """One file, how it is written, and what its columns hold.

    Attributes:
        path: The file, in UTF-8.
        shown: What the user calls it.
        options: DuckDB's options of reading.
        names: Column names as the header has them.
        types: DuckDB's types by column, as all rows suggest.
        first: The first row below the header.
    """

    path: str
    shown: str
    options: dict[str, Any]
    names: list[str]
    types: dict[str, str]
    first: list[str]

    def rows(self, types: Mapping[str, str]) -> str:
        """SQL that reads the file with these types."""
        return f"read_csv({literal(self.path)}, {_arguments({**self.options, 'columns': dict(types)})})"


def require_utf8(path: str, shown: str, table: str) -> None:
    """Check that a file is UTF-8.

    Raises:
        EvergreenError: At the first line that is not; the sentence names the option.
    """
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with Path(path).open("rb") as file:
        for chunk in itertools.chain(iter(lambda: file.read(_CHUNK), b""), [b""]):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                raise EvergreenError(
                    f"{table}: {shown} is not UTF-8 (line {line} holds the byte 0x{error.object[error.start]:02x}): "
                    "say "
                    "how it is encoded, for instance `load_args: {encoding: cp1252}` (or latin-1, utf-16) in its "
                    "catalog entry."
                ) from error
            line += chunk.count(b"\n")


def transcode(path: str, encoding: str, target: Path, shown: str, table: str) -> None:
    """Write a copy of a file in UTF-8, uncompressed.

    Raises:
        EvergreenError: Where there is no such encoding, or the file is not written in it.
    """
    try:
        opening = gzip.open if path.endswith(GZIP) else open
        with (
            opening(path, "rt", encoding=encoding, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while text := source.read(_CHUNK):
                copy.write(text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise EvergreenError(
            f"{table}: {shown} can't be unpacked ({error}): it is damaged or no gzip file; write it anew."
        ) from error
    except (LookupError, UnicodeError) as error:
        raise EvergreenError(
            f"{table}: {shown} can't be read as {encoding!r} ({error}): correct `load_args: {{encoding: …}}` in its "
            "catalog "
            "entry; cp1252, latin-1 and utf-16 are common."
        ) from error


def recognised(
    connection: duckdb.DuckDBPyConnection, path: str, shown: str, options: Mapping[str, Any], table: str
) -> CsvFile:
    """How a file is written, and its header.

    Raises:
        EvergreenError: Where it can't be read as CSV, or has no usable header; the sentence names the option.
    """
    asked = _arguments({"sample_size": -1, **options})
    query = (
        "select Delimiter, Quote, Escape, SkipRows, HasHeader, Columns, DateFormat, TimestampFormat "
        f"from sniff_csv({literal(path)}, {asked})"
    )
    try:
        found = connection.execute(query).fetchone()
    except duckdb.Error as error:
        raise EvergreenError(
            f"{table}: {shown} can't be read as CSV ({_first_lines(error)}): mend the line, or say how the file is "
            'written, for instance `load_args: {delim: ";", quote: "\'", skip: 2}` in its catalog entry.'
        ) from error
    assert found is not None
    delim, quote, escape, skip, has_header, columns, dateformat, timestampformat = found
    quote, escape = (("" if mark == "(empty)" else mark) for mark in (quote, escape))
    header, first = _first_rows(path, delim, quote, skip)
    _require_header(header, has_header, shown, table)
    header = [name or f"column{position}" for position, name in enumerate(header)]  # pandas' index has no name
    dialect = {"delim": delim, "quote": quote, "escape": escape, "skip": skip, "header": True}
    formats = {"dateformat": dateformat, "timestampformat": timestampformat}
    typed = {name: value for name, value in formats.items() if value}
    types = {name: str(column["type"]) for name, column in zip(header, columns, strict=False)}
    return CsvFile(path, shown, {"auto_detect": False, **typed, **options, **dialect}, header, types, first)


def _first_rows(path: str, delim: str, quote: str, skip: int) -> tuple[list[str], list[str]]:
    """The header and the first row, as the file has them."""
    marks: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        for _ in range(skip):
            file.readline()
        rows = csv.reader(file, delimiter=delim, **marks)
        return next(rows, []), next(rows, [])


def _require_header(header: list[str], has_header: bool, shown: str, table: str) -> None:
    if not header:
        raise EvergreenError(f"{table}: {shown} is empty: it needs a line with the column names, and rows below it.")
    if not has_header:
        raise EvergreenError(
            f"{table}: {shown} begins with {first_names(header)}, which is no header: put one line with the column "
            "names on top."
        )
    if len(header) == 1 and any(mark in header[0] for mark in _SEPARATORS):
        raise EvergreenError(
            f"{table}: {shown} has a single column named {header[0]!r}, so its separator was not recognised, perhaps "
            "because rows differ in their number of fields: mend these, or name it with "
            '`load_args: {delim: ","}` in its catalog entry.'
        )
    lowered = [name.casefold() for name in header]
    alike = [name for name in header if lowered.count(name.casefold()) > 1]
    if alike:
        raise EvergreenError(
            f"{table}: {shown} has columns {', '.join(alike)}, whose names are equal or differ by case only, and "
            "engines "
            "confuse them: rename one in the file."
        )


def first_names(values: Sequence[str]) -> str:
    """The first few, as a sentence names them."""
    return ", ".join(values[:_NAMED_IN_THE_HEADER]) + (", …" if len(values) > _NAMED_IN_THE_HEADER else "")


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:3])


def _arguments(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {literal(value)}" for name, value in options.items())


def literal(value: Any) -> str:
    """A value as SQL writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(str(name))}: {literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"
