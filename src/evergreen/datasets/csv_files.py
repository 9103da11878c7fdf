"""A table of CSV files on DuckDB: typed by all rows, and never so that two values that differ in the file become one.

DuckDB types a file by its first 20,480 lines and rounds what does not fit later. Here a column becomes a number only
where every value comes back as it was written: 007, 1.10 beside 1.1, or one n/a leave it text, which feature code reads
as a number where a number is wanted, and counts what it cannot read. Yes, No and true stay text.
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from evergreen.errors import EvergreenError

ALIASES = {"sep": "delim", "delimiter": "delim", "decimal": "decimal_separator", "na_values": "nullstr"}
UTF8 = ("utf-8", "utf8", "utf-8-sig")
_SEPARATORS = ",;\t|"
_DATES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_DECIMAL_COMMA = r"-?\d{1,3}(\.?\d{3})*,\d+"
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
        return f"read_csv({_literal(self.path)}, {_arguments({**self.options, 'columns': dict(types)})})"


def csv_query(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[tuple[str, str]], options: Mapping[str, Any], table: str
) -> str:
    """SQL that reads CSV files as one table, by name.

    Args:
        connection: DuckDB's own connection.
        paths: Each file in UTF-8, and what the user calls it.
        options: ``load_args``: DuckDB's options of ``read_csv``, ``types`` (column → type) among them.
        table: What the user calls the table.

    Raises:
        EvergreenError: Where a file isn't what it should be; the sentence names the option that says how it is.
    """
    named = {ALIASES.get(name, name): value for name, value in options.items()}
    declared = dict(named.pop("types", None) or {})
    files = [_recognised(connection, path, shown, named, table) for path, shown in paths]
    for file in files[1:]:
        _require_same_columns(files[0], file, table)
    lossless = [_lossless(connection, file, declared, table) for file in files]
    types = {name: declared.get(name) or _joint(found[name] for found in lossless) for name in files[0].names}
    parts = (f"select * from {file.rows({name: types[name] for name in file.names})}" for file in files)
    return " union all by name ".join(parts)


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
    """Write a copy of a file in UTF-8.

    Raises:
        EvergreenError: Where there is no such encoding, or the file is not written in it.
    """
    try:
        with (
            Path(path).open(encoding=encoding, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while text := source.read(_CHUNK):
                copy.write(text)
    except (LookupError, UnicodeError) as error:
        raise EvergreenError(
            f"{table}: {shown} can't be read as {encoding!r} ({error}): correct `load_args: {{encoding: …}}` in its "
            "catalog "
            "entry; cp1252, latin-1 and utf-16 are common."
        ) from error


def _recognised(
    connection: duckdb.DuckDBPyConnection, path: str, shown: str, options: Mapping[str, Any], table: str
) -> CsvFile:
    asked = _arguments({"sample_size": -1, **options})
    query = (
        "select Delimiter, Quote, Escape, SkipRows, HasHeader, Columns, DateFormat, TimestampFormat "
        f"from sniff_csv({_literal(path)}, {asked})"
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
    if not has_header or not header:
        raise EvergreenError(
            f"{table}: {shown} begins with {_shown(header)}, which is no header: put one line with the column names "
            "on top."
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


def _require_same_columns(first: CsvFile, file: CsvFile, table: str) -> None:
    differing = sorted(set(first.names) ^ set(file.names))
    if differing:
        raise EvergreenError(
            f"{table}: {', '.join(differing)} stand in one of {first.shown} and {file.shown} only: files of one "
            "table need "
            "the same columns, in any order; mend one of them."
        )


def _lossless(
    connection: duckdb.DuckDBPyConnection, file: CsvFile, declared: Mapping[str, str], table: str
) -> dict[str, str]:
    """The types by which every value comes back as it was written."""
    free = [name for name in file.names if name not in declared]
    comma = file.options.get("decimal_separator") == ","
    asked = {"again": _repeated_header(file.names)}
    for i, name in enumerate(free):
        asked |= {f"{what}_{i}": sql for what, sql in _questions(name, comma).items()}
    select = ", ".join(f"{sql} as {what}" for what, sql in asked.items())
    text = file.rows(dict.fromkeys(file.names, "VARCHAR"))
    answered = connection.execute(f"select {select} from {text}")
    values = answered.fetchone()
    assert values is not None
    found = dict(zip(asked, values, strict=True))
    facts = {name: {what: found[f"{what}_{i}"] or 0 for what in _questions(name, comma)} for i, name in enumerate(free)}
    _require_one_header(file, found["again"] or 0, facts, table)
    _require_points(file, facts, table)
    return {name: _type(file.types.get(name, "VARCHAR"), facts[name]) if name in facts else "" for name in file.names}


def _questions(name: str, comma: bool) -> dict[str, str]:
    raw = '"' + name.replace('"', '""') + '"'
    text = f"replace({raw}, ',', '.')" if comma else raw
    number = f"try_cast({text} as double)"
    shortest = f"cast({number} as varchar)"
    return {
        "filled": f"count({raw})",
        "numbers": f"count({number})",
        "not_whole": f"count_if({raw} is distinct from cast(try_cast({raw} as bigint) as varchar) and {raw} is not "
        "null)",
        "not_short": f"count_if({text} <> {shortest} and {text} || '.0' <> {shortest})",
        "bare": f"count_if({text} || '.0' = {shortest})",
        "dotted": f"count_if({text} = {shortest} and {number} = trunc({number}))",
        "points": f"count_if(contains({text}, '.'))",
        "fewest": f"min(length(split_part({text}, '.', 2)))",
        "most": f"max(length(split_part({text}, '.', 2)))",
        "commas": f"count_if(regexp_full_match({raw}, {_literal(_DECIMAL_COMMA)}))",
    }


def _type(suggested: str, facts: Mapping[str, int]) -> str:
    if suggested in _DATES:
        return suggested
    if suggested == "BIGINT" and not facts["not_whole"]:
        return "BIGINT"
    if suggested in ("BIGINT", "DOUBLE") and facts["numbers"] == facts["filled"]:
        shortest = not facts["not_short"] and not (facts["bare"] and facts["dotted"])
        fixed = facts["points"] == facts["filled"] and facts["fewest"] == facts["most"]
        if shortest or fixed:
            return "DOUBLE"
    return "VARCHAR"


def _joint(types: Any) -> str:
    """The type that holds what files of one table hold."""
    found = set(types)
    if len(found) == 1:
        return str(found.pop())
    return "DOUBLE" if found == {"BIGINT", "DOUBLE"} else "VARCHAR"


def _repeated_header(names: Sequence[str]) -> str:
    known = [name for name in names if name][:_NAMED_IN_THE_HEADER]
    quoted = ['"' + name.replace('"', '""') + '"' for name in known]
    return f"count_if({' and '.join(f'{q} = {_literal(n)}' for q, n in zip(quoted, known, strict=True)) or 'false'})"


def _require_one_header(file: CsvFile, again: int, facts: Mapping[str, Mapping[str, int]], table: str) -> None:
    if again:
        where = "line 2, too" if file.first == file.names else f"{again:,} further lines"
        raise EvergreenError(
            f"{table}: {file.shown} holds its column names on {where}: delete them, for they are no row (or skip what "
            "stands above with `load_args: {skip: 1}` in its catalog entry)."
        )
    value = dict(zip(file.names, file.first, strict=False))
    spoilt = [
        name
        for name, fact in facts.items()
        if fact["filled"] - fact["numbers"] == 1 and not _is_number(value.get(name))
    ]
    spoilt = [name for name in spoilt if facts[name]["filled"] > 1 and value.get(name)]
    whole = [name for name, fact in facts.items() if fact["filled"] == fact["numbers"] and value.get(name)]
    if spoilt and not whole:
        raise EvergreenError(
            f"{table}: line 2 of {file.shown} looks like a second header ({_shown(file.first)}), for "
            f"{', '.join(spoilt)} "
            "hold numbers in all other rows: delete that line, or skip one header with `load_args: {skip: 1}` in its "
            "catalog entry."
        )


def _require_points(file: CsvFile, facts: Mapping[str, Mapping[str, int]], table: str) -> None:
    commas = [name for name, fact in facts.items() if fact["filled"] and fact["commas"] == fact["filled"]]
    if commas and file.options.get("decimal_separator") != ",":
        raise EvergreenError(
            f"{table}: {', '.join(commas)} of {file.shown} hold numbers with a decimal comma: say so with "
            '`load_args: {decimal_separator: ","}` in its catalog entry, or with `types: {…: VARCHAR}` that they '
            "are text."
        )


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _shown(values: Sequence[str]) -> str:
    return ", ".join(values[:_NAMED_IN_THE_HEADER]) + (", …" if len(values) > _NAMED_IN_THE_HEADER else "")


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:3])


def _arguments(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_literal(value)}" for name, value in options.items())


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(str(name))}: {_literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(each) for each in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"
