"""Claims about files that are written whole or not at all."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from evergreen.datasets.whole import written_whole


def test_a_failure_midway_leaves_the_former_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "x?[y]*.json"
    target.write_text("former")

    def fail() -> None:
        with written_whole(target) as temporary:
            temporary.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert target.read_text() == "former"
    assert [file.name for file in tmp_path.iterdir()] == [target.name]


def test_what_a_killed_process_left_beside_a_file_goes_with_the_next_writing(tmp_path: Path) -> None:
    target, here = tmp_path / "x[y].json", socket.gethostname()
    dead, living, elsewhere = (
        tmp_path / f".{target.name}.{host}.{process}.new"
        for host, process in ((here, 2**22 + 1), (here, os.getppid()), ("other", 1))
    )
    for left in (dead, living, elsewhere):
        left.touch()
    with written_whole(target) as temporary:
        temporary.write_text("new")
    assert {file.name for file in tmp_path.iterdir()} == {target.name, living.name, elsewhere.name}
    os.utime(elsewhere, (0, 0))
    with written_whole(target) as temporary:
        temporary.write_text("newer")
    assert not elsewhere.exists()
