"""One nested MLflow run per algorithm, inside the run that kedro-mlflow opened for ``kedro run``."""

from __future__ import annotations

import time
from dataclasses import dataclass

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric

from evergreen.modelling.search import Candidate
from evergreen.registry.artefacts import mlflow_flavour
from evergreen.registry.inputs import UsedRows, note_rows


@dataclass(frozen=True)
class LoggedCandidate:
    """An algorithm's result and where MLflow keeps it; ``model_uri`` is None for a failed one."""

    candidate: Candidate
    run_id: str
    model_uri: str | None


def log_candidate(
    use_case: str, pipeline: str, candidate: Candidate, example: pd.DataFrame, learnt: UsedRows | None = None
) -> LoggedCandidate:
    """Log one algorithm: best parameters, fold scores, fit time, selected features, signature and model.

    Args:
        use_case: Tag of the run.
        pipeline: Kedro pipeline that trained it, a tag as well.
        candidate: The algorithm's result; a failed one leaves a run with status FAILED and its error.
        example: A few feature rows for the signature.
        learnt: The rows that it was trained on; the run that is open names them, too.
    """
    run = mlflow.start_run(nested=True, run_name=f"{use_case}.{candidate.algorithm}")
    mlflow.set_tags({"use_case": use_case, "pipeline": pipeline, "algorithm": candidate.algorithm})
    if candidate.status == "ok":
        model_uri = _log_result(run.info.run_id, candidate, example)
        mlflow.end_run("FINISHED")
    else:
        model_uri = None
        mlflow.set_tag("error", candidate.error or "")
        mlflow.end_run("FAILED")
    if learnt is not None:
        note_rows(learnt, run.info.run_id)
    return LoggedCandidate(candidate, run.info.run_id, model_uri)


def _log_result(run_id: str, candidate: Candidate, example: pd.DataFrame) -> str:
    mlflow.log_params({name: str(value) for name, value in candidate.best_params.items()})
    mlflow.log_metrics(
        {
            "cv_roc_auc_mean": candidate.cv_roc_auc_mean,
            "cv_roc_auc_std": candidate.cv_roc_auc_std,
            "fit_seconds": candidate.fit_seconds,
            "train_rows": candidate.train_rows,
            "threshold": candidate.threshold,
        }
    )
    now = int(time.time() * 1000)
    folds = [Metric("fold_roc_auc", score, now, fold) for fold, score in enumerate(candidate.fold_scores)]
    MlflowClient().log_batch(run_id, metrics=folds)
    if candidate.selected_features is not None:
        mlflow.log_table(candidate.selected_features, "selected_features.json")
    logged = mlflow.sklearn.log_model(candidate.pipeline, name="model", **mlflow_flavour(candidate.pipeline, example))
    return str(logged.model_uri)
