"""Small registered versions for tests of the registry and its commands."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from evergreen import registry
from evergreen.registry import artefacts
from evergreen.registry.manifest import Manifest, installed_versions
from evergreen.registry.references import IMPORTANCE_FILE, METRICS_FILE, SAMPLE_FILE
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", target="gone", positive=1, numeric=["a", "b"])
ROWS = pd.DataFrame({"a": np.linspace(-1, 1, 40), "b": np.tile([0.0, 1.0], 20)})
Y = (ROWS["a"] > 0).to_numpy().astype(int)
AUC = {"value": 0.8, "low": 0.75, "high": 0.85}


def make_version(use_case: str, folder: Path, fingerprint: str = "f1", c: float = 1.0, complete: bool = False) -> str:
    """Register a fitted pipeline, on request with all that training and evaluation leave, and return its number."""
    manifest = Manifest(
        use_case=use_case,
        algorithm="LogisticRegression",
        as_of=dt.date(2026, 1, 31),
        spec=SPEC,
        label=LabelDefinition(target="gone", kind="positive", positive=1),
        threshold=0.5,
        bounds=Bounds(dated=False, judging_share=0.3),
        training_rows=40,
        cv_roc_auc_mean=0.9,
        fingerprint=fingerprint,
        content_digest="c",
        feature_digest="d",
        parent_version=None,
        library_versions=installed_versions(),
        git_commit=None,
        created=dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
    )
    place = folder / uuid.uuid4().hex
    pipeline = Pipeline([("classifier", LogisticRegression(C=c))]).fit(ROWS, Y)
    artefacts.save_model(pipeline, ROWS.head(), place)
    artefacts.write_manifest(manifest, place)
    if complete:
        registry.write_check_rows(pipeline, ROWS, place)
        ROWS.to_parquet(place / SAMPLE_FILE)
        (place / METRICS_FILE).write_text(json.dumps({"test": {"roc_auc": AUC}, "train": {}}))
        pd.DataFrame({"feature": ["b", "a"], "mean_abs_shap": [0.1, 0.9]}).to_csv(place / IMPORTANCE_FILE, index=False)
    with mlflow.start_run() as run:
        mlflow.set_tags({"use_case": use_case, "pipeline": "training", "algorithm": "LogisticRegression"})
        mlflow.log_metrics({"cv_roc_auc_mean": 0.9, "test_roc_auc": 0.8, "fit_seconds": 1.5})
    return registry.register(manifest, place, run.info.run_id)
