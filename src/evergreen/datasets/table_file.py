"""A table of local files, read without loss: what ``ibis.FileDataset`` means in this project's catalogs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.util import gen_name
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.csv.dialect import GZIP, UTF8, require_utf8, transcode
from evergreen.datasets.csv.files import csv_query
from evergreen.datasets.parquet_files import have_one_schema
from evergreen.datasets.spilling import Spilling
from evergreen.errors import EvergreenError
from evergreen.scratch import lasting_folder


class TableFileDataset(Spilling, FileDataset):
    """``ibis.FileDataset`` with this project's own reading of CSV and of several parquet files.

    Every catalog entry of type ``ibis.FileDataset`` is one of these (see ``evergreen.configuration``). Other formats,
    other engines and addresses in a bucket are read as Ibis reads them.

    Args:
        filepath: A file, a folder, or a pattern such as ``parts/*.csv``.
        table: What the user calls the table, for messages; default: the file's name.
        **options: As of ``ibis.FileDataset``. ``load_args`` of CSV: ``encoding``, ``delim``, ``decimal_separator``,
            ``nullstr``, ``dateformat``, ``skip``, ``types`` (column → DuckDB type) and DuckDB's other options.
    """

    def __init__(self, filepath: str, *, table: str | None = None, **options: Any) -> None:
        super().__init__(filepath, **options)
        self._table = table or Path(filepath).name

    def load(self) -> ir.Table:
        """The lazy table.

        Raises:
            EvergreenError: Where a file is missing or can't be read without loss.
        """
        if self._fs_prefix or self._connection_config["backend"] != "duckdb":
            return super().load()
        if self._file_format == "csv":
            return self._csv()
        files = self._files("parquet") if self._file_format == "parquet" else []
        if len(files) < 2:
            return super().load()
        have_one_schema(self.connection.con, files, self._table)
        return self.connection.read_parquet(files, union_by_name=True, **self._load_args)

    def _csv(self) -> ir.Table:
        files = self._files("csv")
        if not files:
            raise EvergreenError(
                f"{self._table}: {self._filepath} does not exist: put the file there, or correct filepath in its "
                "catalog entry."
            )
        options = dict(self._load_args)
        encoding = str(options.pop("encoding", None) or "utf-8")
        paths = [(self._in_utf8(file, encoding), Path(file).name) for file in files]
        query = csv_query(self.connection.con, paths, options, self._table)
        name = gen_name("csv")
        self.connection.raw_sql(f'create view "{name}" as {query}')
        return self.connection.table(name)

    def _in_utf8(self, file: str, encoding: str) -> str:
        shown = Path(file).name
        if encoding.lower() in UTF8 and not file.endswith(GZIP):
            require_utf8(file, shown, self._table)
            return file
        copy = lasting_folder() / f"{gen_name('utf8')}.csv"
        transcode(file, encoding, copy, shown, self._table)
        return str(copy)

    def _files(self, ending: str) -> list[str]:
        path = Path(str(self._get_load_path()))
        if path.is_file():
            return [str(path)]
        if path.is_dir():
            return sorted(map(str, path.rglob(f"*.{ending}")))
        return sorted(str(each) for each in path.parent.glob(path.name) if each.is_file())
