"""What a version remembers of its world, read back from its files for monitoring and evaluation."""

from __future__ import annotations

import json

import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.evaluation.metrics import Metric
from evergreen.invocation import command
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import Reference
from evergreen.registry.versions import ModelVersion

PROFILE_FILE = "profile.json"
SCORE_PROFILE_FILE = "score_profile.json"
SCORES_FILE = "reference_scores.parquet"
SAMPLE_FILE = "reference_sample.parquet"
METRICS_FILE = "reference_metrics.json"
IMPORTANCE_FILE = "importance.csv"


def reference_scores(version: ModelVersion) -> pd.DataFrame:
    """Out-of-fold ``probability``, ``label`` and ``block_share`` of the training rows."""
    return pd.read_parquet(version.folder / SCORES_FILE)


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
    metrics = json.loads(version.file(METRICS_FILE).read_text())["test"]
    sample = folder / SAMPLE_FILE
    return Reference(
        spec=manifest.spec,
        label=manifest.label,
        bounds=manifest.bounds,
        threshold=manifest.threshold,
        trained_as_of=manifest.as_of,
        profile=Profile.model_validate_json((folder / PROFILE_FILE).read_text()),
        score_profile=Profile.model_validate_json((folder / SCORE_PROFILE_FILE).read_text()),
        scores=reference_scores(version),
        metrics={name: Metric(**found) for name, found in metrics.items()},
        sample=pd.read_parquet(sample) if sample.is_file() else None,
        importance=_importance(version),
    )


def _importance(version: ModelVersion) -> dict[str, float]:
    file = version.file(IMPORTANCE_FILE)
    if not file.is_file():
        return {}
    table = pd.read_csv(file)
    total = table["mean_abs_shap"].sum()
    weights = table["mean_abs_shap"] / total if total > 0 else table["mean_abs_shap"]
    return dict(zip(table["feature"], map(float, weights), strict=True))
