"""A parquet file that the project writes itself, as a lazy table of the connection that it is joined on."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.lazy_parquet import lazy_parquet
from evergreen.datasets.spilling import Spilling
from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.paths import place, plain


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
            self.connection.to_parquet(data, str(temporary), **self._save_args)

    def _exists(self) -> bool:
        return self._place.exists()
