"""One LMDB file: group of keys, keys and day → the features that go by them.

Imports nothing heavy: the service's workers use it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

FACTS = b"facts"
packed = msgspec.msgpack.encode
unpacked = msgspec.msgpack.decode


class Group(msgspec.Struct, frozen=True):
    """Features that go by the same keys, in the order in which their values are kept."""

    keys: tuple[str, ...]
    features: tuple[str, ...]


class SnapshotFacts(msgspec.Struct, frozen=True):
    """What a snapshot says of itself.

    Attributes:
        known_until: Newest day whose facts it knows.
        days: Days that it answers for, as ISO text.
        groups: Which features go by which keys.
        made: When it was made, seconds since 1970.
        time_zone: Where a day is counted; None: UTC.
        lines: How many keys and days it holds.
    """

    known_until: dt.date
    days: tuple[str, ...]
    groups: tuple[Group, ...]
    made: float
    time_zone: str | None
    lines: int


class UnknownKeyError(LookupError):
    """No line has these keys.

    Attributes:
        keys: Their names.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(", ".join(keys))
        self.keys = tuple(keys)


class Snapshot:
    """Reads a file of features by key.

    Args:
        file: Where it lies.

    Raises:
        OSError: Where it is absent or no such file.
    """

    def __init__(self, file: Path) -> None:
        import lmdb  # where there is no such file, nobody needs it

        try:
            self._file = lmdb.open(str(file), readonly=True, lock=False, subdir=False, create=False, max_readers=1)
            self._reading = self._file.begin()  # once: the file is replaced, never changed
            self.facts = msgspec.msgpack.decode(self._reading.get(FACTS) or b"", type=SnapshotFacts)
        except (lmdb.Error, msgspec.MsgspecError) as error:
            raise OSError(f"{file.name} is no file of features by key") from error
        self.keys = tuple(dict.fromkeys(key for group in self.facts.groups for key in group.keys))
        self.features = frozenset(name for group in self.facts.groups for name in group.features)

    def read(self, entity: Mapping[str, str | None], day: str) -> dict[str, Any]:
        """All features of an entity on a day; null where a key of theirs is.

        Args:
            entity: Key → its canonical text.
            day: One of ``facts.days``.

        Raises:
            UnknownKeyError: Where there is no such key.
        """
        found: dict[str, Any] = {}
        for number, group in enumerate(self.facts.groups):
            texts = [entity[key] for key in group.keys]
            if None in texts:
                found.update(dict.fromkeys(group.features))
                continue
            kept = self._reading.get(place(number, texts, day))
            if kept is None:
                raise UnknownKeyError(group.keys)
            found.update(zip(group.features, unpacked(kept), strict=True))
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._reading.abort()
        self._file.close()


def place(group: int, texts: Sequence[str | None], day: str) -> bytes:
    """Where a line is kept: a digest, for keys may be longer than LMDB's."""
    return hashlib.blake2b(packed((group, texts, day)), digest_size=16).digest()
