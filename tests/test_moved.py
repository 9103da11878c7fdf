"""Imports of the former layout."""

from __future__ import annotations

import importlib

import pytest

from evergreen.moved import MOVED


@pytest.mark.parametrize("former", sorted(MOVED))
def test_a_module_of_the_former_layout_is_found_where_it_is_now(former):
    now = importlib.import_module(f"evergreen.{MOVED[former]}")
    with pytest.warns(DeprecationWarning, match=f"is now evergreen.{MOVED[former]}"):
        found = importlib.import_module(f"evergreen.{former}")
    public = [name for name in vars(now) if not name.startswith("__")]
    assert all(getattr(found, name) is getattr(now, name) for name in public)
