"""Claims about edited use cases: what starts a new lineage, what another table is, what the champion still gets."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evergreen.errors import EvergreenError
from evergreen.registry.lineage import carried, compare_declarations, is_another_table, require_columns
from evergreen.schema import TableSpec

THEN = TableSpec(
    entity="id", target="left", positive="yes", numeric=["age", "income", "tenure"], categorical=["region"]
)


def edited(**changes: object) -> TableSpec:
    return TableSpec.model_validate({**THEN.model_dump(), **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"positive": "no"}, "positive yes → no"),
        ({"target": "gone"}, "target left → gone"),
        ({"date": "day"}, "date none → day"),
        ({"block": ["region"]}, "block id → region"),
        ({"entity": "customer"}, "entity id → customer"),
    ],
)
def test_an_edit_of_what_the_outcome_or_a_row_means_starts_a_new_lineage(changes: dict[str, object], said: str) -> None:
    edit = compare_declarations("3", THEN, edited(**changes))
    assert said in edit.meaning
    assert "this starts a new lineage" in edit.sentence("churn")
    assert "version 3 keeps serving" in edit.sentence("churn")


def test_features_that_come_and_go_are_judged_against_the_champion() -> None:
    edit = compare_declarations("3", THEN, edited(numeric=["age", "tenure", "calls"]))
    assert edit.sentence("churn").startswith("churn: the table is now declared without income; with calls:")
    assert "judged against version 3" in edit.sentence("churn")
    assert not edit.meaning


def test_nothing_is_said_where_nothing_was_edited() -> None:
    assert compare_declarations("3", THEN, edited(block=["id"])).sentence("churn") == ""


@pytest.mark.parametrize(
    ("changes", "another"),
    [
        ({"numeric": ["tenure"], "categorical": []}, False),
        ({"entity": "customerID", "target": "Churn"}, False),
        ({"numeric": ["tenure", "MonthlyCharges"], "categorical": ["Contract"]}, False),
        ({"entity": "customerID", "target": "Churn", "numeric": ["tenure", "Charges"], "categorical": []}, True),
        ({"numeric": ["amount"], "categorical": []}, True),
    ],
)
def test_another_table_shares_nothing_or_little_under_other_keys(changes: dict[str, object], another: bool) -> None:
    assert is_another_table(THEN, edited(**changes)) is another


def version(spec: TableSpec) -> SimpleNamespace:
    return SimpleNamespace(use_case="churn", version="3", manifest=SimpleNamespace(spec=spec))


def test_the_champion_keeps_the_columns_that_the_source_still_has() -> None:
    declared = edited(entity="number", numeric=["age"], categorical=[])
    found = carried(declared, version(THEN), ["number", "id", "left", "age", "income", "region"])
    assert (found.entity, found.block) == ("number", ["id"])
    assert (found.numeric, found.categorical) == (["age", "income"], ["region"])


def test_without_a_champion_the_declared_table_is_all() -> None:
    assert carried(THEN, None, ["age"]) is THEN


def test_rows_that_lack_what_a_version_needs_are_refused_by_name() -> None:
    with pytest.raises(EvergreenError, match="churn version 3 needs income, region, which the table no longer has"):
        require_columns(version(THEN), ["id", "age", "tenure"])
