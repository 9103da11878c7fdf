"""Mending a damaged version: lost files come back from a copy that is the same byte by byte, or can be done without."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as StoredVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.registry import artefacts
from evergreen.registry.aliases import registry_lock
from evergreen.registry.audit_log import note
from evergreen.registry.check import check_version
from evergreen.registry.downloads import fetch, forget_copies
from evergreen.registry.references import SAMPLE_FILE
from evergreen.registry.versions import FIGURES, FOLDER
from evergreen.scratch import new_folder

NAME_LENGTH = 32  # of a set of figures, which is named by the digest of its index


@dataclass(frozen=True)
class Mended:
    """One thing that was done to a version.

    Attributes:
        file: The file, or set of files.
        done: ``restored`` from a copy, or ``dropped`` because the version serves without it.
    """

    file: str
    done: str


@dataclass(frozen=True)
class _Place:
    """Files of a version below one folder of its run, and the digest that each must have."""

    path: str
    folder: Path | None
    digests: dict[str, str]

    @property
    def lost(self) -> list[str]:
        found = artefacts.digests(self.folder) if self.folder else {}
        return sorted(name for name, digest in self.digests.items() if found.get(name) != digest)


def repair(use_case: str, number: str, copies: Path | None = None) -> list[Mended]:
    """Bring a version's lost or changed files back, and let go of what it can serve without.

    A file comes back from any file below ``copies`` whose digest is the stored one. Without a copy the sample of rows
    goes (its drift against correlations is not seen any more), and the figures of its evaluation (the next evaluation
    makes them anew). Every other file is needed: without a copy nothing is changed.

    Args:
        use_case: Name of the registered model.
        number: The version.
        copies: A backup of the artefact store, another data folder, or any folder that may hold the files.

    Returns:
        What was done; nothing for a version that is whole.

    Raises:
        EvergreenError: Where there is no such version, or a needed file is in no copy; nothing was changed then.
    """
    with registry_lock(use_case):
        stored = _stored(use_case, number)
        own, figures = _own_files(stored), _figures(stored)
        wanted = {place.digests[name] for place in (own, figures) for name in place.lost}
        found = _find(copies, wanted) if copies else {}
        _require(use_case, number, [name for name in own.lost if own.digests[name] not in found], copies)
        done = _put_back(stored, own, found) + _put_back(stored, figures, found)
        done += _drop(stored, own, figures, found)
        forget_copies()
        check_version(use_case, number)
        if done:
            said = "; ".join(f"{each.file} {each.done}" for each in done)
            note(use_case, "repair", number, said)
        return done


def _stored(use_case: str, number: str) -> StoredVersion:
    try:
        return MlflowClient().get_model_version(use_case, number)
    except MlflowException as error:
        raise EvergreenError(
            f"{use_case} version {number} cannot be repaired ({str(error).splitlines()[0]}): see "
            f"`{command('kedro models list', use_case)}`."
        ) from error


def _own_files(stored: StoredVersion) -> _Place:
    return _Place(FOLDER, _fetched(str(stored.source)), artefacts.stored_digests(stored.tags))


def _figures(stored: StoredVersion) -> _Place:
    """The set that its evaluation left; of a lost index only the index is known."""
    name = stored.tags.get(FIGURES)
    if name is None:
        return _Place(FIGURES, None, {})
    path = f"{FIGURES}/{name}"
    folder = _fetched(f"{MlflowClient().get_run(str(stored.run_id)).info.artifact_uri}/{path}")
    index = folder / artefacts.INDEX_FILE if folder else None
    text = index.read_bytes() if index and index.is_file() else b""
    digest = hashlib.sha256(text).hexdigest()
    if digest[:NAME_LENGTH] != name:
        return _Place(path, folder, {artefacts.INDEX_FILE: name})
    return _Place(path, folder, {**json.loads(text), artefacts.INDEX_FILE: digest})


def _fetched(location: str) -> Path | None:
    try:
        return fetch(location)
    except (MlflowException, OSError):
        return None


def _find(copies: Path, wanted: set[str]) -> dict[str, Path]:
    """Digest → a file that has it."""
    found: dict[str, Path] = {}
    for file in _files(copies):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        for name in (digest, digest[:NAME_LENGTH]):
            if name in wanted:
                found[name] = file
        if len(found) == len(wanted):
            break
    return found


def _files(folder: Path) -> Iterable[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _require(use_case: str, number: str, lacking: list[str], copies: Path | None) -> None:
    needed = [name for name in lacking if name != SAMPLE_FILE]
    if needed:
        searched = f"no file below {copies} is" if copies else "no copy was named that is"
        raise EvergreenError(
            f"{use_case} version {number} cannot be repaired: of {', '.join(needed)} {searched} the same byte by byte; "
            "nothing was changed. Name a folder that holds them with --from (a backup of the artefact store), or let "
            f"another version serve: `{command('kedro models rollback --version <N> --reason <why>', use_case)}`."
        )


def _put_back(stored: StoredVersion, place: _Place, found: dict[str, Path]) -> list[Mended]:
    done = []
    for name in place.lost:
        copy = found.get(place.digests[name])
        if copy is not None:
            _store(str(stored.run_id), place.path, name, copy)
            done.append(Mended(name, "restored"))
    return done


def _store(run_id: str, path: str, name: str, copy: Path) -> None:
    """Put a file where it was, under its own name."""
    inside = PurePosixPath(path, name)
    with new_folder() as folder:
        file = Path(folder) / inside.name
        file.write_bytes(copy.read_bytes())
        MlflowClient().log_artifact(run_id, str(file), str(inside.parent))


def _drop(stored: StoredVersion, own: _Place, figures: _Place, found: dict[str, Path]) -> list[Mended]:
    """Let go of what is lost and not needed: what says that it is there goes, and nothing looks for it any more."""
    client, done = MlflowClient(), []
    if SAMPLE_FILE in own.lost and own.digests[SAMPLE_FILE] not in found:
        artefacts.forget_digest(stored.name, str(stored.version), SAMPLE_FILE)
        _delete(str(stored.source), SAMPLE_FILE)
        done.append(Mended(SAMPLE_FILE, "dropped"))
    if any(figures.digests[name] not in found for name in figures.lost):
        client.delete_model_version_tag(stored.name, stored.version, FIGURES)
        done.append(Mended(FIGURES, "dropped"))
    return done


def _delete(source: str, name: str) -> None:
    """Delete a damaged file; it may be missing altogether."""
    with suppress(MlflowException, OSError):
        get_artifact_repository(source).delete_artifacts(name)
