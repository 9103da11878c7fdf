"""Files that are written whole or not at all: to a temporary name, then moved; and Kedro's file datasets so.

In a bucket nothing can be moved: a file is made on this machine and uploaded at once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any, cast

from fsspec.implementations.local import LocalFileSystem
from kedro_datasets._typing import HTMLPreview
from kedro_datasets.pandas import CSVDataset, ParquetDataset
from kedro_datasets.plotly import JSONDataset
from kedro_datasets.text import TextDataset

from evergreen.paths import is_remote, literal, place, plain
from evergreen.scratch import new_folder
from evergreen.shown import framed

_FORGOTTEN_SECONDS = 86_400


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A temporary file beside ``target`` that takes its place at the end; where the block fails, nothing changes.

    What killed processes left beside it goes.

    Args:
        target: The file to write, on this machine or in a bucket; its folder is made.

    Yields:
        The path to write to.
    """
    if is_remote(target):
        with new_folder() as folder:
            made = Path(folder) / target.name
            yield made
            upload(made, target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target.parent, literal(target.name))
    temporary = target.with_name(f".{target.name}.{socket.gethostname()}.{os.getpid()}.new")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def remove_abandoned(folder: Path, name: str = "*") -> None:
    """Delete what killed processes left of files that they wrote into a folder.

    Args:
        folder: On this machine.
        name: Of the files; a pattern.
    """
    for left in folder.glob(f".{name}.*.new"):
        if _is_abandoned(left):
            left.unlink(missing_ok=True)


def upload(made: Path, target: Path) -> None:
    """Put a file into a bucket: one request, or parts that become a file with the last; broken off, nothing changes."""
    remote = cast(Any, target)
    remote.fs.put_file(str(made), remote.path)


def _is_abandoned(left: Path) -> bool:
    """Whether the process that wrote a temporary file is gone: it ran here, or has not written for a day."""
    host, _, process = left.name.removesuffix(".new").rpartition(".")
    if host.endswith(f".{socket.gethostname()}") and process.isdigit():
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
    with suppress(FileNotFoundError):
        return time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS
    return False


class WholeFile:
    """Mix-in for a dataset of one file: a run that is killed while saving leaves the former file."""

    _filepath: PurePosixPath
    _fs: Any
    _protocol: str

    def __init__(self, *, filepath: str, **options: Any) -> None:
        self._place = place(filepath, options.get("credentials"), options.get("fs_args"))
        super().__init__(filepath=plain(filepath), **options)  # type: ignore[call-arg]
        if is_remote(self._place):
            self._filepath = PurePosixPath(cast(Any, self._place).path)

    def save(self, data: Any) -> None:
        """Save under a temporary name on this machine, then move or upload."""
        was = self._filepath, self._fs, self._protocol
        try:
            with written_whole(self._place) as temporary:
                self._filepath, self._protocol = PurePosixPath(temporary), "file"
                self._fs = LocalFileSystem()
                super().save(data)  # type: ignore[misc]  # the dataset that this is mixed into
        finally:
            self._filepath, self._fs, self._protocol = was


class FrameDataset(WholeFile, ParquetDataset):
    """A DataFrame as parquet."""


class CsvDataset(WholeFile, CSVDataset):
    """A DataFrame as CSV, for people and spreadsheets."""


TableDataset = CsvDataset  # its former name, which catalogs may use


class PictureDataset(WholeFile, JSONDataset):
    """A Plotly figure, which Kedro-Viz previews."""


class PageText(str):
    """A page as text, which a notebook shows as a page."""

    def _repr_html_(self) -> str | None:
        """The page in a frame; None where it is no HTML."""
        return framed(self) if self.lstrip().startswith("<!doctype html") else None

    def _repr_markdown_(self) -> str | None:
        """The page where it is markdown."""
        return str(self) if self.startswith("# ") else None


class PageDataset(WholeFile, TextDataset):
    """Text: markdown, HTML, metrics; ``optional``: a file that is missing loads as empty text."""

    def __init__(self, *, filepath: str, optional: bool = False, **options: Any) -> None:
        super().__init__(filepath=filepath, **options)
        self._optional = optional

    def load(self) -> PageText:
        """The text."""
        return PageText("" if self._optional and not self._exists() else super().load())

    def preview(self) -> HTMLPreview:
        """A page as it is, other text as it is written, as Kedro-Viz takes them."""
        text = str(self.load())
        return HTMLPreview(text if self._filepath.suffix == ".html" else f"<pre>{escape(text)}</pre>")
