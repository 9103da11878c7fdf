"""Registered versions: store one, find one, load one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.modelling.compiled_model import as_trained
from evergreen.registry import artefacts
from evergreen.registry.damage import report_damage
from evergreen.registry.downloads import fetch
from evergreen.registry.manifest import Manifest, check_library_versions

CHAMPION = "champion"
CHALLENGER = "challenger"
FOLDER = "version"
FIGURES = "figures"
UNDECIDED = "registered"
GONE = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's word for what is not there."""


@dataclass(frozen=True)
class ModelVersion:
    """A registered version with its files on this machine.

    Attributes:
        use_case: Name of the use case and of the registered model.
        version: MLflow's version number, as text.
        aliases: Aliases that point at it.
        run_id: The MLflow run that made it.
        folder: Its files.
        manifest: What it says of itself.
        figures: Digest of the set of files that its evaluation left, or None where it was stored without one.
    """

    use_case: str
    version: str
    aliases: tuple[str, ...]
    run_id: str
    folder: Path
    manifest: Manifest
    figures: str | None = None

    @cached_property
    def figures_folder(self) -> Path | None:
        """The files that its evaluation left, whole and as stored; None where it was stored without them.

        Raises:
            EvergreenError: Where a file is missing or differs.
        """
        if self.figures is None:
            return None
        place = MlflowClient().get_run(self.run_id).info.artifact_uri
        folder = fetch(f"{place}/{FIGURES}/{self.figures}", {FIGURES: self.figures})
        artefacts.check_index(folder, self.figures, f"{self.use_case} version {self.version}")
        return folder

    def file(self, name: str) -> Path:
        """Where a file of the version lies, those of its evaluation first; it need not exist."""
        found = self.figures_folder / name if self.figures_folder else None
        return found if found is not None and found.is_file() else self.folder / name

    @cached_property
    def pipeline(self) -> Pipeline:
        """The fitted scikit-learn pipeline, loaded at first use."""
        check_library_versions(self.manifest.library_versions, f"{self.use_case} version {self.version}")
        return artefacts.load_model(self.folder / artefacts.MODEL_FILE)

    def probabilities(self, rows: pd.DataFrame) -> np.ndarray:
        """Probability of class 1 for every row, shape (n,).

        Raises:
            EvergreenError: Where a feature of the version is no column of the rows.
        """
        missing = [name for name in self.manifest.spec.features if name not in rows]
        if missing:
            raise EvergreenError(
                f"{self.use_case} version {self.version} scores with {', '.join(missing)}, which the rows do not have: "
                "bring the columns back to the feature table, or roll back to a version without them."
            )
        return self.pipeline.predict_proba(as_trained(rows[self.manifest.spec.features], self.manifest.spec))[:, 1]

    def card_facts(self) -> dict[str, object]:
        """What the manifest says, in the words of the model card."""
        facts = self.manifest.model_dump(exclude={"cv_roc_auc_mean", "feature_digest", "recipe"})
        return {**facts, "version": self.version}


@dataclass(frozen=True)
class VersionSummary:
    """One line of ``kedro models list``."""

    version: str
    aliases: tuple[str, ...]
    algorithm: str
    test_roc_auc: float | None
    created: dt.datetime
    status: str


def register(manifest: Manifest, folder: Path, run_id: str) -> str:
    """Store a version's folder with its run and register it under its use case.

    Args:
        manifest: What the version says of itself.
        folder: Model, manifest and companions, complete.
        run_id: The MLflow run of the algorithm that made it.

    Returns:
        The new version number.
    """
    client = MlflowClient()
    if not _is_registered(client, manifest.use_case):
        client.create_registered_model(manifest.use_case)
    client.log_artifacts(run_id, str(folder), FOLDER)
    source = f"{client.get_run(run_id).info.artifact_uri}/{FOLDER}"
    made = client.create_model_version(
        manifest.use_case, source, run_id=run_id, tags=_tags(manifest, folder), await_creation_for=30
    )
    return str(made.version)


def add_figures(version: ModelVersion, folder: Path) -> None:
    """Store the files that an evaluation leaves with a version, all visible at once.

    They are a set of their own, named by the digest of its index; one tag makes the version carry it. A process that is
    killed before leaves the former set, whole.

    Args:
        version: The evaluated version.
        folder: The complete set; its index is added.
    """
    client = MlflowClient()
    digest = artefacts.write_index(folder)
    client.log_artifacts(version.run_id, str(folder), f"{FIGURES}/{digest}")
    client.set_model_version_tag(version.use_case, version.version, FIGURES, digest)


def tag_version(use_case: str, version: str, **tags: object) -> None:
    """Set tags of a version, for instance its test AUC or its status."""
    for key, value in tags.items():
        MlflowClient().set_model_version_tag(use_case, version, key, str(value))


