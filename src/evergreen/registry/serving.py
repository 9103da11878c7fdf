"""What is to be read of the version that serves: who it is, its evaluation, card and pictures, as stored with it."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io
from mlflow import MlflowClient

from evergreen.evaluation.judge import EvaluationRecord, PromotionOutcome
from evergreen.evaluation.metrics import Metric
from evergreen.invocation import command
from evergreen.registry.audit_log import AliasChange, history
from evergreen.registry.publish import CARD_FILE, CARD_PAGE_FILE, EVALUATION_FILE, EXPLANATIONS_FILE, PICTURES
from evergreen.registry.references import IMPORTANCE_FILE, METRICS_FILE
from evergreen.registry.versions import CHAMPION, FIGURES, ModelVersion, aliases_of, load
from evergreen.reporting import figures
from evergreen.reporting.blocks import Text
from evergreen.reporting.page import Page, Section, as_html, as_markdown
from evergreen.reporting.pictures import styled
from evergreen.reporting.serving import Event, ServingRecord


def serving_record(use_case: str) -> ServingRecord | None:
    """Which version serves, since when and why, and what was judged since; None before the first champion."""
    number = aliases_of(use_case).get(CHAMPION)
    if number is None:
        return None
    tags = MlflowClient().get_model_version(use_case, number).tags
    lines = [line for line in history(use_case) if line.state == "done"]
    places = [place for place, line in enumerate(lines) if line.moves]
    last = places[-1] if places and lines[places[-1]].to_version == number else None
    return ServingRecord(
        use_case=use_case, as_of=tags["as_of"], status="serving", version=number, algorithm=tags["algorithm"],
        began=None if last is None else audit_event(lines[last]),
        since=() if last is None else tuple(map(audit_event, lines[last + 1 :])),
        evaluation_stored=FIGURES in tags,
    )  # fmt: skip


def published_figures(use_case: str, number: str) -> dict[str, Any]:
    """Catalog entry → what was stored with a version; a version that was stored without says so."""
    version = load(use_case, number)
    folder = version.figures_folder
    if folder is None:
        return _without_figures(version)
    pictures = {name: plotly.io.read_json(folder / PICTURES / f"{name}.json") for name in figures.PICTURES}
    return {
        "evaluation": EvaluationRecord.model_validate_json((folder / EVALUATION_FILE).read_text()),
        "importance": pd.read_csv(folder / IMPORTANCE_FILE),
        "explanations": pd.read_csv(folder / EXPLANATIONS_FILE),
        "model_card": (folder / CARD_FILE).read_text(),
        "model_card_page": (folder / CARD_PAGE_FILE).read_text(),
        **{f"{name}_picture": picture for name, picture in pictures.items()},
    }


def audit_event(line: AliasChange) -> Event:
    """A line of the audit, as pages tell it."""
    fields = line.model_dump(include={"when", "who", "action", "from_version", "reason"})
    return Event(**fields, version=line.to_version)


def _without_figures(version: ModelVersion) -> dict[str, Any]:
    """What can be said of a version whose evaluation was not kept with it."""
    name, use_case = f"{version.use_case} · version {version.version}", version.use_case
    run = command("kedro run --pipeline=evaluation", use_case)
    sentence = (
        f"Version {version.version} was stored before evaluations were kept with a version: it has none. "
        f"`{run}` makes one."
    )
    page = Page(name, sentence, "not stored", [], [Section("In short", [Text(sentence)])])
    importance = version.file(IMPORTANCE_FILE)
    empty = {f"{each}_picture": styled(go.Figure(), name, sentence) for each in figures.PICTURES}
    return {
        "evaluation": _empty_record(version, sentence),
        "importance": pd.read_csv(importance) if importance.is_file() else pd.DataFrame({"feature": []}),
        "explanations": pd.DataFrame({"algorithm": []}),
        "model_card": as_markdown(page),
        "model_card_page": as_html(page),
        **empty,
    }


def _empty_record(version: ModelVersion, sentence: str) -> EvaluationRecord:
    manifest, file = version.manifest, version.file(METRICS_FILE)
    stored = json.loads(file.read_text()) if file.is_file() else {}
    metrics = {part: {key: Metric(**found) for key, found in rows.items()} for part, rows in stored.items()}
    test = metrics.get("test") or {"roc_auc": Metric(value=None, status="insufficient_data")}
    return EvaluationRecord(
        use_case=version.use_case, as_of=manifest.as_of, status="not_stored", version=version.version,
        algorithm=manifest.algorithm, threshold=manifest.threshold, n_test=0, metrics={**metrics, "test": test},
        test_roc_auc={manifest.algorithm: test["roc_auc"].value}, slices=[], comparisons=[],
        beats_logistic_regression=sentence,
        promotion=PromotionOutcome(
            outcome="standing", champion_before=version.version, champion_after=version.version, decision=None
        ),
    )  # fmt: skip
