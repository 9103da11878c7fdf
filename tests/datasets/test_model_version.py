"""Claims about the catalog entry of a champion."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from kedro.io import DatasetError

from evergreen import registry
from evergreen.datasets.model_version import ModelVersionDataset
from versions import make_version


def test_the_alias_is_looked_up_at_every_load(mlflow_store: Path, tmp_path: Path) -> None:
    name = f"case-{uuid.uuid4().hex[:8]}"
    first, second = make_version(name, tmp_path), make_version(name, tmp_path, "f2")
    entry = ModelVersionDataset(name, ["challenger", "champion"])
    registry.move_champion(name, first, None, "first")
    assert entry.load().version == first
    registry.set_challenger(name, second)
    assert entry.load().version == second


def test_without_an_alias_an_optional_entry_is_nothing_and_another_names_the_command(mlflow_store: Path) -> None:
    name = f"case-{uuid.uuid4().hex[:8]}"
    assert not ModelVersionDataset(name, ["champion"]).exists()
    assert ModelVersionDataset(name, ["champion"], optional=True).load() is None
    with pytest.raises(DatasetError, match=f"{name} has no champion yet: run `kedro run"):
        ModelVersionDataset(name, ["champion"]).load()


def test_nothing_is_saved_through_the_catalog(mlflow_store: Path) -> None:
    with pytest.raises(DatasetError, match="registered by training"):
        ModelVersionDataset("case", ["champion"]).save("model")
