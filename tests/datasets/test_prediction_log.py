from __future__ import annotations

import asyncio
import datetime as dt
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from evergreen.datasets.prediction_log import compaction, segments
from evergreen.datasets.prediction_log.compaction import collect
from evergreen.datasets.prediction_log.dataset import ServicePredictionsDataset
from evergreen.datasets.prediction_log.segments import SegmentWriter, closed_segments
from evergreen.modelling.parameters import ScoringParameters
from logged_lines import SPEC, TODAY, line, write


def ids(table: Path) -> list[str]:
    return sorted(pd.read_parquet(table)["request_id"]) if any(table.rglob("*.parquet")) else []


def test_lines_become_rows_of_the_day_on_which_they_were_answered(tmp_path: Path) -> None:
    write(tmp_path / "log", line(1), line(2, "2026-03-01", 7.0))
    done = collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(), TODAY)
    found = ServicePredictionsDataset(str(tmp_path / "table")).load().order_by("date").execute()
    assert done.rows == 2
    assert found["date"].astype(str).tolist() == ["2026-03-01", "2026-03-02"]
    assert found["city"].tolist() == ["7", "A"]
    assert found["entity_id"].tolist() == ["2", "1"]
    assert found["age"].tolist() == [40.5, 40.5]


def test_features_and_entities_are_kept_as_the_policy_says(tmp_path: Path) -> None:
    write(tmp_path / "log", line(1))
    policy = ScoringParameters(keep_features=False, hash_entities=True)
    collect(tmp_path / "log", tmp_path / "table", SPEC, policy, TODAY)
    found = pd.read_parquet(tmp_path / "table")
    assert "age" not in found
    assert len(found["entity_id"][0]) == 32


def test_days_beyond_retention_go(tmp_path: Path) -> None:
    write(tmp_path / "log", line(1, "2026-01-01"), line(2))
    done = collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(retention_days=30), TODAY)
    assert done.removed_days == (dt.date(2026, 1, 1),)
    assert ids(tmp_path / "table") == ["r2"]


def test_a_segment_that_is_written_is_left_alone_and_one_whose_writer_is_gone_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal\nfrom pathlib import Path\n"
        "from evergreen.datasets.prediction_log.segments import SegmentWriter\n"
        "SegmentWriter(Path(sys.argv[1])).write(b'{}\\n{\"torn')\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    writer = SegmentWriter(tmp_path)
    writer.write(line(1))
    assert died.returncode == -signal.SIGKILL
    assert len(closed_segments(tmp_path)) == 1
    writer.rotate()
    assert len(closed_segments(tmp_path)) == 2
    writer.close()


def test_a_torn_last_line_was_never_answered_and_is_no_row(tmp_path: Path) -> None:
    write(tmp_path / "log", line(1) + line(2)[:30])
    assert collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(), TODAY).rows == 1


class Killed(BaseException):
    """As if the process had been killed there."""


STEPS = ["batch made", "first day written", "all days written", "half the batch removed"]


@pytest.mark.parametrize("step", STEPS)
def test_each_line_is_collected_once_wherever_a_collection_is_killed(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, table = tmp_path / "log", tmp_path / "table"
    write(log, line(1), line(2, "2026-03-01"))
    write(log, line(3))

    def killed(*_: object) -> None:
        raise Killed

    replaced: list[Path] = []
    real = Path.replace

    def replace_once(source: Path, target: Path) -> None:
        if replaced:
            raise Killed
        replaced.append(real(source, target))

    def remove_half(batch: Path) -> None:
        next(batch.glob("*.jsonl")).unlink()
        raise Killed

    with monkeypatch.context() as patch:
        if step == "batch made":
            patch.setattr(compaction, "_write_batch", killed)
        elif step == "first day written":
            patch.setattr(Path, "replace", replace_once)
        elif step == "all days written":
            patch.setattr(shutil, "rmtree", killed)
        else:
            patch.setattr(shutil, "rmtree", remove_half)
        with pytest.raises(Killed):
            collect(log, table, SPEC, ScoringParameters(), TODAY)
    write(log, line(4))
    collect(log, table, SPEC, ScoringParameters(), TODAY)
    assert ids(table) == ["r1", "r2", "r3", "r4"]
    assert not list(table.rglob(".*"))


def test_a_full_disk_takes_back_what_it_took_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SegmentWriter(tmp_path)
    writer.write(line(1))
    real = os.write
    taken: list[int] = []

    def half(fd: int, data: bytes) -> int:
        if taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken.append(real(fd, data[: len(data) // 2]))
        return taken[0]

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            writer.write(line(2))
    assert writer.fault == "No space left on device"
    writer.write(line(3))
    assert writer.fault is None
    writer.close()
    (segment,) = closed_segments(tmp_path)
    assert [json.loads(each)["request_id"] for each in segment.read_bytes().splitlines()] == ["r1", "r3"]


def test_answers_wait_for_the_disk_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)

    async def ask_together() -> None:
        writer = SegmentWriter(tmp_path, "group")
        for number in range(10):
            writer.write(line(number))
        await asyncio.gather(*(writer.durable() for _ in range(10)))
        assert 1 <= len(synced) <= 2
        writer.close()

    asyncio.run(ask_together())


LABELS = {
    "by request": {"request_id": ["r1", "r1"], "label": [0, 1], "observed_at": ["2026-03-02", "2026-03-03"]},
    "by entity and day": {
        "entity_id": [1, 1],
        "date": ["2026-03-02"] * 2,
        "label": [1, 0],
        "observed_at": ["2026-03-03", "2026-03-02"],
    },
}


@pytest.mark.parametrize("how", LABELS)
def test_of_several_labels_the_one_observed_last_counts(tmp_path: Path, how: str) -> None:
    write(tmp_path / "log", line(1), line(2))
    collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(), TODAY)
    pd.DataFrame(LABELS[how]).to_parquet(tmp_path / "labels.parquet")
    dataset = ServicePredictionsDataset(str(tmp_path / "table"), str(tmp_path / "labels.parquet"))
    found = dataset.load().order_by("request_id").execute()
    assert found["label"].tolist()[0] == 1
    assert found["label"].isna().tolist() == [False, True]


def test_labels_without_a_key_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "log", line(1))
    collect(tmp_path / "log", tmp_path / "table", SPEC, ScoringParameters(), TODAY)
    pd.DataFrame({"label": [1], "entity_id": [1]}).to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(DatasetError, match="lack date, observed_at"):
        ServicePredictionsDataset(str(tmp_path / "table"), str(tmp_path / "labels.parquet")).load()


def test_a_segment_is_locked_before_anybody_can_take_it_for_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = segments.fcntl.flock

    def collected_first(fd: int, how: int) -> None:
        if not list(tmp_path.glob("*.open")):
            monkeypatch.setattr(segments.fcntl, "flock", real)
            assert closed_segments(tmp_path) == []
        real(fd, how)

    monkeypatch.setattr(segments.fcntl, "flock", collected_first)
    writer = SegmentWriter(tmp_path)
    writer.write(line(1))
    writer.close()
    assert len(closed_segments(tmp_path)) == 1
