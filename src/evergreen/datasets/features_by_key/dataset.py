"""Features by key as a catalog entry."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.features.by_key import KeyedFeatures
from evergreen.paths import plain
from evergreen.rows.canonical import canonical_text

if TYPE_CHECKING:
    from evergreen.datasets.features_by_key.snapshot import Snapshot

_MOST_BYTES = 1 << 34
_LINES_TOGETHER = 10_000
NEEDED = ("lmdb", "msgspec")


class ServingFeaturesDataset(AbstractDataset[KeyedFeatures, "Snapshot | None"]):
    """Every key's features on the days to come, as one file that is replaced whole.

    Args:
        filepath: Where it lies, on this machine: the service maps it into memory.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self.file = Path(plain(filepath).removeprefix("file://"))
        self.metadata = metadata

    def load(self) -> Snapshot | None:
        """The file, opened; None where none was made."""
        if not self.file.is_file():
            return None
        from evergreen.datasets.features_by_key.snapshot import Snapshot

        return Snapshot(self.file)

    def save(self, data: KeyedFeatures) -> None:
        """Replace the file; nothing asked for leaves none behind.

        Raises:
            EvergreenError: Where the libraries that it takes are not installed.
        """
        if data.known_until is None:
            self.file.unlink(missing_ok=True)
            return
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise EvergreenError(
                f"features.by_key_days asks for serving_features, which take {', '.join(missing)}: install Evergreen "
                "with the extra `serve`, or set it to 0."
            )
        with written_whole(self.file) as temporary:
            _write(data, temporary)

    def _exists(self) -> bool:
        return self.file.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.file)}


def _write(data: KeyedFeatures, file: Path) -> None:
    import lmdb

    from evergreen.datasets.features_by_key import snapshot

    assert data.known_until is not None
    groups = tuple(snapshot.Group(group.keys, group.features) for group in data.groups)
    with lmdb.open(str(file), map_size=_MOST_BYTES, subdir=False, lock=False) as environment:
        lines = 0
        with environment.begin(write=True) as writing:
            for key, values in _lines(data):
                writing.put(key, values)
                lines += 1
            days = tuple(day.isoformat() for day in data.days)
            facts = snapshot.SnapshotFacts(data.known_until, days, groups, time.time(), data.time_zone, lines)
            writing.put(snapshot.FACTS, snapshot.packed(facts))
        environment.sync(True)


def _lines(data: KeyedFeatures) -> Iterator[tuple[bytes, bytes]]:
    """Place and content of every line; which group a line is of, its keys say: all others are null."""
    from evergreen.datasets.features_by_key import snapshot

    number_of = {frozenset(group.keys): number for number, group in enumerate(data.groups)}
    names = list(dict.fromkeys(key for group in data.groups for key in group.keys))
    for day, table in data.days.items():
        for batch in table.to_batches(max_chunksize=_LINES_TOGETHER):
            for row in batch.to_pylist():
                number = number_of[frozenset(name for name in names if row[name] is not None)]
                group = data.groups[number]
                texts = [canonical_text(row[key]) for key in group.keys]
                values = [row[name] for name in group.features]
                yield snapshot.place(number, texts, day.isoformat()), snapshot.packed(values)
