"""The files that a version carries: written to one folder, digested, and read back only if whole and trusted."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow.sklearn
import pandas as pd
import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.modelling.estimators import trusted_types
from evergreen.modelling.preprocessing import recall_levels
from evergreen.registry.manifest import Manifest, installed_versions

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.skops"
INDEX_FILE = "index.json"
UNSEEN_SAMPLE_FILE = "unseen_sample.parquet"
"""Rows of people: unlike the other files of a set it may be deleted, and what is left is whole."""
DIGESTS_TAG = "digests"  # of all files of a version
DIGEST_TAG = "sha256."  # of one file; versions that were stored before have a tag a file
LONGEST_TAG = 5000
MOST_BYTES = 1_000_000_000
_BYTES_A_VALUE = 8


def save_model(pipeline: Pipeline, example: pd.DataFrame, folder: Path) -> None:
    """Write a fitted pipeline as an MLflow model (skops format, no pickle) into a new folder.

    Args:
        pipeline: The fitted pipeline.
        example: A few feature rows, from which the signature is read.
        folder: Where to; must not exist yet.
    """
    mlflow.sklearn.save_model(pipeline, folder, **mlflow_flavour(pipeline, example))


def mlflow_flavour(pipeline: Pipeline, example: pd.DataFrame) -> dict[str, object]:
    """The arguments that ``mlflow.sklearn``'s ``save_model`` and ``log_model`` share here."""
    # Integers as floats: a column without nulls today may have some tomorrow.
    example = example.astype(dict.fromkeys(example.select_dtypes("number").columns, "float64"))
    requirements = [f"{name}=={found}" for name, found in installed_versions(pipeline).items()]
    return {
        "serialization_format": "skops",
        "skops_trusted_types": trusted_types(),
        "pip_requirements": requirements,
        "signature": infer_signature(example, pipeline.predict_proba(example)),
        "pyfunc_predict_fn": "predict_proba",
    }


def load_model(file: Path) -> Pipeline:
    """Load a pipeline with our own allow-list of types; nothing in the artefact can widen it.

    Raises:
        EvergreenError: Where the file holds a type that is not on the list, or is no model at all.
    """
    with refused_if_unreadable(file):
        return _load_trusted(file)


def _load_trusted(file: Path) -> Pipeline:
    import skops.io  # looks at all of scikit-learn when imported: a command that loads no model need not wait for it

    foreign = sorted(set(skops.io.get_untrusted_types(file=file)) - set(trusted_types()))
    if foreign:
        raise EvergreenError(
            f"model file {file.name} is refused: it holds types that are not allowed ({', '.join(foreign)}): "
            "it was not written by this version of Evergreen; train again or restore the artefact."
        )
    return recall_levels(skops.io.load(file, trusted=trusted_types()))


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Put the manifest beside the model."""
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a version's folder.

    Raises:
        EvergreenError: Where it is none.
    """
    with refused_if_unreadable(folder / MANIFEST_FILE):
        return Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())


@contextmanager
def refused_if_unreadable(file: Path) -> Iterator[None]:
    """Say of a stored file that its reader cannot read that it is refused, whatever the reader says.

    Raises:
        EvergreenError: Where reading fails.
    """
    try:
        yield
    except EvergreenError:
        raise
    except Exception as error:  # readers of damaged files raise whatever comes
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise EvergreenError(
            f"{file.name} of a stored version is refused: it cannot be read ({said[:200]}); restore the artefacts, "
            "roll back to another version or train again."
        ) from error


def refuse_oversized(folder: Path) -> None:
    """Refuse files that would grow beyond all measure when read, before they are.

    Raises:
        EvergreenError: Naming the file and what it declares.
    """
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with refused_if_unreadable(file):
            declared = _declared_bytes(file)
        if declared > MOST_BYTES:
            raise EvergreenError(
                f"{file.name} of a stored version is refused: it declares {declared:,} bytes, {MOST_BYTES:,} are "
                "allowed; restore the artefact store or roll back to another version."
            )


