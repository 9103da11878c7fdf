"""Parquet files as a lazy table of a connection, on this machine or in a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import duckdb
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from ibis.util import gen_name

from evergreen.paths import is_remote, literal, scheme
from evergreen.scratch import lasting_folder

_opened: WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[str, Any]] = WeakKeyDictionary()
"""DuckDB's connection → scheme → the file system through which it reads URLs of that scheme; it takes one of each."""


def lazy_parquet(
    connection: BaseBackend, files: Sequence[Path], table_name: str | None = None, **options: Any
) -> ir.Table:
    """Files as one lazy table.

    Args:
        connection: Ibis connection.
        files: The files, of one place.
        table_name: What the table is called on the connection; default: a name that is free.
        **options: Of DuckDB's ``read_parquet``, ``hive_partitioning`` for instance.
    """
    named = readable_names(connection, files)
    if connection.name != "duckdb" or not is_remote(named[0]):
        return connection.read_parquet(named, table_name=table_name, **options)
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in named)
    more = "".join(f", {name} = {str(value).lower()}" for name, value in options.items())
    view = table_name or gen_name("parquet")
    connection.raw_sql(f'create or replace view "{view}" as select * from read_parquet([{listed}]{more})')
    return connection.table(view)  # Ibis' own reader of URLs asks for an extension from the internet


def readable_names(connection: BaseBackend, files: Sequence[Path]) -> list[str]:
    """Names under which a connection reads files; DuckDB reads a bucket through the files' own file system.

    Where it reads another bucket with other credentials already, the files are copied to this machine.
    """
    if not is_remote(files[0]):
        return [literal(str(file)) for file in files]
    if connection.name != "duckdb":
        return [str(file) for file in files]
    theirs, known = cast(Any, files[0]).fs, _opened.setdefault(connection.con, {})
    if scheme(str(files[0])) not in known:
        connection.register_filesystem(theirs)
        known[scheme(str(files[0]))] = theirs
    if known[scheme(str(files[0]))] is theirs:
        return [literal(str(file)) for file in files]
    folder = lasting_folder()
    return [literal(str(_copied(file, folder))) for file in files]


def _copied(file: Path, folder: Path) -> Path:
    path = cast(Any, file).path
    copy = folder / path.lstrip("/")
    copy.parent.mkdir(parents=True, exist_ok=True)
    cast(Any, file).fs.get_file(path, str(copy))
    return copy
