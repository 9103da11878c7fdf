"""A table of features as parquet: one file, or, of many rows, a file for each part that is computed by itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.types as ir
from kedro_datasets._typing import TablePreview

from evergreen.datasets.lazy_parquet import lazy_parquet, readable_names
from evergreen.datasets.own_table import OwnTableDataset, within_memory
from evergreen.datasets.whole import remove_abandoned, written_whole
from evergreen.features.days import Days
from evergreen.features.making import Making, TableInParts
from evergreen.features.reuse import Months, cuts_of, digest_of, months_of, spans_of, statement_of
from evergreen.paths import is_remote, remove_folder

_LOGGER = logging.getLogger(__name__)
_KEY = "evergreen.digest"
_LIST = "parts.json"


class FeaturesDataset(OwnTableDataset):
    """A table file that is computed only where something that it is made of has changed, with a preview.

    A table of one part is the file. One of several parts has a folder beside it, ``features.parts`` of
    ``features.parquet``: files that bear the digests of their parts, and a list of them, which changes at once.
    """

    @property
    def _folder(self) -> Path:
        return self._place.with_suffix(".parts")

    def load(self) -> ir.Table:
        """The lazy table.

        Raises:
            EvergreenError: Where it has not been made yet.
        """
        files = [self._folder / name for name in self._listed()["files"]]
        return lazy_parquet(self.connection, files, self._table_name, **self._load_args) if files else super().load()

    def save(self, data: ir.Table) -> None:
        """Work out what has changed, and write it."""
        kept = isinstance(data, TableInParts) and data.get_backend() is self.connection
        months = self._months(data.making) if kept else None
        if months is None:
            super().save(data)
            self._forget_parts()
        else:
            self._save_parts(data, data.making, months)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, as Kedro-Viz takes them."""
        rows = self.load().limit(nrows).to_pandas()
        return TablePreview(json.loads(rows.to_json(orient="split", date_format="iso")))

    def _exists(self) -> bool:
        return bool(self._listed()["files"]) or super()._exists()

    def _months(self, making: Making) -> Months | None:
        """What the source's lines bring; None where DuckDB has not the memory to say."""
        found: list[Months] = []
        try:
            within_memory(self.connection, lambda: found.append(months_of(making.lines)))
        except duckdb.OutOfMemoryException:
            _LOGGER.info("DuckDB's memory_limit is not enough to look for changes: computing all features.")
            return None
        return found[0]

    def _save_parts(self, data: ir.Table, making: Making, months: Months) -> None:
        statement = statement_of(making)
        spans = spans_of(months, self._listed()["cuts"])
        digests = [digest_of(span, statement, months, making.look_back_days) for span in spans]
        if len(spans) > 1:
            self._write_parts(making, spans, digests)
        elif self._listed()["files"] or self._digest() != digests[0]:
            self._write(data, self._place, digests[0])
            self._forget_parts()
        else:
            _LOGGER.info("%s: the features are those of the last run, nothing has changed.", self._place.parent.name)

    def _write_parts(self, making: Making, spans: Sequence[Days], digests: Sequence[str]) -> None:
        if not is_remote(self._folder):
            remove_abandoned(self._folder)
        sizes: dict[str, int] = self._listed()["files"]
        names = [f"{digest}.parquet" for digest in digests]
        stale = [self._size(name) != sizes.get(name, -1) for name in names]
        for span, digest, name in compress(zip(spans, digests, names, strict=True), stale):
            self._write(making.of(span), self._folder / name, digest)
        if not all(stale):
            shown = self._place.parent.name, stale.count(False), len(names)
            _LOGGER.info("%s: %d of %d parts of the features are those of the last run.", *shown)
        listed = {"cuts": cuts_of(spans), "files": {name: self._size(name) for name in names}}
        with written_whole(self._folder / _LIST) as temporary:
            temporary.write_text(json.dumps(listed))
        for left in self._folder.glob("*.parquet"):
            if left.name not in names:
                left.unlink(missing_ok=True)
        self._place.unlink(missing_ok=True)

    def _write(self, data: ir.Table, target: Path, digest: str) -> None:
        options = {**self._save_args, "kv_metadata": {_KEY: digest}}
        with written_whole(target) as temporary:
            within_memory(self.connection, lambda: self.connection.to_parquet(data, str(temporary), **options))

    def _listed(self) -> dict[str, Any]:
        """The parts that there are: with which months they begin, files' sizes; none of a broken list."""
        listed = self._folder / _LIST
        try:
            found = json.loads(listed.read_text()) if listed.exists() else {}
            return {"cuts": [int(each) for each in found["cuts"]], "files": dict(found["files"])}
        except (KeyError, TypeError, ValueError):
            return {"cuts": [], "files": {}}

    def _forget_parts(self) -> None:
        """The file alone holds from now on."""
        (self._folder / _LIST).unlink(missing_ok=True)
        if self._folder.exists():
            remove_folder(self._folder)

    def _size(self, name: str) -> int | None:
        file = self._folder / name
        return file.stat().st_size if file.exists() else None

    def _digest(self) -> str | None:
        """The digest of the file that there is; None where there is none, or another program has written it."""
        if not self._place.exists():
            return None
        [file] = readable_names(self.connection, [self._place])
        try:
            found = self.connection.con.execute(
                "select value from parquet_kv_metadata(?) where key = ?", [file, _KEY.encode()]
            ).fetchone()
        except duckdb.Error:
            return None
        return found[0].decode() if found else None
