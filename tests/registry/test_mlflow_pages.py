"""What people see in MLflow after a run: names in words, rows with digests, time lines, links, few tags."""

from __future__ import annotations

from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from evergreen.registry.artefacts import DIGEST_TAG, DIGESTS_TAG, LONGEST_TAG, digest_tags, stored_digests
from tests_support import Project

pytestmark = pytest.mark.slow

ALGORITHM = "tags.algorithm != ''"


@pytest.fixture
def client(lived: Project) -> Iterator[MlflowClient]:
    before = mlflow.get_tracking_uri()
    yield MlflowClient(f"sqlite:///{lived.data}/mlflow/mlflow.db")
    assert mlflow.get_tracking_uri() == before


def runs(client: MlflowClient, condition: str = "") -> list[Run]:
    experiment = client.get_experiment_by_name("evergreen")
    return list(client.search_runs([experiment.experiment_id], condition))


def test_a_run_is_named_by_its_use_cases_and_pipelines(client: MlflowClient) -> None:
    names = [run.info.run_name for run in runs(client) if "mlflow.parentRunId" not in run.data.tags]
    assert names == ["churn, high_value_sales: the whole lifecycle"]


def test_every_run_names_the_rows_that_it_looked_at(client: MlflowClient) -> None:
    inputs = {run.info.run_name: run.inputs.dataset_inputs for run in runs(client)}
    assert all(inputs.values())
    used = {
        (each.dataset.name, tag.value) for found in inputs.values() for each in found for tag in each.tags
    }  # fmt: skip
    expected = {
        (f"{use_case}.{entry} ({context})", context)
        for use_case in ("churn", "high_value_sales")
        for entry, context in (("features", "training"), ("features", "testing"), ("window", "monitoring"))
    }
    assert used == expected
    assert all(len(each.dataset.digest) >= 32 for found in inputs.values() for each in found)


def test_a_window_is_a_point_on_the_time_line_of_the_version_that_was_watched(
    client: MlflowClient, lived: Project
) -> None:
    record = lived.record("churn", "monitoring")
    run = client.get_model_version("churn", record["version"]).run_id
    [point] = client.get_metric_history(run, "window_realised_roc_auc")
    assert point.value == pytest.approx(record["performance"]["metrics"]["roc_auc"]["window"]["value"])
    assert point.step == 90  # days since the rows that it learnt from
    assert client.get_metric_history(run, "window_positive_rate")[0].timestamp == point.timestamp


def test_descriptions_say_in_words_what_a_version_is_and_link_to_its_card(client: MlflowClient) -> None:
    version = client.get_model_version("churn", "1")
    assert version.description.startswith("LogisticRegression, trained on ")
    assert "Promoted." in version.description
    model = client.get_registered_model("churn")
    assert "| promote | 1 | 2 |" in model.description
    for text, run in (
        (version.description, version.run_id),
        (model.description, client.get_model_version("churn", "2").run_id),
    ):
        card = text.partition(f"/runs/{run}/artifacts/")[2].partition(")")[0]
        folder, _, name = card.rpartition("/")
        assert name == "model_card.md"
        assert card in {file.path for file in client.list_artifacts(run, folder)}


def test_digests_are_one_tag_that_every_database_takes(client: MlflowClient) -> None:
    tags = client.get_model_version("churn", "1").tags
    assert not [tag for tag in tags if tag.startswith(DIGEST_TAG)]
    assert len(tags[DIGESTS_TAG]) <= LONGEST_TAG
    assert "model.skops" in stored_digests(tags)


def test_digests_that_are_too_long_for_one_tag_have_one_each_and_are_read_alike() -> None:
    many = {f"file_{number}": "0" * 64 for number in range(80)}
    assert len(digest_tags(many)) == 80
    assert stored_digests(digest_tags(many)) == many
    assert stored_digests({DIGESTS_TAG: "not JSON", f"{DIGEST_TAG}a": "1"}) == {"a": "1"}
