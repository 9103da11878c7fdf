"""One registry and one running service for all tests of the room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_service import Service, promote, register


@dataclass(frozen=True)
class Versions:
    """Registered versions by what they are."""

    linear: str
    trees: str
    plain: str


@pytest.fixture(scope="session")
def versions(mlflow_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp("versions")
    made = Versions(
        register(folder, "LogisticRegression"),
        register(folder, "HistGradientBoosting", {"max_iter": 20}),
        register(folder, "LogisticRegression", columns="classifier"),
    )
    promote(made.linear)
    return made


@pytest.fixture(scope="session")
def service(versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The champion's service; tests may swap its version and set it back."""
    running = Service(tmp_path_factory.mktemp("service"), {"watch_seconds": 0.1, "workers": 2}).start()
    yield running
    running.stop()
