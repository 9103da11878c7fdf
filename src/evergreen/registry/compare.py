"""What versions say of themselves, to be put side by side."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from mlflow import MlflowClient
from pydantic import BaseModel, ConfigDict

from evergreen.errors import EvergreenError
from evergreen.evaluation.metrics import Metric
from evergreen.invocation import command
from evergreen.registry.artefacts import refused_if_unreadable
from evergreen.registry.references import IMPORTANCE_FILE, METRICS_FILE, stored_metrics
from evergreen.registry.versions import CHAMPION, ModelVersion, aliases_of, list_versions, load
from evergreen.rows.splits import Bounds

TOP_FEATURES = 5


class VersionFacts(BaseModel):
    """One column of ``kedro models compare``.

    Attributes:
        version: The version.
        aliases: Aliases that point at it.
        status: What was decided about it.
        decision: The last promotion decision on it in words; None where none is stored.
        algorithm: Name of the algorithm.
        as_of: The date that its training pretended was today.
        created: When it was made, in UTC.
        training_rows: Number of rows that it was trained on.
        bounds: The windows that it was trained and tested on.
        cv_roc_auc_mean: Mean cross-validated ROC AUC.
        test_metrics: Name → metric on its own test window, with interval; empty before its evaluation.
        threshold: Probability from which a row is predicted 1.
        top_features: The features with the largest mean absolute SHAP value, largest first.
        parent_version: The champion when it was trained.
        fingerprint: Digest of training data and parameters.
        content_digest: Digest of the training rows alone.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    aliases: tuple[str, ...]
    status: str
    decision: str | None
    algorithm: str
    as_of: dt.date
    created: dt.datetime
    training_rows: int
    bounds: Bounds
    cv_roc_auc_mean: float
    test_metrics: dict[str, Metric]
    threshold: float
    top_features: tuple[str, ...]
    parent_version: str | None
    fingerprint: str
    content_digest: str


def version_facts(version: ModelVersion) -> VersionFacts:
    """Read a loaded version's facts from its manifest, its files and its tags."""
    tags = MlflowClient().get_model_version(version.use_case, version.version).tags
    known = version.manifest.model_dump(include=set(VersionFacts.model_fields))
    return VersionFacts(
        **known,
        version=version.version,
        aliases=version.aliases,
        status=tags.get("status", "registered"),
        decision=tags.get("decision"),
        test_metrics=_test_metrics(version),
        top_features=_top_features(version),
    )


def compare_versions(use_case: str, versions: list[str] | None = None) -> list[VersionFacts]:
    """Facts of several versions, in the order given.

    Args:
        use_case: Name of the registered model.
        versions: Which; default: the champion and the newest version other than it.

    Raises:
        EvergreenError: Where a version doesn't exist or is damaged, or there is none at all.
    """
    chosen = list(dict.fromkeys(versions or _champion_and_newest(use_case)))
    return [version_facts(load(use_case, number)) for number in chosen]


def _champion_and_newest(use_case: str) -> list[str]:
    numbers = [row.version for row in list_versions(use_case)]
    if not numbers:
        raise EvergreenError(
            f"{use_case} has no versions yet: "
            f"run `{command('kedro run --pipelines=feature_engineering,training', use_case)}` first."
        )
    champion = aliases_of(use_case).get(CHAMPION)
    others = [number for number in numbers if number != champion]
    return [champion, *others[:1]] if champion else others[:2]


def _test_metrics(version: ModelVersion) -> dict[str, Metric]:
    file = version.file(METRICS_FILE)
    return stored_metrics(file) if file.is_file() else {}


def _top_features(version: ModelVersion) -> tuple[str, ...]:
    file = version.file(IMPORTANCE_FILE)
    if not file.is_file():
        return ()
    with refused_if_unreadable(file):
        return tuple(pd.read_csv(file).nlargest(TOP_FEATURES, "mean_abs_shap")["feature"])
