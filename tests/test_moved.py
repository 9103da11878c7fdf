"""Imports of the former layout."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest

from evergreen.moved import MOVED
from evergreen.rows.parameters import SplitParameters


@pytest.mark.parametrize("former", sorted(MOVED))
def test_a_module_of_the_former_layout_is_found_where_it_is_now(former):
    now = importlib.import_module(f"evergreen.{MOVED[former]}")
    sys.modules.pop(f"evergreen.{former}", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeprecationWarning)
        found = importlib.import_module(f"evergreen.{former}")
    assert f"evergreen.{former} is now evergreen.{MOVED[former]}." in [str(each.message) for each in caught]
    public = [name for name in vars(now) if not name.startswith("__")]
    assert all(getattr(found, name) is getattr(now, name) for name in public)


def test_a_class_that_changed_its_name_is_found_by_the_former_one():
    sys.modules.pop("evergreen.modelling.splits", None)
    with pytest.warns(DeprecationWarning, match=r"is now evergreen\.rows\.splits"):
        former = importlib.import_module("evergreen.modelling.splits")
    assert former.SplitPolicy is SplitParameters
