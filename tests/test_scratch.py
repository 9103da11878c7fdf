"""Claims about copies of rows: they lie in the data folder and outlive no process for long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evergreen import registry, scratch


@pytest.fixture(autouse=True)
def _own_root(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_roots", [tmp_path])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("tmp")))


def left_by(how: str, root: Path) -> subprocess.CompletedProcess[bytes]:
    code = f"""
import os, signal
from pathlib import Path
from evergreen import scratch
scratch.lay_copies_in(Path({str(root)!r}))
(scratch.lasting_folder() / "rows").touch()
{how}
"""
    return subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ})


def test_a_process_that_ends_takes_its_copies_along(tmp_path: Path) -> None:
    left_by("", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    left_by("os.kill(os.getpid(), signal.SIGKILL)", tmp_path)
    mine = scratch.lasting_folder()
    assert len(scratch.abandoned(delete=False)) == 1
    removed = registry.prune_copies(dry_run=False)
    assert [removal.reason for removal in removed] == ["left by a process that was killed"]
    assert mine.is_dir()
    assert [folder for folder in tmp_path.iterdir() if folder.is_dir()] == [mine.parent]


def test_what_a_killed_command_without_data_left_goes_with_the_next_run(tmp_path: Path) -> None:
    left_by("os.kill(os.getpid(), signal.SIGKILL)", scratch._without_data())
    assert len(scratch.abandoned(delete=True)) == 1
    assert list(scratch._without_data().iterdir()) == []


def test_a_folder_for_a_while_is_gone_afterwards(tmp_path: Path) -> None:
    with scratch.new_folder() as name:
        assert Path(name).is_relative_to(tmp_path)
    assert not Path(name).exists()
