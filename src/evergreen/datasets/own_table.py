"""A parquet file that the project writes itself, as a lazy table of the connection that it is joined on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.paths import literal, plain


class OwnTableDataset(FileDataset):
    """A parquet file whose path is a name, written whole or not at all.

    Args:
        filepath: Where the file lies.
        made_by: The command that writes it, for the message when it is missing.
        options: What Kedro's dataset takes: ``connection``, ``save_args``, ``metadata``, …
    """

    def __init__(self, *, filepath: str, made_by: str | None = None, **options: Any) -> None:
        super().__init__(filepath=plain(filepath), **options)
        self._made_by = made_by

    def load(self) -> ir.Table:
        """The lazy table.

        Raises:
            EvergreenError: Where the file is missing.
        """
        file = Path(self._get_load_path())
        if not file.exists() and self._made_by:
            raise EvergreenError(f"{file} does not exist yet: run `{command(self._made_by)}` first.")
        return self.connection.read_parquet(literal(str(file)), table_name=self._table_name, **self._load_args)

    def save(self, data: ir.Table) -> None:
        """Work the table out and write it."""
        with written_whole(Path(self._get_save_path())) as temporary:
            self.connection.to_parquet(data, str(temporary), **self._save_args)
