"""A tiny use case, and one that serves already."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiny_use_case import TinyUseCase


@pytest.fixture
def tiny(mlflow_store: Path) -> TinyUseCase:
    """Two snapshots of the same world, and nothing else yet."""
    return TinyUseCase()


@pytest.fixture(scope="module")
def served(mlflow_store: Path) -> TinyUseCase:
    """A use case whose first version was trained and promoted."""
    tiny = TinyUseCase()
    tiny.run("feature_engineering", "training", "evaluation")
    return tiny
