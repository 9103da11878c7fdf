"""Claims about rows that are too few, or hold too little, to be learnt from."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.rows.labelled import LEAST_OF_A_CLASS, LabelledRows, require_both_outcomes, without_empty_features
from evergreen.rows.labels import fit_label_definition
from evergreen.rows.parameters import LabelPolicy, SplitParameters
from evergreen.rows.splits import undated
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="who", target="left", positive="Yes", numeric=["age", "height"])


def labelled(positives: int, others: int, **columns: object) -> LabelledRows:
    left = ["Yes"] * positives + ["No"] * others
    rows = pd.DataFrame({"who": range(len(left)), "left": left, "age": 1.0, "height": 2.0}).assign(**columns)
    label = fit_label_definition(rows["left"], SPEC, LabelPolicy())
    y, day = label.apply(rows["left"]), dt.date(2026, 2, 28)
    return LabelledRows(rows, y, np.zeros(len(y)), SPEC, label, undated(SplitParameters()), day)


@pytest.mark.parametrize(("positives", "others"), [(9, 500), (500, 9), (5, 5)])
def test_fewer_than_ten_rows_of_an_outcome_are_not_learnt_from(positives: int, others: int) -> None:
    with pytest.raises(EvergreenError, match=f"counts {positives} times as 1 and {others} times as 0: at least 10"):
        require_both_outcomes(labelled(positives, others))


def test_ten_rows_of_each_outcome_are_enough_to_begin() -> None:
    require_both_outcomes(labelled(LEAST_OF_A_CLASS, LEAST_OF_A_CLASS))


def test_a_feature_without_a_value_is_left_out_and_all_without_one_are_refused() -> None:
    assert without_empty_features(labelled(10, 10, age=np.nan), "own").spec.features == ["height"]
    with pytest.raises(EvergreenError, match="none of 2 features holds a value in 20 training rows"):
        without_empty_features(labelled(10, 10, age=np.nan, height=np.nan), "own")
