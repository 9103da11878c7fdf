"""What a version remembers of its world, read back from its files for monitoring and evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.evaluation.metrics import Metric
from evergreen.invocation import command
from evergreen.modelling.fold_models import read_fold_models
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import MIN_UNSEEN, Reference, unseen_score_profile
from evergreen.registry.artefacts import UNSEEN_SAMPLE_FILE, refused_if_unreadable
from evergreen.registry.versions import ModelVersion

PROFILE_FILE = "profile.json"
SCORE_PROFILE_FILE = "score_profile.json"
SCORES_FILE = "reference_scores.parquet"
SAMPLE_FILE = "reference_sample.parquet"
FOLDS_FOLDER = "folds"
COUNTS_FILE = "window_counts.parquet"
METRICS_FILE = "reference_metrics.json"
UNSEEN_FILE = "unseen_scores.parquet"
IMPORTANCE_FILE = "importance.csv"


def reference_scores(version: ModelVersion) -> pd.DataFrame:
    """Out-of-fold ``probability``, ``label`` and ``block_share`` of the training rows."""
    return _table(version.folder / SCORES_FILE)


def reference(version: ModelVersion) -> Reference:
    """Everything that a window is held against.

    Raises:
        EvergreenError: Where the version was never evaluated.
    """
    folder, manifest = version.folder, version.manifest
    if not version.file(METRICS_FILE).is_file():
        raise EvergreenError(
            f"{version.use_case} version {version.version} has no test metrics yet: "
            f"run `{command('kedro run --pipeline=evaluation', version.use_case)}` first."
        )
    counts = folder / COUNTS_FILE
    sample, out_of_fold, unseen = folder / SAMPLE_FILE, _profile(folder / SCORE_PROFILE_FILE), _unseen_scores(version)
    folds, scores = None, unseen
    if unseen is None and (folder / FOLDS_FOLDER).is_dir():
        with refused_if_unreadable(folder / FOLDS_FOLDER):
            folds = read_fold_models(folder / FOLDS_FOLDER, manifest.spec)
        scores = reference_scores(version)
    return Reference(
        spec=manifest.spec,
        label=manifest.label,
        bounds=manifest.bounds,
        threshold=manifest.threshold,
        trained_as_of=manifest.as_of,
        profile=_profile(folder / PROFILE_FILE),
        score_profile=out_of_fold if unseen is None else unseen_score_profile(unseen, out_of_fold),
        scores=scores,
        folds=folds,
        metrics=stored_metrics(version.file(METRICS_FILE)),
        sample=_table(sample) if sample.is_file() else None,
        importance=_importance(version),
        unseen=None if unseen is None else _unseen_sample(version),
        window_counts=_table(counts) if counts.is_file() else None,
    )


def _unseen_scores(version: ModelVersion) -> pd.DataFrame | None:
    file = version.file(UNSEEN_FILE)
    scores = _table(file) if file.is_file() else None
    return scores if scores is not None and len(scores) >= MIN_UNSEEN else None


def _unseen_sample(version: ModelVersion) -> pd.DataFrame | None:
    file = version.file(UNSEEN_SAMPLE_FILE)
    return _table(file) if file.is_file() else None


def stored_metrics(file: Path) -> dict[str, Metric]:
    """Name → metric of the test window.

    Raises:
        EvergreenError: Where the file cannot be read.
    """
    with refused_if_unreadable(file):
        return {name: Metric(**found) for name, found in json.loads(file.read_text())["test"].items()}


def _profile(file: Path) -> Profile:
    with refused_if_unreadable(file):
        return Profile.model_validate_json(file.read_bytes())


def _table(file: Path) -> pd.DataFrame:
    with refused_if_unreadable(file):
        return pd.read_parquet(file)


def _importance(version: ModelVersion) -> dict[str, float]:
    file = version.file(IMPORTANCE_FILE)
    if not file.is_file():
        return {}
    with refused_if_unreadable(file):
        table = pd.read_csv(file).astype({"mean_abs_shap": "float64"})
    total = table["mean_abs_shap"].sum()
    weights = table["mean_abs_shap"] / total if total > 0 else table["mean_abs_shap"]
    return dict(zip(table["feature"], map(float, weights), strict=True))
