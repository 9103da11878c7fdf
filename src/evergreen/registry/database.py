"""Where do MLflow's tables lie on this machine, and are they whole?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from evergreen.registry.lock import exclusive

SQLITE = "sqlite:///"
# Every column in which MLflow writes down where files lie.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)


def database_uri(file: str | Path) -> str:
    """The URI of a SQLite file, whatever characters its path holds."""
    return SQLITE + quote(str(file), safe="/ {}[]*$&#+=,;:@!()'~")  # MLflow makes the folder of the URI as it stands


def database_file(uri: str) -> Path | None:
    """The SQLite file that a tracking URI names; None for a server."""
    if not uri.startswith("sqlite:"):
        return None
    from sqlalchemy import make_url

    return Path(str(make_url(uri).database))


def prepare_database(file: Path, artifacts: str, experiment: str) -> None:
    """Make MLflow's tables and the experiment where they are missing, and let them follow a folder that was moved.

    They are made under another name and moved, so that a process that is killed leaves nothing and two that start at
    once make them once.

    Args:
        file: The SQLite file.
        artifacts: Where the experiment's files lie, as a URI.
        experiment: Name of the experiment.

    Raises:
        EvergreenError: Where another process makes them too long.
        OSError: Where the folder cannot be written.
    """
    if _recorded(file, experiment) == artifacts:
        return
    with exclusive(file.parent / ".database.lock", "another process has been making MLflow's tables"):
        if not is_whole(file):
            _make(file, artifacts, experiment)
        elif _recorded(file, experiment) is None:
            _add(file, artifacts, experiment)
        else:
            _relocate(file, artifacts, experiment)


def is_whole(file: Path) -> bool:
    """Whether all tables are there: MLflow enters its first experiment after the last of them."""
    return bool(file.is_file() and _locations(file))


def _recorded(file: Path, experiment: str) -> str | None:
    return _locations(file).get(experiment) if file.is_file() else None


def _locations(file: Path) -> dict[str, str]:
    """Experiment → where its files lie; empty where the tables are not whole."""
    with closing(sqlite3.connect(file)) as database:
        try:
            return dict(database.execute("select name, artifact_location from experiments"))
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return {}
            raise


def _make(file: Path, artifacts: str, experiment: str) -> None:
    temporary = file.with_name(f".{file.name}.new")
    leftovers = (temporary, *_journals(temporary))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    try:
        _add(temporary, artifacts, experiment)
        for journal in _journals(file):
            journal.unlink(missing_ok=True)
        temporary.replace(file)
    finally:
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)


def _add(file: Path, artifacts: str, experiment: str) -> None:
    """Let MLflow enter the experiment, and make its tables first where there are none."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(database_uri(file), artifacts)
    store.create_experiment(experiment, artifacts)
    store.engine.dispose()


def _journals(file: Path) -> list[Path]:
    return [file.with_name(file.name + end) for end in ("-journal", "-wal", "-shm")]


def _moved(former: str, artifacts: str) -> bool:
    """Whether files of this machine lie elsewhere now, rather than that configuration names a place for later ones."""
    if not former.startswith("file:") or not artifacts.startswith("file:"):
        return False
    return _lies_at(artifacts) or not _lies_at(former)


def _lies_at(artifacts: str) -> bool:
    from mlflow.utils.file_utils import local_file_uri_to_path

    return Path(local_file_uri_to_path(artifacts)).is_dir()


def _relocate(file: Path, artifacts: str, experiment: str) -> None:
    """Write down the files' present place instead of the former one, everywhere at once."""
    former = _recorded(file, experiment)
    if former is None or not _moved(former, artifacts):
        return
    with closing(sqlite3.connect(file)) as database, database:
        for table, column in LOCATIONS:
            database.execute(
                f"update {table} set {column} = ? || substr({column}, ?) "
                f"where {column} = ? or substr({column}, 1, ?) = ?",
                (artifacts, len(former) + 1, former, len(former) + 1, f"{former}/"),
            )
