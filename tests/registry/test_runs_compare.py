"""Claims about the tables of runs and of versions side by side."""

from __future__ import annotations

import uuid
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from kedro.io import DatasetError

from evergreen import registry
from evergreen.datasets import RunsDataset
from evergreen.errors import EvergreenError
from versions import make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


def fail_run(use_case: str) -> None:
    mlflow.start_run()
    mlflow.set_tags({"use_case": use_case, "pipeline": "training", "algorithm": "SVM", "error": "one class only"})
    mlflow.end_run("FAILED")


def test_every_algorithm_that_was_trained_is_one_row_newest_first(use_case: str, tmp_path: Path) -> None:
    version = make_version(use_case, tmp_path)
    fail_run(use_case)
    make_version(f"{use_case}-other", tmp_path)
    failed, trained = registry.runs(use_case).to_dict("records")
    assert (failed["algorithm"], failed["status"], failed["error"]) == ("SVM", "FAILED", "one class only")
    assert (trained["version"], trained["pipeline"], trained["status"]) == (version, "training", "FINISHED")
    assert (trained["cv_roc_auc_mean"], trained["test_roc_auc"], trained["fit_seconds"]) == (0.9, 0.8, 1.5)
    assert trained["started"] <= failed["started"]
    assert trained["seconds"] >= 0


def test_runs_can_be_limited_and_have_the_same_columns_when_there_are_none(use_case: str, tmp_path: Path) -> None:
    empty = registry.runs(use_case)
    fail_run(use_case)
    fail_run(use_case)
    found = registry.runs(use_case, limit=1)
    assert (len(empty), len(found)) == (0, 1)
    assert list(empty) == list(found)


def test_the_catalog_reads_runs_and_writes_none(use_case: str) -> None:
    fail_run(use_case)
    dataset = RunsDataset(use_case)
    pd.testing.assert_frame_equal(dataset.load(), registry.runs(use_case))
    with pytest.raises(DatasetError, match="logged by training"):
        dataset.save(dataset.load())


def test_the_champion_and_the_newest_other_version_are_compared_unless_others_are_named(
    use_case: str, tmp_path: Path
) -> None:
    first, second, third = (make_version(use_case, tmp_path, f"f{i}", complete=True) for i in range(3))
    registry.move_champion(use_case, first, None, "first")
    assert [facts.version for facts in registry.compare_versions(use_case)] == [first, third]
    assert [facts.version for facts in registry.compare_versions(use_case, [third, second])] == [third, second]
    registry.move_champion(use_case, third, first, "better")
    assert [facts.version for facts in registry.compare_versions(use_case)] == [third, second]


def test_facts_are_what_manifest_files_and_tags_say(use_case: str, tmp_path: Path) -> None:
    version = make_version(use_case, tmp_path, "f7", complete=True)
    registry.tag_version(use_case, version, status="refused", decision="The gain is too small.")
    (facts,) = registry.compare_versions(use_case)
    assert facts.top_features == ("a", "b")
    assert facts.test_metrics["roc_auc"].low == pytest.approx(0.75)
    assert (facts.fingerprint, facts.status, facts.decision) == ("f7", "refused", "The gain is too small.")


def test_a_version_that_was_never_evaluated_can_be_compared(use_case: str, tmp_path: Path) -> None:
    make_version(use_case, tmp_path)
    (facts,) = registry.compare_versions(use_case)
    assert (facts.test_metrics, facts.top_features, facts.decision) == ({}, (), None)


def test_comparing_before_the_first_training_says_what_to_run(use_case: str) -> None:
    with pytest.raises(
        EvergreenError, match="has no versions yet: run `kedro run --pipelines=feature_engineering,training"
    ):
        registry.compare_versions(use_case)
