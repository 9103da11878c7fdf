"""A table of a parquet lake: one file, a folder of files, or hive partitions, under a local folder or a bucket URL."""

from __future__ import annotations

import datetime as dt
import logging
import re
from pathlib import Path
from typing import Any, NoReturn

import ibis
import ibis.expr.types as ir
from kedro.io import DatasetError
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.lazy_parquet import lazy_parquet, readable_names
from evergreen.datasets.parquet_files import have_one_schema
from evergreen.datasets.spilling import Spilling
from evergreen.errors import EvergreenError
from evergreen.features import as_date
from evergreen.paths import is_remote, literal, place, plain, require_readable

_LOGGER = logging.getLogger(__name__)


class LakeDataset(Spilling, FileDataset):
    """Loads ``<lake>/<table>.parquet`` or everything below ``<lake>/<table>/``, lazily.

    Args:
        lake: Local folder or bucket URL (``s3://``, ``gs://``, ``az://``).
        table: Name of the table.
        connection: Ibis connection, shared by all tables that are joined.
        credentials: Of the bucket in which the lake lies.
        fs_args: What else the bucket's file system takes.
        when_absent: Column → Ibis type of the empty table that stands in where the lake lacks this one; None: a lack
            is an error.
        since: Day (yyyy-mm-dd) from which rows are read; of hive partitions by ``dated_by`` only those files are
            opened. None: all.
        dated_by: Column with the rows' date.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        *,
        lake: str,
        table: str,
        connection: dict[str, Any] | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        when_absent: dict[str, str] | None = None,
        since: str | dt.date | None = None,
        dated_by: str = "date_key",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        require_readable(plain(str(lake)), "the lake")
        self._lake = place(str(lake), credentials, fs_args)
        self._file, self._folder = self._lake / f"{table}.parquet", self._lake / table
        self._table = table
        self._when_absent = when_absent
        self._said = False
        self._since, self._dated_by = _day(since), dated_by
        super().__init__(filepath=str(self._file), connection=connection, fs_args=fs_args, metadata=metadata)

    def load(self) -> ir.Table:
        """The lazy table.

        Raises:
            EvergreenError: Where neither the file nor the folder holds parquet.
        """
        if self._file.is_file():
            table = self._read(self._file)
        elif any(self._folder.rglob("*.parquet")):
            table = self._read(self._folder)
        elif self._when_absent is not None:
            if not self._said:  # once, however many nodes load it
                _LOGGER.info("The lake %s has no table %s: columns made from it stay empty.", self._lake, self._table)
            self._said = True
            return ibis.memtable([], schema=ibis.schema(self._when_absent))
        else:
            raise EvergreenError(
                f"table {self._table} is not in the lake {self._lake}: neither {self._table}.parquet nor a folder "
                f"{self._table}/ with parquet files was found; put it there or set `--params=lake=<folder or URL>`."
            )
        return (
            table
            if self._since is None
            else table.filter(as_date(table[self._dated_by], "UTC") >= ibis.date(self._since))
        )

    def _read(self, source: Path) -> ir.Table:
        if source == self._file:
            return lazy_parquet(self.connection, [source], hive_partitioning=True)
        parts = self._parts()
        named = readable_names(self.connection, parts) if is_remote(source) else [str(part) for part in parts]
        if not have_one_schema(self.connection.con, named, self._table):
            return lazy_parquet(self.connection, parts, hive_partitioning=True, union_by_name=True)
        if is_remote(source):
            return lazy_parquet(self.connection, parts, hive_partitioning=True)
        return self.connection.read_parquet(f"{literal(str(source))}/**/*.parquet", hive_partitioning=True)

    def _parts(self) -> list[Path]:
        """The files of a folder; of hive partitions by day those from ``since`` on, and the first for its columns."""
        found = sorted(self._folder.rglob("*.parquet"), key=str)
        if self._since is None:
            return found
        day = re.compile(rf"/{re.escape(self._dated_by)}=(\d{{4}}-\d{{2}}-\d{{2}})/")
        oldest = self._since.isoformat()
        later = [path for path in found[1:] if not (part := day.search(str(path))) or part[1] >= oldest]
        return [*found[:1], *later]

    def save(self, data: ir.Table) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the lake is somebody else's."""
        raise DatasetError(f"{self._lake}/{self._table} is a source and is not written to.")

    def _exists(self) -> bool:
        return self._file.is_file() or any(self._folder.rglob("*.parquet"))

    def _describe(self) -> dict[str, Any]:
        return {"lake": str(self._lake), "table": self._table}


def _day(since: str | dt.date | None) -> dt.date | None:
    try:
        return None if since is None else dt.date.fromisoformat(str(since))
    except ValueError as error:
        raise EvergreenError(f"a lake is read since '{since}', which is not a date: write it as yyyy-mm-dd.") from error
