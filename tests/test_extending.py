"""Claims about extending the project: what the pages about it say is done here, word by word."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from kedro.io import AbstractDataset, DataCatalog, DatasetError
from pydantic import ValidationError

from evergreen.errors import EvergreenError
from evergreen.evaluation.explainers import attribute
from evergreen.features import one_table_features
from evergreen.features.derived import DERIVED, with_derived
from evergreen.modelling import estimators
from evergreen.modelling.compiled import NotCompilableError, compile_pipeline
from evergreen.modelling.estimators import ALGORITHMS, Algorithm, Imported
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import Candidate, train_candidates
from evergreen.monitoring import DriftPolicy, build_profile, compare_profiles
from evergreen.monitoring.drift.statistics import STATISTICS
from evergreen.registry.artefacts import MODEL_FILE
from evergreen.registry.manifest import installed_versions
from evergreen.reporting.monitoring.messages import AlertMessage
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec
from evergreen.serving.fallback import load_fallback
from local_server import free_port
from tests_support import ROOT

SPEC = TableSpec(entity="id", target="y", numeric=["age", "income"], categorical=["town"])
BOOSTERS = ["LightGBM", "XGBoost", "CatBoost"]


def block(page: str, language: str, number: int = 0) -> str:
    """A block of code of a page of the documentation."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)[
        number
    ]


