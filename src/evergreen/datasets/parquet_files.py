"""Several parquet files are one table where every column has one meaning in all of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from evergreen.errors import EvergreenError

_LOGGER = logging.getLogger(__name__)
_LARGEST_EXACT = 2**53
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
_FLOATS = ("FLOAT", "DOUBLE")


def have_one_schema(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], table: str, *, exactly: bool = False
) -> bool:
    """Check by their footers that files can be read as one table, by name, and say whether all are of one schema.

    Numbers of different width are one type, as long as no whole number is too large for a float. A column that some
    files lack is empty there, with a warning.

    Args:
        connection: DuckDB's own connection.
        files: The files.
        table: What the user calls the table.
        exactly: Whether a column needs one type in all files, for an engine that makes no float of a whole number.

    Returns:
        Whether names, order and types are the same in all; where not, only reading by name loses nothing.

    Raises:
        EvergreenError: Where a column has two types; the sentence names file, column and both types.
    """
    listed = "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"
    query = (
        f"select file_name, name, duckdb_type from parquet_schema({listed}) "
        "where duckdb_type is not null order by file_name, column_id"
    )
    first: dict[str, tuple[str, str]] = {}
    schemas: dict[str, list[tuple[str, str]]] = {}
    holding: dict[str, set[str]] = {}
    for file, column, kind in connection.execute(query).fetchall():
        holding.setdefault(column, set()).add(file)
        schemas.setdefault(file, []).append((column, kind))
        known = first.setdefault(column, (file, kind))
        if known[1] != kind if exactly else _family(known[1]) != _family(kind):
            _refuse(table, column, known, (file, kind))
        if known[1] != kind and {known[1], kind} & {*_FLOATS}:
            _require_exact(connection, files, column, table)
    for column, found in holding.items():
        if lacking := sorted(set(files) - found):
            _LOGGER.warning("%s: column %s is missing in %s and empty there", table, column, _name(lacking[0]))
    return len({tuple(schema) for schema in schemas.values()}) == 1


def _refuse(table: str, column: str, first: tuple[str, str], other: tuple[str, str]) -> None:
    raise EvergreenError(
        f"{table}: column {column} is {first[1]} in {_name(first[0])} but {other[1]} in {_name(other[0])}: files of "
        "one "
        "table need one type a column; write one of them anew."
    )


def _require_exact(connection: duckdb.DuckDBPyConnection, files: Sequence[str], column: str, table: str) -> None:
    """No whole number may be rounded where another file has floats."""
    listed = "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"
    query = (
        "select file_name, max(greatest(abs(try_cast(stats_min_value as hugeint)), abs(try_cast(stats_max_value as "
        "hugeint)))) "
        f"from parquet_metadata({listed}) where path_in_schema = ? and type in ('INT32', 'INT64') group by 1"
    )
    for file, largest in connection.execute(query, [column]).fetchall():
        if largest is not None and largest > _LARGEST_EXACT:
            raise EvergreenError(
                f"{table}: column {column} of {_name(file)} holds whole numbers up to {largest}, which would be "
                "rounded, for "
                "another file has it as floats: write one of them anew."
            )


def _family(kind: str) -> str:
    if kind in _WHOLE or kind in _FLOATS or kind.startswith("DECIMAL"):
        return "number"
    return "date" if kind in ("DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S") else kind


def _name(path: str) -> str:
    return "/".join(path.split("/")[-2:])
