"""A table of a parquet lake: one file, a folder of files, or hive partitions, under a local folder or a bucket URL."""

from __future__ import annotations

import datetime as dt
import logging
import re
from typing import Any, NoReturn

import fsspec
import ibis
import ibis.expr.types as ir
from kedro.io import DatasetError
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.parquet_files import have_one_schema
from evergreen.errors import EvergreenError
from evergreen.features import as_date
from evergreen.paths import literal, plain
from evergreen.redaction import redact

_LOGGER = logging.getLogger(__name__)


class LakeDataset(FileDataset):
    """Loads ``<lake>/<table>.parquet`` or everything below ``<lake>/<table>/``, lazily.

    Args:
        lake: Local folder or bucket URL (``s3://``, ``gs://``, ``az://``).
        table: Name of the table.
        connection: Ibis connection, shared by all tables that are joined.
        fs_args: Arguments of the fsspec file system, credentials among them.
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
        fs_args: dict[str, Any] | None = None,
        when_absent: dict[str, str] | None = None,
        since: str | dt.date | None = None,
        dated_by: str = "date_key",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._lake = readable_lake(plain(str(lake)).rstrip("/"))
        self._table = table
        self._when_absent = when_absent
        self._since, self._dated_by = _day(since), dated_by
        super().__init__(
            filepath=f"{self._lake}/{table}.parquet", connection=connection, fs_args=fs_args, metadata=metadata
        )

    def load(self) -> ir.Table:
        """The lazy table.

        Raises:
            EvergreenError: Where neither the file nor the folder holds parquet.
        """
        files, path = fsspec.core.url_to_fs(self._lake, **self._fs_args)
        single, folder = f"{path}/{self._table}.parquet", f"{path}/{self._table}"
        if files.isfile(single):
            source = literal(files.unstrip_protocol(single) if self._is_remote else single)
        elif files.glob(f"{literal(folder)}/**/*.parquet"):
            source = f"{literal(self._lake)}/{self._table}/**/*.parquet"
        elif self._when_absent is not None:
            _LOGGER.info("The lake %s has no table %s: columns made from it stay empty.", self._lake, self._table)
            return ibis.memtable([], schema=ibis.schema(self._when_absent))
        else:
            raise EvergreenError(
                f"table {self._table} is not in the lake {self._lake}: neither {self._table}.parquet nor a folder "
                f"{self._table}/ with parquet files was found; put it there or set `--params=lake=<folder or URL>`."
            )
        table = self._read(source)
        return (
            table
            if self._since is None
            else table.filter(as_date(table[self._dated_by], "UTC") >= ibis.date(self._since))
        )

    def _read(self, source: str) -> ir.Table:
        files, _ = fsspec.core.url_to_fs(self._lake, **self._fs_args)
        if self._is_remote:
            self.connection.register_filesystem(files)
        if "*" in source:
            parts = self._parts(files, source)
            if not have_one_schema(self.connection.con, parts, self._table):
                return self.connection.read_parquet(parts, hive_partitioning=True, union_by_name=True)
        return self.connection.read_parquet(source, hive_partitioning=True)

    def _parts(self, files: fsspec.AbstractFileSystem, pattern: str) -> list[str]:
        """The files of a folder; of hive partitions by day those from ``since`` on, and the first for its columns."""
        found = sorted(files.glob(fsspec.core.strip_protocol(pattern)))
        if self._since is not None:
            day = re.compile(rf"/{re.escape(self._dated_by)}=(\d{{4}}-\d{{2}}-\d{{2}})/")
            oldest = self._since.isoformat()
            later = [path for path in found[1:] if not (part := day.search(path)) or part[1] >= oldest]
            found = [*found[:1], *later]
        return [files.unstrip_protocol(path) if self._is_remote else path for path in found]

    @property
    def _is_remote(self) -> bool:
        return "://" in self._lake

    def save(self, data: ir.Table) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the lake is somebody else's."""
        raise DatasetError(f"{self._lake}/{self._table} is a source and is not written to.")

    def _exists(self) -> bool:
        files, path = fsspec.core.url_to_fs(self._lake, **self._fs_args)
        return bool(
            files.isfile(f"{path}/{self._table}.parquet") or files.glob(f"{literal(path)}/{self._table}/**/*.parquet")
        )

    def _describe(self) -> dict[str, Any]:
        return {"lake": self._lake, "table": self._table}


def readable_lake(lake: str) -> str:
    """The lake's folder or URL, where something is installed that reads it.

    Raises:
        EvergreenError: Where its scheme is unknown or its package is missing.
    """
    scheme, separated, _ = lake.partition("://")
    try:
        fsspec.get_filesystem_class(scheme if separated else "file")
    except ValueError as error:
        raise EvergreenError(
            f"the lake {redact(lake)} begins with {scheme}://, which is no known place: allowed are a folder, s3://, "
            "gs:// and az://."
        ) from error
    except ImportError as error:
        raise EvergreenError(
            f"the lake {redact(lake)} needs a package that is not installed ({error}): install the extra `cloud`, "
            '`.venv/bin/pip install -c constraints.txt -e ".[cloud]"`.'
        ) from error
    return lake


def _day(since: str | dt.date | None) -> dt.date | None:
    try:
        return None if since is None else dt.date.fromisoformat(str(since))
    except ValueError as error:
        raise EvergreenError(f"a lake is read since '{since}', which is not a date: write it as yyyy-mm-dd.") from error