def people(rows: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows with missing numbers, missing categories, and a category of some 150 levels."""
    rng = np.random.default_rng(0)
    town = rng.integers(0, 150, rows)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(40, 10, rows)),
            "income": rng.lognormal(size=rows),
            "town": np.where(rng.random(rows) < 0.1, None, np.char.add("t", town.astype(str)).astype(object)),
        }
    )
    y = (frame["income"].to_numpy() + (town > 75) + rng.normal(0, 0.5, rows) > 1.8).astype(np.int8)
    return frame, y


def trained(name: str) -> Candidate:
    X, y = people()
    share = np.random.default_rng(1).random(len(y))
    policy = TrainingParameters(algorithms=[name], n_jobs=1)
    return train_candidates(X, y, share, None, SPEC, policy, SplitParameters(folds=3))[0]


@pytest.fixture
def own_algorithm() -> Iterator[str]:
    before = dict(ALGORITHMS)
    exec(block("algorithm.md", "python"), {})
    (name,) = set(ALGORITHMS) - set(before)
    yield name
    del ALGORITHMS[name]


def test_one_entry_makes_an_algorithm_compete_and_its_models_are_stored_and_loaded(own_algorithm: str) -> None:
    found = trained(own_algorithm)
    assert found.error is None
    assert found.best_params["max_features"] in ("sqrt", 0.5)
    X, _ = people()
    loaded = skops.io.loads(skops.io.dumps(found.pipeline), trusted=estimators.trusted_types())
    np.testing.assert_array_equal(loaded.predict_proba(X), found.pipeline.predict_proba(X))


@pytest.mark.parametrize("name", BOOSTERS)
def test_a_booster_learns_is_explained_stored_and_served(name: str, tmp_path: Path) -> None:
    if not ALGORITHMS[name].installed:
        pytest.skip(f"{name} is not installed")
    found, (X, _) = trained(name), people()
    assert found.error is None
    assert found.cv_roc_auc_mean > 0.7
    columns = found.pipeline[:-1].transform(X)
    assert attribute(found.pipeline[-1], columns[:20], columns, 0).error < 1e-6
    (tmp_path / MODEL_FILE).write_bytes(skops.io.dumps(found.pipeline))
    with pytest.raises(NotCompilableError):
        compile_pipeline(found.pipeline)
    one, many = load_fallback(tmp_path, SPEC.numeric, SPEC.categorical)
    expected = found.pipeline.predict_proba(X)[:, 1]
    np.testing.assert_allclose(many({name: X[name].tolist() for name in SPEC.features}, len(X)), expected)
    assert one([None, 1.0, "never seen"]) == pytest.approx(
        found.pipeline.predict_proba(pd.DataFrame({"age": [np.nan], "income": [1.0], "town": ["never seen"]}))[0, 1]
    )
    assert ALGORITHMS[name].build.package in installed_versions(found.pipeline)


def test_the_page_names_algorithms_that_there_are() -> None:
    named: dict[str, Any] = yaml.safe_load(block("algorithm.md", "yaml"))
    assert set(named["churn"]["training"]["algorithms"]) <= set(ALGORITHMS)


def test_a_misspelt_algorithm_is_found_before_anything_runs() -> None:
    with pytest.raises(ValidationError, match="there is no algorithm LightGMB; choose among HistGradientBoosting"):
        TrainingParameters(algorithms=["LightGMB"])


def test_a_missing_package_stops_training_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ALGORITHMS, "LightGBM", Algorithm(Imported("no_such_package", "Classifier")))
    with pytest.raises(EvergreenError, match=r"needs the package no_such_package.*evergreen\[no_such_package\]"):
        trained("LightGBM")


@pytest.fixture
def own_statistic() -> Iterator[str]:
    before = dict(STATISTICS)
    exec(block("drift-statistic.md", "python"), {})
    (name,) = set(STATISTICS) - set(before)
    yield name
    del STATISTICS[name]


def test_one_entry_makes_a_drift_statistic_decide_or_be_shown(own_statistic: str) -> None:
    asked = yaml.safe_load(block("drift-statistic.md", "yaml"))["churn"]["monitoring"]["drift"]
    assert asked == {"decides": own_statistic, "shows": ["evergreen"]}
    rows = pd.DataFrame({"age": np.random.default_rng(0).normal(size=2_000), "town": ["a", "b"] * 1_000})
    reference = build_profile(rows)
    moved = build_profile(rows.assign(age=rows["age"] + 0.4), reference)
    found = compare_profiles(reference, moved, DriftPolicy(**asked)).columns
    assert found["age"].alarm
    assert found["age"].effect == pytest.approx(0.4, abs=0.05)
    assert found["age"].statistics["evergreen"].p_value < 1e-6
    plain = compare_profiles(reference, moved).columns
    assert found["town"].p_value == plain["town"].p_value
    assert plain["age"].statistics == {}
    same = compare_profiles(reference, build_profile(rows, reference), DriftPolicy(**asked))
    assert not same.drifted


def test_a_misspelt_statistic_is_found_before_anything_runs() -> None:
    with pytest.raises(ValidationError, match="there is no drift statistic t_test; choose among evergreen"):
        DriftPolicy(decides="t_test")


def alert(severity: str) -> AlertMessage:
    return AlertMessage(
        use_case="churn", as_of=dt.date(2026, 2, 28), version="1", title="churn: income drifted", severity=severity,
        lines=("income: alert opened.",), link=None,
    )  # fmt: skip


@pytest.fixture
def channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The page's catalog entries, the class of its own beside them, receivers that nobody listens at."""
    module = ModuleType("own_channels")
    exec(block("alert-channel.md", "python"), vars(module))
    monkeypatch.setitem(sys.modules, "own_channels", module)
    entries = yaml.safe_load(block("alert-channel.md", "yaml"))
    kinds = entries["churn.channels"]["channels"]
    kinds["on_call"] |= {"credentials": {"url": f"http://127.0.0.1:{free_port()}/secret"}, "attempts": 1}
    kinds["team"] |= {"host": "127.0.0.1", "port": free_port(), "attempts": 1}
    kinds["file"] |= {"filepath": str(tmp_path / "alerts.jsonl")}
    return dict(entries)


def test_a_channel_of_ones_own_is_sent_what_is_severe_enough_though_others_are_down(
    channels: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = DataCatalog.from_config(channels)
    with caplog.at_level(logging.WARNING, "evergreen.alerts"):
        catalog.save("churn.channels", [alert("info"), alert("warning"), alert("critical")])
    lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["severity"] for line in lines] == ["warning", "critical"]
    assert [text.split(" did not take")[0].split(":")[0] for text in caplog.messages] == [
        "Webhook http", "E-mail through 127.0.0.1",
    ]  # fmt: skip
    assert "secret" not in caplog.text


def test_what_is_no_channel_is_refused_by_name(channels: dict[str, Any]) -> None:
    channels["churn.channels"]["channels"] = {"disk": {"type": "MemoryDataset"}}
    with pytest.raises(DatasetError, match="channel disk: MemoryDataset is no alert channel"):
        AbstractDataset.from_config("churn.channels", channels["churn.channels"])


@pytest.fixture
def own_features() -> Iterator[None]:
    exec(block("feature.md", "python"), {})
    yield
    DERIVED.clear()


@pytest.mark.usefixtures("own_features")
def test_a_feature_of_ones_own_is_computed_where_it_is_listed_and_nowhere_else() -> None:
    listed = yaml.safe_load(block("feature.md", "yaml"))["table"]
    spec = TableSpec(entity="id", target="left", **listed)
    rows = ibis.memtable({"id": [1, 2], "age": [37, 64], "balance": [10.0, 94.0], "region": ["N", "S"], "left": [0, 1]})
    made = one_table_features(with_derived(rows, spec, None), spec).order_by("id").execute()
    assert made["balance_per_year"].tolist() == [0.5, 2.0]
    assert made["age_group"].tolist() == ["3", "6"]
    assert with_derived(rows, spec.without(DERIVED)).columns == rows.columns


@pytest.mark.usefixtures("own_features")
def test_a_feature_that_looks_beyond_its_row_or_at_a_missing_column_is_refused() -> None:
    rows = ibis.memtable({"id": [1, 2], "age": [37, 64]})
    DERIVED["age_group"] = lambda row: row.age - row.age.mean()
    spec = TableSpec(entity="id", target="left", numeric=["age", "age_group"])
    with pytest.raises(EvergreenError, match=r"derived feature age_group looks beyond its own row \("):
        with_derived(rows, spec)
    with pytest.raises(EvergreenError, match="derived feature balance_per_year cannot be computed"):
        with_derived(rows, TableSpec(entity="id", target="left", numeric=["balance_per_year"]))
