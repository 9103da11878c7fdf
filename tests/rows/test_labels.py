from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.rows.labels import LabelDefinition, fit_label_definition
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import TableSpec

AMOUNT = TableSpec(entity="id", target="amount", numeric=["x"])


def churn(positive) -> TableSpec:
    return TableSpec(entity="id", target="churned", positive=positive, numeric=["x"])


def test_amounts_above_the_quantile_of_the_training_rows_are_positive():
    outcome = pd.Series(np.arange(101.0))
    definition = fit_label_definition(outcome, AMOUNT, LabelPolicy(quantile=0.8))
    assert definition == LabelDefinition(target="amount", kind="above", threshold=80.0, quantile=0.8)
    assert definition.apply(pd.Series([79.0, 80.0, 80.5])).tolist() == [0, 0, 1]


def test_a_definition_survives_json():
    definition = fit_label_definition(pd.Series([1.5, 2, 3]), AMOUNT, LabelPolicy())
    assert LabelDefinition.model_validate_json(definition.model_dump_json()) == definition


@pytest.mark.parametrize("positive", [1, "1", True, 1.0, "true"])
@pytest.mark.parametrize(
    "outcome",
    [
        pd.Series([1, 0, 1]),
        pd.Series(["1", "0", "1"]),
        pd.Series([True, False, True]),
        pd.Series(["True", "False", "True"]),
        pd.Series([1.0, 0.0, 1.0]),
        pd.Series([1, 0, 1], dtype="Int64"),
        pd.Series([True, False, True], dtype="boolean"),
    ],
)
def test_a_positive_value_is_found_in_every_representation(positive, outcome):
    labels = fit_label_definition(outcome, churn(positive), LabelPolicy()).apply(outcome)
    assert labels.dtype == np.int8
    assert labels.tolist() == [1, 0, 1]


def test_a_word_is_a_positive_value():
    outcome = pd.Series(["Yes", "No", "No"])
    assert fit_label_definition(outcome, churn("Yes"), LabelPolicy()).apply(outcome).tolist() == [1, 0, 0]


def test_a_null_outcome_is_refused_with_its_count():
    definition = LabelDefinition(target="amount", kind="above", threshold=1.0)
    with pytest.raises(EvergreenError, match=r"'amount' is null in 2 of 3 rows"):
        definition.apply(pd.Series([1.0, None, np.nan]))


@pytest.mark.parametrize(
    ("outcome", "spec"), [(pd.Series([5.0, 5.0, 5.0]), AMOUNT), (pd.Series(["Yes", "No"]), churn("yes!"))]
)
def test_one_class_is_refused_in_words(outcome, spec):
    with pytest.raises(EvergreenError, match=r"one class only: 0 of \d training rows are"):
        fit_label_definition(outcome, spec, LabelPolicy())


def test_a_text_outcome_without_a_positive_value_is_refused():
    with pytest.raises(EvergreenError, match="set 'positive'"):
        fit_label_definition(pd.Series(["Yes", "No"]), AMOUNT, LabelPolicy())


def test_several_values_may_count_as_one():
    spec = TableSpec(entity="id", target="y", positive=["left", 2], numeric=["x"])
    definition = fit_label_definition(pd.Series(["left", "2", "stayed", "2.0"]), spec, LabelPolicy())
    assert definition.apply(pd.Series(["left", "2", "stayed", "2.0"])).tolist() == [1, 1, 0, 1]
    assert LabelDefinition.model_validate_json(definition.model_dump_json()) == definition


def test_a_fixed_threshold_is_taken_as_it_is():
    spec = TableSpec(entity="id", target="y", threshold=10, numeric=["x"])
    definition = fit_label_definition(pd.Series([1.0, 10.0, 11.0]), spec, LabelPolicy())
    assert definition.apply(pd.Series([10.0, 10.5])).tolist() == [0, 1]
