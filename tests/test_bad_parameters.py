"""Claims about parameters that can't be: each is one sentence that names it and its value, before anything is run."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project

from evergreen.parameter_faults import parameter_faults
from tests_support import ROOT

bootstrap_project(ROOT)

BAD: dict[str, Any] = {
    "as_of": "2026-02-30",
    "mlflow_server.request_seconds": 0,
    "churn.window_days": 0,
    "churn.split.folds": 1,
    "churn.split.history_days": -1,
    "churn.split.test_days": 2.5,
    "churn.split.judging_share": 1,
    "churn.split.fold_order": "random",
    "churn.training.algorithms": ["RandomForrest"],
    "churn.training.strategy": "bayes",
    "churn.training.k": 0,
    "churn.training.seed": "now",
    "churn.training.backend": "spark",
    "churn.training.max_rows": 0,
    "churn.training.row_caps": {"SVM": -5},
    "churn.training.threshold": {"method": "fixed", "fixed": 50},
    "churn.training.leakage.max_auc": 98,
    "churn.training.leakage.allow": "income",
    "churn.evaluation.promotion.alpha": 5,
    "churn.evaluation.promotion.min_improvement": float("nan"),
    "churn.evaluation.promotion.first_champion_floor": "60 %",
    "churn.evaluation.slices.numeric_groups": 1000,
    "churn.evaluation.behaviour.directions": {"age": "up"},
    "churn.evaluation.explained_rows": "all",
    "churn.scoring.batch_rows": 1e400,
    "churn.scoring.keep_features": "maybe",
    "churn.monitoring.source": "warehouse",
    "churn.monitoring.estimate": "nannyml",
    "churn.monitoring.drift.q": "5%",
    "churn.monitoring.over_time.of_last": "three",
    "churn.monitoring.quality.max_null_share": 50,
    "churn.monitoring.reasons.severity": "severe",
    "churn.retraining.gate.min_days": [5],
    "churn.retraining.trigger.rules": ["drfit"],
    "churn.retraining.challenger.candidates": [],
    "churn.retraining.refresh.judged_days": 1,
}


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    loader = settings.CONFIG_LOADER_CLASS(str(ROOT / "conf"), env="base", **settings.CONFIG_LOADER_ARGS)
    return dict(loader["parameters"])


@pytest.mark.parametrize("name", BAD)
def test_a_value_that_cannot_be_is_one_sentence_with_its_name(name: str, base: dict[str, Any]) -> None:
    given: dict[str, Any] = deepcopy(base)
    block, parts = given, name.split(".")
    for part in parts[:-1]:
        block = block.setdefault(part, {})
    block[parts[-1]] = BAD[name]
    faults = list(parameter_faults(given, base))
    assert len(faults) == 1
    assert faults[0].startswith(f"parameter {name}")
    assert "\n" not in faults[0]
    assert len(faults[0]) < 500
