"""Claims about the features of a table that has them already."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.features.one_table import one_table_features
from evergreen.schema import TableSpec

SPEC = TableSpec(
    entity="id", target="left", positive="Yes", numeric=["spent", "active"], categorical=["plan"], snapshot_date="seen"
)
ROWS = pd.DataFrame(
    {
        "id": ["a", "b"], "spent": ["12.5", " "], "active": [True, False], "plan": [1.0, 2.0], "left": ["Yes", "No"],
        "seen": ["2026-02-28", "2026-02-28"], "name": ["Ada", "Bob"],
    }
)  # fmt: skip


def features(rows: pd.DataFrame, **options: bool) -> pd.DataFrame:
    return one_table_features(ibis.memtable(rows), SPEC, **options).to_pandas()


def test_only_columns_that_are_named_are_taken_along() -> None:
    assert list(features(ROWS)) == ["id", "spent", "active", "plan", "seen", "left"]


def test_text_that_is_no_number_becomes_null() -> None:
    found = features(ROWS)
    assert found["spent"].tolist()[0] == 12.5
    assert found["spent"].isna().tolist() == [False, True]
    assert found["active"].tolist() == [1.0, 0.0]


def test_categories_are_texts_in_their_canonical_form() -> None:
    assert features(ROWS)["plan"].tolist() == ["1", "2"]


def test_a_snapshot_that_is_dated_by_text_has_a_date() -> None:
    assert [pd.Timestamp(day).date() for day in features(ROWS)["seen"]] == [dt.date(2026, 2, 28)] * 2


def test_a_snapshot_without_outcomes_is_taken_where_none_is_asked_for() -> None:
    assert "left" not in features(ROWS.drop(columns="left"), outcome=False)
    with pytest.raises(EvergreenError, match="left"):
        features(ROWS.drop(columns="left"))


def test_a_feature_of_a_type_that_cannot_be_its_role_is_named() -> None:
    with pytest.raises(EvergreenError, match=r"Column 'spent' is listed as numeric but is of type array"):
        features(ROWS.assign(spent=[[1.0], [2.0]]))


@pytest.mark.parametrize("name", ["self", "table", "exprs", "cls"])
def test_a_column_may_bear_any_name(name: str) -> None:
    rows = ibis.memtable({"id": [1, 2], name: [1.5, 2.5], "left": [0, 1]})
    spec = TableSpec(entity="id", target="left", positive=1, numeric=[name])
    assert one_table_features(rows, spec).execute()[name].tolist() == [1.5, 2.5]
