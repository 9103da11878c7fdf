"""Requests → log → monitoring with labels that come late → retraining → the new version answers."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from evergreen import registry
from evergreen.datasets.prediction_log.compaction import collect
from evergreen.datasets.prediction_log.dataset import ServicePredictionsDataset
from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.modelling.parameters import ScoringParameters
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.serving.answering import Answering
from evergreen.serving.loader import export
from evergreen.serving.registered import Registered
from evergreen.serving.served import Served
from evergreen.serving.settings import ServingSettings
from tiny_use_case import TABLE, Kept, TinyUseCase, people


class Loop:
    """A use case that serves, and the worker that answers for it."""

    def __init__(self, folder: Path) -> None:
        self.tiny, self.folder = TinyUseCase(), folder
        self.tiny.run("feature_engineering", "training", "evaluation")
        self.versions = Registered(self.tiny.name, ServingSettings(), folder / "exports")
        self.worker = Answering(ServingSettings(), folder, SegmentWriter(folder / "log"))
        self.follow_alias()
        today = dt.datetime.now(dt.UTC)
        self.customers = people(1100, 3, f"{today:%Y-%m-%d}", effect=-1.5)  # age works the other way round now
        self.tiny.kept |= {
            "params:as_of": Kept(f"{today:%Y-%m-%d}"),
            "params:monitoring": Kept(MonitoringParameters(source="service")),
            "service_predictions": ServicePredictionsDataset(str(folder / "table"), str(folder / "labels")),
        }

    def follow_alias(self) -> str:
        """What the supervisor does when the alias has moved."""
        version, _ = self.versions.wanted()
        self.worker.use(Served(export(self.tiny.name, version, self.folder / "exports")))
        return version

    def ask(self, row: dict[str, Any]) -> dict[str, Any]:
        return dict(json.loads(self.worker.answer(json.dumps(row).encode(), time.perf_counter())))

    def serve_all(self) -> list[dict[str, Any]]:
        rows = self.customers[[*TABLE.features, TABLE.entity]].to_dict("records")
        answers = [self.ask(row) for row in rows]
        self.worker.close()
        collect(self.folder / "log", self.folder / "table", TABLE, ScoringParameters(), dt.datetime.now(dt.UTC).date())
        return answers

    def labels_arrive(self, answers: list[dict[str, Any]]) -> None:
        found = {"request_id": [a["request_id"] for a in answers], "label": self.customers["left"].to_numpy()}
        (self.folder / "labels").mkdir()
        observed = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        pd.DataFrame({**found, "observed_at": observed}).to_parquet(self.folder / "labels" / "first.parquet")


@pytest.fixture
def loop(mlflow_store: Path, tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def test_what_was_served_leads_to_the_version_that_serves_next(loop: Loop) -> None:
    answers = loop.serve_all()
    assert {answer["model_version"] for answer in answers} == {"1"}
    loop.tiny.run("monitoring")
    waiting = loop.tiny["monitoring"]
    assert (waiting.rows, waiting.performance) == (1100, None)
    assert waiting.scores.p_value is not None  # few rows that the version has not seen: the folds' models were kept

    loop.labels_arrive(answers)
    loop.tiny.run("monitoring")
    roc_auc = loop.tiny["monitoring"].performance.metrics["roc_auc"]
    assert roc_auc.alert

    loop.tiny.kept["current"] = Kept(ibis.memtable(loop.customers))
    loop.tiny.run("feature_engineering", "retraining")
    record = loop.tiny["retraining"]
    assert (record.status, record.champion.before, record.champion.after) == ("promoted", "1", "2")

    assert loop.follow_alias() == "2"
    loop.worker.log = SegmentWriter(loop.folder / "log")
    row = {"age": 50.0, "balance": 0.5, "region": "north"}
    answer = loop.ask(row)
    (expected,) = registry.load(loop.tiny.name, "2").probabilities(pd.DataFrame([row]))
    assert answer["model_version"] == "2"
    assert answer["probability"] == pytest.approx(expected, abs=1e-12)
