"""A table of CSV files on DuckDB: typed by all rows, and never so that two values that differ in the file become one.

DuckDB types a file by its first 20,480 lines and rounds what does not fit later. Here a column becomes a number only
where every value comes back as it was written: 007, 1.10 beside 1.1, or one n/a leave it text, which feature code reads
as a number where a number is wanted, and counts what it cannot read. Yes, No and true stay text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from evergreen.datasets.csv.dialect import CsvFile, first_names, literal, recognised
from evergreen.errors import EvergreenError

ALIASES = {"sep": "delim", "delimiter": "delim", "decimal": "decimal_separator", "na_values": "nullstr"}
_DATES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_DECIMAL_COMMA = r"-?\d{1,3}(\.?\d{3})*,\d+"
_COMPARED = 5


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
    files = [recognised(connection, path, shown, named, table) for path, shown in paths]
    for file in files[1:]:
        require_same_columns(files[0], file, table)
    lossless = [_lossless(connection, file, declared, table) for file in files]
    types = {name: declared.get(name) or _joint(found[name] for found in lossless) for name in files[0].names}
    parts = (f"select * from {file.rows({name: types[name] for name in file.names})}" for file in files)
    return " union all by name ".join(parts)


def require_same_columns(first: CsvFile, file: CsvFile, table: str) -> None:
    """Refuse two files of one table whose columns differ."""
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
        "commas": f"count_if(regexp_full_match({raw}, {literal(_DECIMAL_COMMA)}))",
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
    known = [name for name in names if name][:_COMPARED]
    quoted = ['"' + name.replace('"', '""') + '"' for name in known]
    return f"count_if({' and '.join(f'{q} = {literal(n)}' for q, n in zip(quoted, known, strict=True)) or 'false'})"


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
            f"{table}: line 2 of {file.shown} looks like a second header ({first_names(file.first)}), for "
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
