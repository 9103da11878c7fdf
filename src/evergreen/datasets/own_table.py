"""A parquet file that the project writes itself, as a lazy table of the connection that it is joined on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import duckdb
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.lazy_parquet import lazy_parquet
from evergreen.datasets.spilling import Spilling
from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.paths import place, plain

_LOGGER = logging.getLogger(__name__)


def within_memory(connection: BaseBackend, work: Callable[[], None]) -> None:
    """Do what asks DuckDB for much memory, and where that is not enough for all threads, do it again with one.

    Each thread holds blocks of its own that can't be spilled, so one gets along with less.

    Args:
        connection: The connection that works; another engine than DuckDB bounds its own memory.
        work: What to do; it can be begun anew.

    Raises:
        duckdb.OutOfMemoryException: Where one thread has not enough, either.
    """
    try:
        work()
    except duckdb.OutOfMemoryException:
        row = connection.con.execute("select current_setting('threads')").fetchone()
        if row is None or row[0] == 1:
            raise
        _LOGGER.info("DuckDB's memory_limit is not enough for %d threads: beginning again with one.", row[0])
        connection.con.execute("set threads = 1")
        try:
            work()
        finally:
            connection.con.execute(f"set threads = {row[0]}")


class OwnTableDataset(Spilling, FileDataset):
    """A parquet file whose path is a name, written whole or not at all.

    Args:
        filepath: Where the file lies, on this machine or in a bucket.
        made_by: The command that writes it, for the message when it is missing.
        credentials: Of the bucket in which it lies.
        fs_args: What else the bucket's file system takes.
        options: What Kedro's dataset takes: ``connection``, ``save_args``, ``metadata``, …
    """

    def __init__(
        self,
        *,
        filepath: str,
        made_by: str | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self._place = place(filepath, credentials, fs_args)
        super().__init__(filepath=plain(filepath), fs_args=fs_args, **options)
        self._made_by = made_by

    def load(self) -> ir.Table:
        """The lazy table.

        Raises:
            EvergreenError: Where the file is missing.
        """
        if not self._place.exists() and self._made_by:
            raise EvergreenError(f"{self._place} does not exist yet: run `{command(self._made_by)}` first.")
        return lazy_parquet(self.connection, [self._place], self._table_name, **self._load_args)

    def save(self, data: ir.Table) -> None:
        """Work the table out and write it."""
        with written_whole(self._place) as temporary:
            within_memory(self.connection, lambda: self.connection.to_parquet(data, str(temporary), **self._save_args))

    def _exists(self) -> bool:
        return self._place.exists()
