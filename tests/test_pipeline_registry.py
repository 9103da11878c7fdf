"""Claims about which pipelines there are, and how a part of the lifecycle is named."""

from __future__ import annotations

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from evergreen.errors import EvergreenError
from evergreen.pipeline_registry import lifecycle
from evergreen.use_cases import UseCase
from tests_support import ROOT

bootstrap_project(ROOT)
PAGES = {"churn.reporting.show_monitoring", "churn.reporting.write_index", "churn.reporting.write_dashboard"}


def test_a_use_case_is_a_pipeline_of_all_its_rooms() -> None:
    whole = pipelines["__default__"].filter(node_namespaces=["churn"])
    assert {node.name for node in pipelines["churn"].nodes} == {node.name for node in whole.nodes}


@pytest.mark.parametrize("room", ["training", "monitoring"])
def test_a_room_of_one_use_case_is_a_namespace(room: str) -> None:
    chosen = pipelines["__default__"].filter(node_namespaces=[f"churn.{room}"])
    assert {node.name for node in chosen.nodes} == {
        node.name for node in pipelines[room].nodes if node.name.startswith(f"churn.{room}.")
    }


@pytest.mark.parametrize(
    ("room", "ends"),
    [
        ("monitoring", {"churn.alerts.send_alerts", *PAGES}),
        ("retraining", PAGES),
    ],
)
def test_a_room_ends_with_what_people_read_of_it_and_alerts_go_out_once(room: str, ends: set[str]) -> None:
    nodes = {node.name for node in pipelines[room].nodes if node.name.startswith("churn.")}
    assert {name for name in nodes if not name.startswith(f"churn.{room}.")} == ends


def test_datasets_and_parameters_are_named_after_the_use_case_alone() -> None:
    training = pipelines["training"].filter(node_namespaces=["churn"])
    assert {"churn.features", "params:churn.training", "params:as_of"} <= training.inputs()


@pytest.mark.parametrize("name", ["training", "__default__"])
def test_a_use_case_that_bears_the_name_of_a_pipeline_is_refused(name: str) -> None:
    with pytest.raises(EvergreenError, match=f"use case {name} in use_cases.yml bears the name"):
        lifecycle({"churn": UseCase(source="one_table"), name: UseCase(source="one_table")})
