"""What a registered version says of itself."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from pydantic import Field
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.modelling.estimators import Imported, algorithm
from evergreen.records import Frozen
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds, TestedOn
from evergreen.schema import TableSpec

LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy", "pandas")


class Manifest(Frozen):
    """Everything needed to score with a version, judge it fairly and trace it back.

    Attributes:
        use_case: The use case that it was trained for.
        algorithm: Name of the algorithm, as on the leaderboard.
        as_of: The date that its training pretended was today.
        spec: The table that it expects.
        label: How the outcome becomes 0/1; challengers of the lineage inherit it.
        threshold: Probability from which a row is predicted 1.
        bounds: The windows that it was trained and tested on; they tell which rows it has not seen.
        training_rows: Number of rows in the training window.
        cv_roc_auc_mean: Mean cross-validated ROC AUC that it won the leaderboard with.
        fingerprint: Digest of training data and parameters; equal fingerprints mean equal training.
        content_digest: Digest of the training rows alone.
        feature_digest: Digest of feature names and kinds.
        parent_version: The champion when it was trained, or None for the first of its lineage.
        library_versions: Versions that the stored model can be loaded with.
        git_commit: Commit of the code, or None outside a checkout.
        created: When it was made, in UTC.
        tested_on: Where its unseen rows lie: ``features``, after its training window; ``window``, the newest rows'
            judging blocks, for a version that learnt from the newest rows too.
        recipe: Digest of the recipe that was judged forward, which later fits share; None of other versions.
    """

    use_case: str
    algorithm: str
    as_of: dt.date
    spec: TableSpec
    label: LabelDefinition
    threshold: float = Field(ge=0, le=1, allow_inf_nan=False)
    bounds: Bounds
    training_rows: int
    cv_roc_auc_mean: float
    fingerprint: str
    content_digest: str
    feature_digest: str
    parent_version: str | None
    library_versions: dict[str, str]
    git_commit: str | None
    created: dt.datetime
    tested_on: TestedOn = "features"
    recipe: str | None = None


def installed_versions(pipeline: Pipeline | None = None) -> dict[str, str]:
    """Versions of the libraries whose objects a stored model consists of.

    Args:
        pipeline: A fitted pipeline, whose classifier may be of a package of its own.
    """
    brought = [] if pipeline is None else [type(getattr(pipeline[-1], "estimator_", pipeline[-1])).__module__]
    roots = {module.partition(".")[0] for module in brought} - {"sklearn", "evergreen"}
    return {name: version(name) for name in LIBRARIES} | {root: found for root in roots if (found := _version(root))}


def versions_of(algorithms: Iterable[str]) -> dict[str, str]:
    """Versions of the libraries that training with these algorithms rests on."""
    builds = [algorithm(name).build for name in algorithms]
    extras = sorted({build.package for build in builds if isinstance(build, Imported)})
    return installed_versions() | {name: _version(name) or "none" for name in extras}


def _version(package: str) -> str | None:
    try:
        return str(getattr(import_module(package), "__version__", "")) or None
    except (ImportError, OSError):
        return None


def check_library_versions(stored: dict[str, str], model: str) -> None:
    """Refuse a model that was stored with another scikit-learn, numpy, scipy or skops, or without its own package.

    Args:
        stored: Versions recorded with the model.
        model: How to call the model in the message.

    Raises:
        EvergreenError: Where an installed minor version differs from the stored one.
    """
    here = installed_versions()
    lacking = [name for name in here if name not in stored]
    here |= {name: _version(name) or "none" for name in stored if name not in here}
    if lacking:
        raise EvergreenError(
            f"{model} is refused: it does not say which {', '.join(lacking)} it was trained with; restore the artefact "
            "store or train again."
        )
    differing = [
        f"{name} {then} (installed: {here[name]})"
        for name, then in stored.items()
        if then.split(".")[:2] != here[name].split(".")[:2]
    ]
    if differing:
        raise EvergreenError(
            f"{model} was trained with {', '.join(differing)}: a model is loaded only with the minor versions "
            "that it was trained with; install those or train again."
        )


def git_commit(folder: Path) -> str | None:
    """The commit that ``EVERGREEN_REVISION`` names, as in images, or that is checked out in ``folder``; else None."""
    told = os.environ.get("EVERGREEN_REVISION")
    if told or shutil.which("git") is None:
        return told or None
    found = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
