"""What evaluation leaves with a version and in MLflow."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd
import plotly.graph_objects as go
from mlflow import MlflowClient

from evergreen.evaluation.explained import Explained
from evergreen.evaluation.judge import EvaluationRecord, ScoredRows
from evergreen.evaluation.metrics import Metric
from evergreen.experiments.record import ExperimentRecord
from evergreen.monitoring.estimated import Estimate
from evergreen.monitoring.performance import MetricDrop
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import BLOCK_SHARE, PROBABILITY
from evergreen.records import Record
from evergreen.registry.artefacts import UNSEEN_SAMPLE_FILE
from evergreen.registry.descriptions import describe_judged
from evergreen.registry.inputs import UsedRows, digest_of, note_rows
from evergreen.registry.references import IMPORTANCE_FILE, METRICS_FILE, SAMPLE_FILE, UNSEEN_FILE
from evergreen.registry.versions import ModelVersion, add_figures, tag_version
from evergreen.reporting.model_card.card import ModelCard
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.reporting.pictures import Subject
from evergreen.reporting.shap_pictures import shap_summary_png
from evergreen.retraining.trigger import RetrainingTrigger
from evergreen.rows.fingerprint import content_digest
from evergreen.scratch import new_folder

CARD_FILE = "model_card.md"
CARD_PAGE_FILE = "model_card.html"
EVALUATION_FILE = "evaluation.json"
EXPLANATIONS_FILE = "explanations.csv"
PICTURES = "pictures"
PICTURES_FILE = "pictures.html"
_SAMPLE_ROWS = 10_000


Metrics = dict[str, dict[str, Metric]]


@dataclass(frozen=True)
class Evaluated:
    """All that an evaluation leaves of a version.

    Attributes:
        record: The figures and the decision.
        explained: What its scores rest on.
        pictures: Name → figure.
        card: The model card in both forms.
        scored: The rows that it was judged on, none of which it has learnt from.
    """

    record: EvaluationRecord
    explained: Explained
    pictures: dict[str, go.Figure]
    card: ModelCard
    scored: ScoredRows


def publish_evaluation(version: ModelVersion, evaluated: Evaluated) -> None:
    """Store an evaluation with its version, all visible at once, and log it to the version's MLflow run.

    It comes before an alias moves: a champion carries its figures from the moment on at which it serves. The test
    metrics become the reference that realised performance is held against later.

    Args:
        version: The judged version.
        evaluated: What was found of it.
    """
    record, explained = evaluated.record, evaluated.explained
    subject = Subject(version.use_case, version.version, record.algorithm, record.n_test)
    with new_folder() as name:
        folder = Path(name) / "figures"
        (folder / PICTURES).mkdir(parents=True)
        plain = record.model_dump(include={"metrics"})["metrics"]
        (folder / METRICS_FILE).write_text(json.dumps(plain, indent=2))
        (folder / EVALUATION_FILE).write_text(record.model_dump_json(indent=2))
        (folder / CARD_FILE).write_text(evaluated.card.markdown)
        (folder / CARD_PAGE_FILE).write_text(evaluated.card.html)
        unseen_scores(evaluated.scored).to_parquet(folder / UNSEEN_FILE)
        if (version.folder / SAMPLE_FILE).is_file():
            unseen_sample(evaluated.scored).to_parquet(folder / UNSEEN_SAMPLE_FILE)
        explained.importance.to_csv(folder / IMPORTANCE_FILE, index=False)
        explained.by_algorithm.to_csv(folder / EXPLANATIONS_FILE, index=False)
        for picture, figure in evaluated.pictures.items():
            (folder / PICTURES / f"{picture}.json").write_text(figure.to_json())
        add_figures(version, folder)
        shown = Path(name) / "shown"
        shown.mkdir()
        _log_pictures(version.run_id, evaluated.pictures, shap_summary_png(explained.judged, subject), shown)
    _log_metrics(version, record.metrics)
    auc = record.metrics["test"]["roc_auc"].value
    if auc is not None:
        tag_version(version.use_case, version.version, test_roc_auc=auc)
    describe_judged(version, record)
    note_rows(_tested(version, evaluated.scored), version.run_id)


def _tested(version: ModelVersion, scored: ScoredRows) -> UsedRows:
    rows, features = scored.test.rows, version.manifest.spec.features
    return UsedRows(f"{version.use_case}.features", content_digest(rows), len(rows), len(features), "testing")


def unseen_scores(scored: ScoredRows) -> pd.DataFrame:
    """A version's own scores of rows that it has not learnt from, with labels: later scores are held against them."""
    return pd.DataFrame({PROBABILITY: scored.judged, "label": scored.test.y, BLOCK_SHARE: scored.test.share})


