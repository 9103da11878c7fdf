"""What do MLflow's pages say in words? Of a version what it is and was found to be; of a use case who serves."""

from __future__ import annotations

from collections.abc import Sequence

from mlflow import MlflowClient

from evergreen.evaluation.judge import EvaluationRecord
from evergreen.evaluation.metrics import Metric
from evergreen.registry.audit_log import AliasChange, history
from evergreen.registry.manifest import Manifest
from evergreen.registry.versions import FIGURES, ModelVersion
from evergreen.reporting.serving import ServingRecord, serving_text
from evergreen.rows.splits import Bounds
from evergreen.wording import in_words, number_text, range_text

CARD, CARD_PAGE, PICTURES = "model_card.md", "model_card.html", "pictures/pictures.html"
NEWEST_LINES = 10


def describe_new(manifest: Manifest, version: str) -> None:
    """Say on a version's page what was trained."""
    text = f"{_trained(manifest)} Nothing is decided about it yet."
    MlflowClient().update_model_version(manifest.use_case, version, text)


def describe_judged(version: ModelVersion, record: EvaluationRecord) -> None:
    """Say on a version's page how good it is, what was decided, and where card and pictures are."""
    client = MlflowClient()
    figures = client.get_model_version(version.use_case, version.version).tags.get(FIGURES)
    place = _artifacts(client, version.run_id)
    links = f"[Model card]({place}/{FIGURES}/{figures}/{CARD}) · [page]({place}/{FIGURES}/{figures}/{CARD_PAGE})"
    decided = f"{in_words(record.promotion.outcome).capitalize()}. {_why(record)}".strip()
    text = (
        f"{_trained(version.manifest)} {_found(record.metrics['test']['roc_auc'], record.n_test)} {decided}\n\n"
        f"{links} · [pictures]({place}/{PICTURES})"
    )
    client.update_model_version(version.use_case, version.version, text)


def describe(serving: ServingRecord) -> None:
    """Say on the registered model's page which version serves, where its card is, and what happened last."""
    client = MlflowClient()
    version = client.get_model_version(serving.use_case, serving.version)
    card = ""
    if figures := version.tags.get(FIGURES):
        card = f"\n\n[Its model card]({_artifacts(client, str(version.run_id))}/{FIGURES}/{figures}/{CARD})"
    text = f"{serving_text(serving, serving.version)}{card}\n\n{audit_text(history(serving.use_case))}"
    client.update_registered_model(serving.use_case, text)


def audit_text(lines: Sequence[AliasChange]) -> str:
    """The newest lines of the audit as a table in markdown, newest first."""
    head = ["| when (UTC) | who | what | from | to | why |", "| --- | --- | --- | --- | --- | --- |"]
    rows = [
        f"| {line.when:%Y-%m-%d %H:%M} | {line.who} | {line.action} | {line.from_version or '–'} | {line.to_version} "
        f"| {' '.join(line.reason.replace('|', '/').split())} |"
        for line in reversed(lines[-NEWEST_LINES:])
    ]
    return "\n".join([*head, *rows])


def _artifacts(client: MlflowClient, run_id: str) -> str:
    """Where MLflow's own pages show a run's files."""
    return f"#/experiments/{client.get_run(run_id).info.experiment_id}/runs/{run_id}/artifacts"


def _trained(manifest: Manifest) -> str:
    rows = f"{manifest.training_rows:,} rows"
    return f"{manifest.algorithm}, trained on {rows}{_days(manifest.bounds)} as of {manifest.as_of}."


def _days(bounds: Bounds) -> str:
    return f" from {bounds.train_start} to {bounds.train_end}" if bounds.train_end else ""


def _found(auc: Metric, rows: int) -> str:
    if auc.value is None:
        return "Its test AUC is not known."
    interval = f" ({range_text(auc.low, auc.high)})" if auc.low is not None else ""
    return f"Test AUC {number_text(auc.value)}{interval} on {rows:,} rows that it has not learnt from."


def _why(record: EvaluationRecord) -> str:
    decision = record.promotion.decision
    return " ".join(decision.reasons) if decision is not None else ""