def load(use_case: str, version: str) -> ModelVersion:
    """Download a version and check that its files are whole.

    Raises:
        EvergreenError: Where the version doesn't exist, its files are gone, or a digest differs.
    """
    client = MlflowClient()
    try:
        found = client.get_model_version(use_case, version)
        folder = fetch(str(found.source), artefacts.stored_digests(found.tags))
    except (MlflowException, OSError) as error:
        known = ", ".join(row.version for row in list_versions(use_case)) or "none"
        raise EvergreenError(
            f"{use_case} version {version} cannot be loaded ({_first_line(error)}); registered versions: {known}."
        ) from error
    artefacts.check_digests(folder, found.tags, use_case, version)
    artefacts.refuse_oversized(folder)
    manifest = artefacts.read_manifest(folder)
    if manifest.use_case != use_case:
        raise EvergreenError(
            f"{use_case} version {version} is refused: its manifest says that it was trained for {manifest.use_case}; "
            "restore the artefact store or roll back to another version."
        )
    aliases = tuple(alias for alias, pointed in aliases_of(use_case).items() if pointed == str(version))
    figures = found.tags.get(FIGURES)
    return ModelVersion(use_case, str(version), aliases, str(found.run_id), folder, manifest, figures)


def aliases_of(use_case: str) -> dict[str, str]:
    """Alias → version number; empty where nothing is registered yet."""
    try:
        found = MlflowClient().get_registered_model(use_case).aliases
    except MlflowException as error:
        if error.error_code != GONE:
            raise
        return {}
    return {alias: str(number) for alias, number in found.items()}


def find_by_fingerprint(use_case: str, fingerprint: str) -> str | None:
    """The newest version that was trained on the same data with the same parameters, or None."""
    found = [row for row in _versions(use_case) if row.tags.get("fingerprint") == fingerprint]
    return str(found[0].version) if found else None


def find_by_recipe(use_case: str, recipe: str, parent: str) -> str | None:
    """The newest version of a recipe that challenges a champion, or None."""
    mine = {"recipe": recipe, "parent_version": parent}
    found = [row for row in _versions(use_case) if mine.items() <= row.tags.items()]
    return str(found[0].version) if found else None


def status_of(use_case: str, version: str) -> str:
    """What was decided about a version: ``registered`` (nothing yet), ``promoted``, ``refused`` and others."""
    return str(MlflowClient().get_model_version(use_case, version).tags.get("status", UNDECIDED))


def list_versions(use_case: str) -> list[VersionSummary]:
    """All versions of a use case, newest first."""
    pointing: dict[str, list[str]] = {}
    for alias, number in aliases_of(use_case).items():
        pointing.setdefault(number, []).append(alias)
    return [_summary(found, tuple(sorted(pointing.get(str(found.version), [])))) for found in _versions(use_case)]


def _summary(found: mlflow.entities.model_registry.ModelVersion, aliases: tuple[str, ...]) -> VersionSummary:
    return VersionSummary(
        version=str(found.version),
        aliases=aliases,
        algorithm=found.tags.get("algorithm") or _unreadable(found, "algorithm"),
        test_roc_auc=_test_roc_auc(found),
        created=dt.datetime.fromtimestamp(found.creation_timestamp / 1000, tz=dt.UTC),
        status=found.tags.get("status", UNDECIDED),
    )


def _test_roc_auc(found: mlflow.entities.model_registry.ModelVersion) -> float | None:
    stored = found.tags.get("test_roc_auc")
    try:
        return float(stored) if stored else None
    except ValueError:
        _unreadable(found, "test_roc_auc")
        return None


def _unreadable(found: mlflow.entities.model_registry.ModelVersion, tag: str) -> str:
    """Report a damaged tag, without which a version is listed all the same."""
    report_damage(f"{found.name} version {found.version}: its tag {tag} cannot be read and is passed over.")
    return "unknown"


def _versions(use_case: str) -> list[mlflow.entities.model_registry.ModelVersion]:
    found = MlflowClient().search_model_versions(f"name = '{use_case}'", max_results=1000)
    ours = [version for version in found if "fingerprint" in version.tags]
    return sorted(ours, key=lambda version: int(version.version), reverse=True)


def _is_registered(client: MlflowClient, use_case: str) -> bool:
    return bool(client.search_registered_models(f"name = '{use_case}'"))


def _tags(manifest: Manifest, folder: Path) -> dict[str, str]:
    tags = {
        "algorithm": manifest.algorithm,
        "as_of": manifest.as_of.isoformat(),
        "bounds": manifest.bounds.model_dump_json(),
        "fingerprint": manifest.fingerprint,
        "content_digest": manifest.content_digest,
        "feature_digest": manifest.feature_digest,
        "git_commit": manifest.git_commit or "",
        "library_versions": ", ".join(f"{name} {found}" for name, found in manifest.library_versions.items()),
        "parent_version": manifest.parent_version or "",
        "recipe": manifest.recipe or "",
        "status": UNDECIDED,
    }
    return tags | artefacts.digest_tags(artefacts.digests(folder))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
