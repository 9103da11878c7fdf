"""Every page of a use case from made-up records: nothing yet, one window, fifty windows with ten versions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from evergreen.evaluation import curves
from evergreen.evaluation.judge import EvaluationRecord, PromotionOutcome
from evergreen.evaluation.metrics import classification_metrics
from evergreen.experiments.describe import VariantFigures
from evergreen.experiments.looks import PlannedLook
from evergreen.experiments.parameters import ExperimentPolicy
from evergreen.experiments.plan import Expected, plan_experiment
from evergreen.experiments.record import ExperimentRecord, PrimaryResult
from evergreen.experiments.result import Comparison
from evergreen.monitoring import build_profile
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.reporting.dashboard.page import dashboard_page
from evergreen.reporting.dashboard.records import (
    DashboardRecords,
    RegisteredVersion,
    ServiceStatus,
    Standing,
    TrainedAlgorithm,
)
from evergreen.reporting.experiment.page import experiment_page
from evergreen.reporting.index import index_page
from evergreen.reporting.model_card.card import CardFacts, model_card
from evergreen.reporting.monitoring.page import monitoring_page
from evergreen.reporting.overview import UseCasePages, overview_page
from evergreen.reporting.policy_backtest import backtest_page
from evergreen.reporting.serving import Event, ServingRecord
from evergreen.retraining.backtest.record import BacktestRecord, PolicyCost, StaleAuc
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec
from monitored_window import DAY, IMPORTANCE, Observed, observe, table

NOW = dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)
POLICY = MonitoringParameters()
WEEK = dt.timedelta(days=7)


@cache
def quiet() -> Observed:
    return observe(table(0), table(3))


@cache
def drifted(windows: int = 3) -> Observed:
    return observe(table(0), table(1, shift=0.5), quiet_windows=windows)


def window_metrics(windows: int, version: str = "7") -> pd.DataFrame:
    """Window metrics as monitoring leaves them, for so many weeks."""
    rows: list[dict[str, Any]] = []
    rng = np.random.default_rng(5)
    for number in range(windows):
        end = pd.Timestamp(DAY) - pd.Timedelta(days=7 * (windows - 1 - number))
        head = {"window_start": end - pd.Timedelta(days=6), "window_end": end, "version": version, "rows": 2_000}
        auc = 0.8 - 0.002 * number + 0.004 * rng.normal()
        for kind, metric, value, reference in (
            ("estimated", "roc_auc", auc + 0.01, None),
            ("measured", "roc_auc", auc, 0.8),
            ("predictions", "positive_rate", 0.3 + 0.002 * number, 0.3),
            ("predictions", "mean_confidence", 0.74 - 0.001 * number, None),
        ):
            around = {"low": value - 0.02, "high": value + 0.02} if metric == "roc_auc" else {"low": None, "high": None}
            rows.append({**head, "kind": kind, "metric": metric, "value": value, "reference": reference, **around,
                         "alert": int(metric == "roc_auc" and value < 0.73)})  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys(["value", "low", "high", "reference"], "float64"))


def evaluation(version: str = "7") -> EvaluationRecord:
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.3).astype(int)
    metrics = classification_metrics(y, np.clip(0.3 * y + rng.normal(0.3, 0.15, 600), 0, 1), 0.4)
    return EvaluationRecord(
        use_case="churn", as_of=DAY, status="promoted", version=version, algorithm="GradientBoosting", threshold=0.4,
        n_test=600, metrics={"test": metrics, "train": metrics}, test_roc_auc={"GradientBoosting": 0.8, "SVM": 0.78},
        slices=[], comparisons=[], beats_logistic_regression="It does.",
        promotion=PromotionOutcome(outcome="promoted", champion_before="6", champion_after=version, decision=None),
    )  # fmt: skip


def event(action: str, number: int, week: int) -> Event:
    when = NOW - WEEK * week
    return Event(when=when, who="ada", action=action, from_version=None, version=f"{number}", reason=f"<{action}>")


def standing(versions: int = 10, serves: str = "7") -> Standing:
    moves = [event("promote", number, 5 * (versions - number) + 1) for number in range(1, versions)]
    events = [*moves, event("rollback", int(serves), 3), event("look", versions, 2), event("reject", versions, 1)]
    made = tuple(
        RegisteredVersion(
            version=f"{number}", algorithm="GradientBoosting", status="promoted", test_roc_auc=0.7 + 0.01 * number,
            created=NOW - WEEK * (5 * (versions - number) + 2),
        )
        for number in range(1, versions + 1)
    )  # fmt: skip
    began = next(one for one in events if one.action == "rollback")
    return Standing(
        serving=ServingRecord(
            use_case="churn", as_of=DAY - WEEK, status="serving", version=serves, algorithm="GradientBoosting",
            began=began, since=(events[-1],), evaluation_stored=True,
        ),
        versions=made, events=tuple(sorted(events, key=lambda one: one.when)), units="log-odds",
        algorithms=tuple(
            TrainedAlgorithm(algorithm=name, cv_roc_auc=auc, cv_spread=0.01, fit_seconds=seconds)
            for name, auc, seconds in (("GradientBoosting", 0.8, 5.0), ("SVM", 0.78, 9.0), ("Failed", None, None))
        ),
        importance=(("income", 0.4), ("age", 0.2), ("plan", 0.1)),
    )  # fmt: skip


def experiment(status: str = "keep_running") -> ExperimentRecord:
    found = Comparison(
        test="DeLong", metric="ROC AUC", n_a=900, n_b=900, mean_a=0.78, mean_b=0.8, statistic=2.1, p_value=0.03,
        difference=0.02, low=0.002, high=0.038, alpha=0.05, significant=True,
    )  # fmt: skip
    look = PlannedLook(
        number=1, day=DAY, rows=900, information=0.2, difference=0.02, statistic=3.1, bound=4.6, crossed="no"
    )
    sides = {"weight": 1.0, "units": 900, "rows": 900, "known": 900, "histogram": (0.1,) * 10, "positive_rate": 0.3}
    return ExperimentRecord(
        use_case="churn", as_of=DAY, status=status, experiment="<winter>", mode="shadow", metric="ROC AUC",
        reasons=("900 of 4,600 planned rows are known.",), looks=(look,), days=9,
        plan=plan_experiment(ExperimentPolicy(name="<winter>"), Expected(0.8, None, 0.3), 100.0, 90.0),
        primary=PrimaryResult(comparison=found, low=-0.01, high=0.05),
        variants=tuple(VariantFigures(name=name, version=name, **sides) for name in ("7", "10")),
    )  # fmt: skip


def service() -> ServiceStatus:
    return ServiceStatus(
        use_case="churn", as_of=DAY, status="alive", said=NOW, started=NOW - WEEK, version="7", predictions=12_345,
        positive_rate=0.31, mean_confidence=0.74, latency_ms=0.21, drifted=("income",),
    )  # fmt: skip


def nothing() -> DashboardRecords:
    return DashboardRecords("churn", policy=POLICY)


def one_window() -> DashboardRecords:
    seen = drifted(0)
    scores = pd.DataFrame({"probability": np.linspace(0, 1, 500)})
    before = build_profile(scores)
    return DashboardRecords(
        "churn", DAY, standing(7), evaluation(), seen.record, (before, build_profile(scores**2, before)),
        seen.history.assign(version="7"), window_metrics(1), POLICY,
    )  # fmt: skip


def fifty_windows() -> DashboardRecords:
    seen = drifted(49)
    full = one_window()
    return replace(
        full, standing=standing(10), monitoring=seen.record, history=seen.history.assign(version="7"),
        metrics=window_metrics(50), experiment=experiment(), service=service(),
    )  # fmt: skip


def card() -> str:
    """A model card's page."""
    record = evaluation()
    y = (np.random.default_rng(0).random(600) < 0.3).astype(int)
    scores = np.clip(0.3 * y + np.random.default_rng(1).normal(0.3, 0.15, 600), 0, 1)
    roc = {name: curves.roc_curve(y, scores) for name in record.test_roc_auc}
    importance = pd.DataFrame(
        {"feature": ["age", "plan"], "mean_abs_shap": [0.5, 0.1], "units": "log-odds", "auc_loss": [0.1, 0.0],
         "auc_loss_low": [0.05, -0.01], "auc_loss_high": [0.15, 0.01]}
    )  # fmt: skip
    facts = CardFacts(
        use_case="churn", version="7", algorithm="GradientBoosting", as_of=DAY, threshold=0.4, training_rows=4_933,
        spec=TableSpec(entity="customer", target="churned", positive="yes", numeric=["age"], categorical=["plan"]),
        bounds=Bounds(dated=False, judging_share=0.3), fingerprint="f" * 32, content_digest="c" * 32,
        label=LabelDefinition(target="churned", kind="positive", positive="yes"), parent_version="5",
        git_commit="0123abc", library_versions={"numpy": "2.4.6"}, created=NOW, intended_use="Ranks customers.",
    )  # fmt: skip
    return model_card(facts, record, importance, "tree explainer", roc, curves.calibration_curve(y, scores)).html


