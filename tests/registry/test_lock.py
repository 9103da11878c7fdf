"""Claims about the registry's lock: the same for every process of a host, and never waited for in vain."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import mlflow
import pytest

from evergreen.errors import EvergreenError
from evergreen.registry import aliases, lock
from evergreen.registry.aliases import registry_lock


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.2)


@pytest.mark.parametrize("registry", ["sqlite:////{folder}/mlflow.db", "http://server:5000"])
@pytest.mark.usefixtures("patience")
def test_another_temporary_folder_gives_no_second_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: str
) -> None:
    monkeypatch.setattr(mlflow, "get_registry_uri", lambda: registry.format(folder=tmp_path))
    monkeypatch.setattr(lock, "HOST_STATE", (tmp_path / "host",))
    with registry_lock("case"):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
        with (
            pytest.raises(EvergreenError, match="another process has been changing the registry"),
            registry_lock("case"),
        ):
            pass


def test_any_user_may_take_a_lock_that_another_one_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "get_registry_uri", lambda: "http://server:5000")
    monkeypatch.setattr(lock, "HOST_STATE", (tmp_path / "host",))
    with registry_lock("case"):
        made = next((tmp_path / "host").iterdir())
    assert made.stat().st_mode & 0o777 == 0o666
    assert made.parent.stat().st_mode & 0o777 == 0o777


def test_a_place_that_cannot_be_locked_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(mlflow, "get_registry_uri", lambda: f"sqlite:///{tmp_path}/file/mlflow.db")
    began = time.monotonic()
    with pytest.raises(FileExistsError, match="file"), registry_lock("case"):
        pass
    assert time.monotonic() - began < lock.LOCK_SECONDS / 2


def test_the_first_place_that_can_be_written_to_holds_the_locks_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(lock, "HOST_STATE", (tmp_path / "file" / "no", tmp_path / "host"))
    assert aliases.host_state() == tmp_path / "host"
