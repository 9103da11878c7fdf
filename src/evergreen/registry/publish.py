"""What evaluation leaves with a version and in MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pandas as pd
import plotly.graph_objects as go
from mlflow import MlflowClient

from evergreen.evaluation.metrics import Metric
from evergreen.monitoring.estimated import Estimate
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Record
from evergreen.registry.references import IMPORTANCE_FILE, METRICS_FILE
from evergreen.registry.versions import ModelVersion, add_artefacts, tag_version, working_folder
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.retraining.trigger import RetrainingTrigger

CARD_FILE = "model_card.md"
PICTURES = "pictures"


Metrics = dict[str, dict[str, Metric]]


def publish_evaluation(
    version: ModelVersion,
    metrics: Metrics,
    importance: pd.DataFrame,
    pictures: dict[str, go.Figure],
    shap_png: bytes,
) -> None:
    """Store a judgement with its version and log it to the version's MLflow run, before anything is decided on it.

    The test metrics become the reference that realised performance is held against later.

    Args:
        version: The judged version.
        metrics: ``test`` and ``train``, each name → metric.
        importance: The content of ``importance.csv``.
        pictures: Name → figure.
        shap_png: The SHAP summary, 300 dpi.
    """
    with working_folder() as name:
        folder = Path(name)
        plain = {part: {key: found.model_dump() for key, found in rows.items()} for part, rows in metrics.items()}
        (folder / METRICS_FILE).write_text(json.dumps(plain, indent=2))
        importance.to_csv(folder / IMPORTANCE_FILE, index=False)
        add_artefacts(version, [folder / METRICS_FILE, folder / IMPORTANCE_FILE])
        _log_pictures(version.run_id, pictures, shap_png, folder)
    _log_metrics(version, metrics)
    auc = metrics["test"]["roc_auc"].value
    if auc is not None:
        tag_version(version.use_case, version.version, test_roc_auc=auc)


def add_card(version: ModelVersion, card: str) -> None:
    """Store the model card (markdown) with its version."""
    with working_folder() as name:
        file = Path(name) / CARD_FILE
        file.write_text(card)
        add_artefacts(version, [file])


def _log_pictures(run_id: str, pictures: dict[str, go.Figure], shap_png: bytes, folder: Path) -> None:
    place = folder / PICTURES
    place.mkdir()
    (place / "shap_summary.png").write_bytes(shap_png)
    for name, figure in pictures.items():
        figure.write_html(place / f"{name}.html", include_plotlyjs="cdn")
    MlflowClient().log_artifacts(run_id, str(place), PICTURES)


def _log_metrics(version: ModelVersion, metrics: Metrics) -> None:
    client = MlflowClient()
    for part, found in metrics.items():
        for name, metric in found.items():
            if metric.value is not None:
                client.log_metric(version.run_id, f"{part}_{name}", metric.value)
    auc = metrics["test"]["roc_auc"].value
    if mlflow.active_run() is not None and auc is not None:
        mlflow.log_metric(f"{version.use_case}.test_roc_auc", auc)


def publish_monitoring(record: MonitoringRecord, page: str, decision: RetrainingTrigger | None) -> None:
    """Log a window's figures and its report to the active MLflow run."""
    if mlflow.active_run() is None:
        return
    figures = {
        "drifted_share": record.drift.drifted_share,
        "drifted_importance": record.drift.drifted_importance,
        "open_alerts": len(record.open_alerts),
        "retrain_reasons": len(record.asking),
        "retrain": retraining_answer(record, decision).fired,
        "estimated_roc_auc": _value(record.estimate.metrics.get("roc_auc")),
        "realised_roc_auc": _value(record.performance.metrics["roc_auc"].window if record.performance else None),
    }
    mlflow.log_metrics(
        {f"{record.use_case}.{name}": float(value) for name, value in figures.items() if value is not None}
    )
    mlflow.log_text(page, f"monitoring/{record.use_case}.html")
    mlflow.log_text(record.model_dump_json(indent=2), f"monitoring/{record.use_case}.json")


def publish_record(record: Record, name: str) -> None:
    """Log a record to the active MLflow run, as ``<name>/<use_case>.json``."""
    if mlflow.active_run() is not None:
        mlflow.log_text(record.model_dump_json(indent=2), f"{name}/{record.use_case}.json")


def _value(found: Metric | Estimate | None) -> float | None:
    return None if found is None else found.value