def unseen_sample(scored: ScoredRows) -> pd.DataFrame:
    """Features of at most 10,000 of the rows of :func:`unseen_scores`, by its index."""
    features = scored.test.X.reset_index(drop=True)
    return features.sample(min(_SAMPLE_ROWS, len(features)), random_state=0).sort_index()


def _log_pictures(run_id: str, pictures: dict[str, go.Figure], shap_png: bytes, folder: Path) -> None:
    place = folder / PICTURES
    place.mkdir()
    (place / "shap_summary.png").write_bytes(shap_png)
    (place / PICTURES_FILE).write_text(_one_page(pictures))
    MlflowClient().log_artifacts(run_id, str(place), PICTURES)


def _one_page(pictures: dict[str, go.Figure]) -> str:
    """All pictures on one page that fetches nothing: what draws them is as large as hundreds of them."""
    drawn = [
        figure.to_html(full_html=False, include_plotlyjs=not number) for number, figure in enumerate(pictures.values())
    ]
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Pictures</title>{"".join(drawn)}</html>\n'


def _log_metrics(version: ModelVersion, metrics: Metrics) -> None:
    told = {f"{part}_{name}": metric.value for part, found in metrics.items() for name, metric in found.items()}
    mlflow.log_metrics({name: value for name, value in told.items() if value is not None}, run_id=version.run_id)
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
    _log_window(record)
    mlflow.log_text(page, f"monitoring/{record.use_case}.html")
    mlflow.log_text(record.model_dump_json(indent=2), f"monitoring/{record.use_case}.json")


def _log_window(record: MonitoringRecord) -> None:
    """Put a window on the time line of the version that was watched, and name it as the run's input."""
    client = MlflowClient()
    watched = client.get_model_version(record.use_case, record.version)
    learnt = dt.date.fromisoformat(watched.tags.get("as_of", record.as_of.isoformat()))
    step, when = _place(record.window_end, learnt)
    figures = {
        "drifted_share": record.drift.drifted_share,
        "positive_rate": record.positive_rate.window,
        "rows": record.rows,
        **{f"estimated_{name}": found.value for name, found in record.estimate.metrics.items()},
        **{f"realised_{name}": _value(found.window) for name, found in _realised(record).items()},
    }
    told = [
        mlflow.entities.Metric(f"window_{name}", float(value), int(when.timestamp() * 1000), step)
        for name, value in figures.items()
        if value is not None
    ]
    client.log_batch(str(watched.run_id), metrics=told)
    counted = record.model_dump_json(include={"window_start", "window_end", "rows", "drift", "scores"})
    seen = UsedRows(
        f"{record.use_case}.window", digest_of([counted]), record.rows, len(record.drift.columns), "monitoring"
    )
    note_rows(seen)


def _place(end: dt.date, learnt: dt.date) -> tuple[int, dt.datetime]:
    """Days, or hours of a window of hours, since a version learnt, and the time that a window's figures bear."""
    if isinstance(end, dt.datetime):
        since = end - dt.datetime.combine(learnt, dt.time())
        return int(since / dt.timedelta(hours=1)), end.replace(tzinfo=dt.UTC)
    return (end - learnt).days, dt.datetime.combine(end, dt.time(12), dt.UTC)


def _realised(record: MonitoringRecord) -> dict[str, MetricDrop]:
    return record.performance.metrics if record.performance is not None else {}


def publish_experiment(record: ExperimentRecord, page: str) -> None:
    """Log an experiment's figures and its page to the active MLflow run."""
    if mlflow.active_run() is None:
        return
    figures: dict[str, float] = {"rows": record.known_rows, "looks": len(record.looks)}
    if record.primary is not None:
        found = record.primary.comparison
        figures |= {"difference": found.difference, "p_value": found.p_value, "low": found.low, "high": found.high}
    if record.sample_ratio is not None:
        figures["sample_ratio_p_value"] = record.sample_ratio.p_value
    mlflow.log_metrics({f"{record.use_case}.experiment.{name}": float(value) for name, value in figures.items()})
    mlflow.log_text(page, f"experiments/{record.use_case}.html")
    publish_record(record, "experiments")


def publish_record(record: Record, name: str) -> None:
    """Log a record to the active MLflow run, as ``<name>/<use_case>.json``."""
    if mlflow.active_run() is not None:
        mlflow.log_text(record.model_dump_json(indent=2), f"{name}/{record.use_case}.json")


def _value(found: Metric | Estimate | None) -> float | None:
    return None if found is None else found.value