def backtest() -> BacktestRecord:
    policies = tuple(
        PolicyCost(
            policy=name, cost=3 + k, trainings=k, promotions=k, auc=0.8, cost_a_window=0.2 + 0.01 * k,
            trainings_a_window=0.05 * k, regret=0.1 * k, regret_interval=(0.0, 0.2), available=True,
        )
        for k, name in enumerate(("never", "every 4 windows", "on drift"))
    )  # fmt: skip
    ages = tuple(StaleAuc(age_windows=k, auc_lost=0.002 * k, cells=20 - k) for k in range(10))
    return BacktestRecord(
        use_case="churn", as_of=DAY, status="recommended", reason="Never retraining costs least.", version="7",
        window_days=7, windows=20, first=DAY - 20 * WEEK, last=DAY, retraining_cost=0.01, oracle_cost=2.9,
        oracle_trainings=0, policies=policies, recommended="never", settings="churn:\n  retraining: {}\n",
        staleness=ages,
    )  # fmt: skip


def every_page() -> dict[str, str]:
    """File → page, of every kind, the dashboard in all three states."""
    seen, metrics = drifted(49), window_metrics(50)
    serving = standing().serving
    pages = UseCasePages(("dashboard.html", "monitoring.html", "index.html"), serving, seen.record)
    dashboards = {"nothing": nothing(), "one": one_window(), "fifty": replace(fifty_windows(), backtest=backtest())}
    return {
        **{f"dashboard-{name}.html": dashboard_page(records) for name, records in dashboards.items()},
        "monitoring.html": monitoring_page(
            seen.record, seen.reference, seen.window, seen.history, IMPORTANCE, None, None, metrics, POLICY
        ),
        "model_card.html": card(),
        "experiment.html": experiment_page(experiment()),
        "policy_backtest.html": backtest_page(backtest()),
        "index.html": index_page(seen.record, None, None, experiment()),
        "overview.html": overview_page({"churn": pages, "other": UseCasePages(())}),
    }  # fmt: skip
