"""Where are stored files on this machine: in their own place, or in a copy that leaves with the process?"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlparse

import mlflow
from mlflow import MlflowClient

from evergreen.scratch import lasting_folder

LOGGED_MODEL = "models:/"
_CHANGES_NEVER: Mapping[str, str] = MappingProxyType({})


def fetch(location: str, digests: Mapping[str, str] = _CHANGES_NEVER) -> Path:
    """A stored file or folder, to be read only.

    Files of a server are copied once a process and content, to where no copy outlives the process for long: they may
    hold rows.

    Args:
        location: Artefact location, or ``models:/<id>`` of a logged model.
        digests: What tells one content of this location from another; nothing where it never changes.

    Raises:
        MlflowException: Where there is no such file.
        OSError: Where it cannot be read.
    """
    if location.startswith(LOGGED_MODEL):
        location = MlflowClient().get_logged_model(location.removeprefix(LOGGED_MODEL)).artifact_location
    if urlparse(location).scheme in ("", "file"):
        return Path(mlflow.artifacts.download_artifacts(location))
    return _copy(location, frozenset(digests.items()))


def forget_copies() -> None:
    """Fetch everything anew from now on: stored files were changed."""
    _copy.cache_clear()


@functools.cache
def _copy(location: str, digests: frozenset[tuple[str, str]]) -> Path:  # noqa: ARG001
    return Path(mlflow.artifacts.download_artifacts(location, dst_path=str(lasting_folder())))
