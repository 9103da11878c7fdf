"""One row per algorithm that was ever trained for a use case, from its MLflow runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from evergreen.evaluation.metrics import METRIC_NAMES

CV_METRICS = ("cv_roc_auc_mean", "cv_roc_auc_std")
COLUMNS = (
    "run_id",
    "parent_run_id",
    "version",
    "algorithm",
    "pipeline",
    "status",
    "started",
    "seconds",
    "fit_seconds",
    *CV_METRICS,
    *(f"test_{name}" for name in METRIC_NAMES),
    "error",
)


def runs(use_case: str, limit: int | None = None) -> pd.DataFrame:
    """The nested MLflow runs of a use case in the experiment that is set, newest first.

    Args:
        use_case: Value of the runs' ``use_case`` tag.
        limit: At most so many rows; None: all.

    Returns:
        One row per run: ``run_id``, ``parent_run_id``, ``version`` (None unless registered), ``algorithm``,
        ``pipeline``, MLflow's ``status``, ``started`` (UTC), ``seconds`` (from start to end of the run),
        ``fit_seconds``, cross-validated and test metrics (NaN where none), ``error`` (None unless failed).
    """
    found = mlflow.search_runs(
        filter_string=f"tags.use_case = '{use_case}'",
        order_by=["attributes.start_time DESC"],
        max_results=limit or 100_000,
        output_format="list",
    )
    versions = {made.run_id: str(made.version) for made in MlflowClient().search_model_versions(f"name = '{use_case}'")}
    return pd.DataFrame([_row(run, versions.get(run.info.run_id)) for run in found], columns=list(COLUMNS))


def _row(run: Run, version: str | None) -> dict[str, Any]:
    info, tags, metrics = run.info, run.data.tags, run.data.metrics
    return {
        "run_id": info.run_id,
        "parent_run_id": tags.get("mlflow.parentRunId"),
        "version": version,
        "algorithm": tags.get("algorithm"),
        "pipeline": tags.get("pipeline"),
        "status": info.status,
        "started": dt.datetime.fromtimestamp(info.start_time / 1000, tz=dt.UTC),
        "seconds": (info.end_time - info.start_time) / 1000 if info.end_time else None,
        "error": tags.get("error"),
        **{name: value for name, value in metrics.items() if name in COLUMNS},
    }
