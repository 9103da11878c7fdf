"""Deleting what retention does not keep, and never what an alias or a rollback needs."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as StoredVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from evergreen.errors import EvergreenError
from evergreen.paths import remove_folder
from evergreen.registry.aliases import registry_lock
from evergreen.registry.artefacts import UNSEEN_SAMPLE_FILE, forget_digest, refused_if_unreadable
from evergreen.registry.audit_log import former_champion
from evergreen.registry.challenger import TRAINING_FILE
from evergreen.registry.damage import report_damage
from evergreen.registry.downloads import LOGGED_MODEL, fetch
from evergreen.registry.parameters import RetentionParameters
from evergreen.registry.references import SAMPLE_FILE
from evergreen.registry.versions import FIGURES, GONE, VersionSummary, aliases_of, list_versions
from evergreen.scratch import abandoned

PARTITION = "as_of="


@dataclass(frozen=True)
class Removal:
    """One thing that goes.

    Attributes:
        kind: A version with its files, a version's stored sample of rows, the predictions of one ``as_of``, or copies
            that a killed process left.
        name: The version, the ``as_of`` date, or the folder.
        reason: Why it goes.
    """

    kind: Literal["version", "sample", "predictions", "copies"]
    name: str
    reason: str


def prune_versions(
    use_case: str, policy: RetentionParameters, now: dt.datetime, samples: bool = False, dry_run: bool = True
) -> list[Removal]:
    """Delete old versions, and on request the stored row samples of versions that no alias points at.

    Versions with an alias and the former champion, which a rollback returns to, always stay. A deleted
    version takes its files and the models of its leaderboard along; runs keep their metrics, and the audit
    keeps its lines. It all happens under the registry's lock; what a killed prune left half done, the next one
    finishes.

    Args:
        use_case: Name of the registered model.
        policy: What stays.
        now: The present, with a time zone.
        samples: Also delete samples (personal data) of versions that stay without an alias.
        dry_run: Only say what would go.

    Returns:
        What went, or would go.
    """
    with registry_lock(use_case):
        going = _old_versions(use_case, policy, now)
        sampled = _samples(use_case, {removal.name for removal in going}) if samples else []
        if not dry_run:
            for removal in sampled:
                _delete_sample(use_case, removal.name)
            for removal in going:
                _delete_version(use_case, removal.name)
        return [*going, *sampled]


def prune_copies(dry_run: bool = True) -> list[Removal]:
    """Delete copies of versions, rows among them, that processes left which were killed.

    Args:
        dry_run: Only say what would go.

    Returns:
        What went, or would go.
    """
    left = abandoned(delete=not dry_run)
    return [Removal("copies", name, "left by a process that was killed") for name in left]


def prune_predictions(folder: Path, retention_days: int | None, today: dt.date, dry_run: bool = True) -> list[Removal]:
    """Delete the predictions of ``as_of`` dates beyond their retention.

    Args:
        folder: Holds one ``as_of=yyyy-mm-dd`` folder per date.
        retention_days: Older dates go; None keeps all.
        today: The day to count back from.
        dry_run: Only say what would go.

    Returns:
        What went, or would go.
    """
    if retention_days is None:
        return []
    dates = {part: dt.date.fromisoformat(part.name.removeprefix(PARTITION)) for part in folder.glob(f"{PARTITION}*")}
    oldest = today - dt.timedelta(days=retention_days)
    going = {part: day for part, day in sorted(dates.items()) if day < oldest}
    if not dry_run:
        for part in going:
            remove_folder(part)
    return [Removal("predictions", day.isoformat(), f"older than {retention_days} days") for day in going.values()]


def _old_versions(use_case: str, policy: RetentionParameters, now: dt.datetime) -> list[Removal]:
    needed = {*aliases_of(use_case).values(), former_champion(use_case)}
    beyond = list_versions(use_case)[policy.keep_versions :]
    oldest = now - dt.timedelta(days=policy.keep_days)
    reason = f"not among the newest {policy.keep_versions}, older than {policy.keep_days} days"
    return [
        Removal("version", row.version, reason) for row in beyond if row.created < oldest and row.version not in needed
    ]


def _samples(use_case: str, going: set[str]) -> list[Removal]:
    def stays_without_alias(row: VersionSummary) -> bool:
        return not row.aliases and row.version not in going

    rows = [row for row in list_versions(use_case) if stays_without_alias(row)]
    with_sample = [row for row in rows if _sampled(_stored(use_case, row.version))]
    return [Removal("sample", row.version, "no alias points at the version") for row in with_sample]


def _sampled(stored: StoredVersion) -> bool:
    return SAMPLE_FILE in _files(stored) or bool(_unseen_samples(stored))


def _unseen_samples(stored: StoredVersion) -> list[str]:
    """Samples of judged rows in every set of figures that the version's run holds, also of former evaluations."""
    client, run = MlflowClient(), str(stored.run_id)
    sets = [found.path for found in client.list_artifacts(run, FIGURES) if found.is_dir]
    files = (found.path for place in sets for found in client.list_artifacts(run, place))
    return [path for path in files if path.endswith(f"/{UNSEEN_SAMPLE_FILE}")]


def _delete_sample(use_case: str, number: str) -> None:
    """The digest goes first: without it the version loads whether or not the file is still there."""
    stored = _stored(use_case, number)
    for path in _unseen_samples(stored):
        get_artifact_repository(MlflowClient().get_run(str(stored.run_id)).info.artifact_uri).delete_artifacts(path)
    if SAMPLE_FILE not in _files(stored):
        return
    forget_digest(use_case, number, SAMPLE_FILE)
    get_artifact_repository(str(stored.source)).delete_artifacts(SAMPLE_FILE)


def _delete_version(use_case: str, number: str) -> None:
    """The version is forgotten last: as long as it is listed, a later prune can finish the work."""
    client, stored = MlflowClient(), _stored(use_case, number)
    if TRAINING_FILE in _files(stored):
        for model_uri in _leaderboard_models(stored):
            _delete_logged_model(client, model_uri)
    get_artifact_repository(client.get_run(str(stored.run_id)).info.artifact_uri).delete_artifacts()
    client.delete_model_version(use_case, number)


def _leaderboard_models(stored: StoredVersion) -> list[str]:
    file = fetch(f"{stored.source}/{TRAINING_FILE}")
    try:
        with refused_if_unreadable(file):
            rows = json.loads(file.read_text())["leaderboard"]  # records of former releases, too
            return [row["model_uri"] for row in rows if row.get("model_uri")]
    except EvergreenError as error:
        report_damage(f"{stored.name} version {stored.version}: {error} Models of its leaderboard stay in MLflow.")
        return []


def _delete_logged_model(client: MlflowClient, model_uri: str) -> None:
    try:
        model = client.get_logged_model(model_uri.removeprefix(LOGGED_MODEL))
    except MlflowException as error:
        if error.error_code == GONE:  # a prune that was killed came this far
            return
        raise
    get_artifact_repository(model.artifact_location).delete_artifacts()
    client.delete_logged_model(model.model_id)


def _stored(use_case: str, number: str) -> StoredVersion:
    return MlflowClient().get_model_version(use_case, number)


def _files(stored: StoredVersion) -> set[str]:
    return {Path(file.path).name for file in get_artifact_repository(str(stored.source)).list_artifacts()}