def _declared_bytes(file: Path) -> int:
    """How large a file says that it is once it is read."""
    if file.suffix == ".parquet":
        found = pq.read_metadata(file)
        groups = sum(found.row_group(place).total_byte_size for place in range(found.num_row_groups))
        return max(groups, found.num_rows * found.num_columns * _BYTES_A_VALUE)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return sum(part.file_size for part in archive.infolist())
    return file.stat().st_size


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path: what detects corruption later."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def stored_digests(tags: dict[str, str]) -> dict[str, str]:
    """The digests that a version's tags hold, by relative path."""
    apart = {tag.removeprefix(DIGEST_TAG): value for tag, value in tags.items() if tag.startswith(DIGEST_TAG)}
    try:
        return {**json.loads(tags.get(DIGESTS_TAG, "{}")), **apart}
    except ValueError:
        return apart


def digest_tags(found: dict[str, str]) -> dict[str, str]:
    """Tags that hold the digests: one for all, or one a file where that is longer than every database takes."""
    text = json.dumps(found, sort_keys=True)
    if len(text) <= LONGEST_TAG:
        return {DIGESTS_TAG: text}
    return {DIGEST_TAG + name: digest for name, digest in found.items()}


def forget_digest(use_case: str, number: str, name: str) -> None:
    """Let a version load whether or not one of its files is there: nothing says any more that it should be."""
    client = MlflowClient()
    tags = client.get_model_version(use_case, number).tags
    if DIGESTS_TAG in tags:
        listed = stored_digests({DIGESTS_TAG: tags[DIGESTS_TAG]})
        left = {file: digest for file, digest in listed.items() if file != name}
        client.set_model_version_tag(use_case, number, DIGESTS_TAG, digest_tags(left)[DIGESTS_TAG])
    if DIGEST_TAG + name in tags:
        client.delete_model_version_tag(use_case, number, DIGEST_TAG + name)


def check_digests(folder: Path, tags: dict[str, str], use_case: str, version: str) -> None:
    """Refuse a version whose files are not those that were stored.

    Args:
        folder: The downloaded files.
        tags: The version's tags, of which ``digests`` and those that start with ``sha256.`` are read.
        use_case: Name of the registered model.
        version: Its version.

    Raises:
        EvergreenError: Naming the files that are missing or differ, and how another version serves instead.
    """
    stored = stored_digests(tags)
    found = digests(folder)
    broken = sorted(name for name, digest in stored.items() if found.get(name) != digest)
    if broken or not stored:
        raise EvergreenError(
            f"{use_case} version {version} is corrupt: {', '.join(broken) or 'its digests'} missing or not as stored; "
            f"bring them back by `{command(f'kedro models repair --version {version} --from <backup>', use_case)}`, or "
            f"let another version serve: `{command('kedro models rollback --version <N> --reason <why>', use_case)}`."
        )


def write_index(folder: Path) -> str:
    """Write the digests of a folder's files beside them, and return the digest of that list: it names the set."""
    text = json.dumps(digests(folder), indent=2, sort_keys=True)
    (folder / INDEX_FILE).write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check_index(folder: Path, name: str, version: str) -> None:
    """Refuse a set of files that is not the one that was stored.

    Args:
        folder: The downloaded set.
        name: What :func:`write_index` returned.
        version: How to call the version in the message.

    Raises:
        EvergreenError: Naming the files that are missing or differ.
    """
    index = folder / INDEX_FILE
    text = index.read_text() if index.is_file() else ""
    found = digests(folder)
    stored = json.loads(text or "{}").items()
    broken = [
        file for file, digest in stored if found.get(file) != digest and (file in found or file != UNSEEN_SAMPLE_FILE)
    ]
    if hashlib.sha256(text.encode()).hexdigest()[:32] != name or broken:
        raise EvergreenError(
            f"{version} is corrupt: {', '.join(broken) or INDEX_FILE} of its evaluation missing or not as stored; "
            "mend it by `kedro models repair`, or roll back to another version."
        )
