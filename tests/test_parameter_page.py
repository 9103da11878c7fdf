"""The reference of parameters says what the models say."""

from __future__ import annotations

import re

from kedro.framework.startup import bootstrap_project
from pydantic import BaseModel

from evergreen.use_cases import POLICIES
from tests_support import ROOT

bootstrap_project(ROOT)

from evergreen.parameter_reference import PAGE, _blocks, page  # noqa: E402 - the project must be known before


def test_the_page_is_what_the_generator_writes() -> None:
    assert (ROOT / PAGE).read_text() == page(), "`make reference` writes it anew"


def test_every_field_of_every_block_stands_there() -> None:
    text = page()
    assert set(POLICIES) <= _blocks().keys()
    for name, model in _blocks().items():
        [section] = re.findall(rf"^## {name}\n(.+?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
        listed = set(re.findall(r"^\| `([^`.\[<]+)`", section, re.MULTILINE))
        assert listed == set(model.model_fields)


def test_values_bounds_defaults_and_meanings_are_said() -> None:
    assert "| `leakage.max_auc` | number, > 0.5, ≤ 1 | `0.98` | Cross-validated ROC AUC" in page()
    assert issubclass(_blocks()["training"], BaseModel)
