"""Claims about retrainings that are killed at each step, or that two people start at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Made
from tests_support import Project

pytestmark = pytest.mark.slow

ALGORITHM = "churn.training.algorithms=[LogisticRegression]"
HERE = Path(__file__).parent
STEPS = {
    "decide_trigger": "evergreen.pipelines.retraining.nodes.decide_trigger",
    "check_quality": "evergreen.pipelines.retraining.nodes.judge_gate",
    "train_challenger": "evergreen.registry.challenger.set_challenger",
    "validate_challenger": "evergreen.registry.publish_evaluation",
    "promote_challenger": "champion alias",
    "after the promotion": "evergreen.registry.note_retraining",
}


@pytest.fixture(scope="session")
def alarmed(made_once: Made) -> Project:
    """A project whose churn alarm nobody has answered yet."""

    def live(folder: Path) -> None:
        pipelines = "--pipelines=feature_engineering,training,evaluation,monitoring"
        done = Project(folder).run(pipelines, "--namespaces=churn", f"--params={ALGORITHM}")
        assert done.returncode == 0, done.stderr

    return Project(made_once("alarmed", live))


@pytest.fixture
def interrupted(alarmed: Project, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Runs on a copy of the alarmed project."""
    data = alarmed.copy(tmp_path / "data").data

    def run(*calls: str) -> list[dict[str, Any]]:
        command = [sys.executable, str(HERE / "interrupted.py"), str(data), ALGORITHM, *calls]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


def test_a_retraining_killed_at_each_step_leaves_all_consistent_and_the_next_one_succeeds(
    interrupted: Callable[..., list[dict[str, Any]]],
) -> None:
    *killed, last = interrupted(*STEPS.values(), "-")
    assert all(run["killed"] for run in killed)
    before, after = killed[:-1], killed[-1]
    assert {run["champion"] for run in before} == {"1"}
    assert [run["audit"] for run in before[:-1]] == [["done"]] * 4
    assert before[-1]["audit"] == ["done", "started"]
    assert after["champion"] == "2"
    assert after["audit"][-1] == "done"
    assert (last["killed"], last["code"], last["said"]) == (False, 0, "")
    assert (last["champion"], last["challenger"]) == ("2", None)
    assert last["audit"] == after["audit"]


def test_a_failed_gate_ends_non_zero_in_one_sentence_and_changes_nothing(alarmed: Project, tmp_path: Path) -> None:
    project = alarmed.copy(tmp_path / "data")
    few = f"--params={ALGORITHM},churn.retraining.gate.min_rows=100000"
    done = project.run("--pipeline=retraining", "--namespaces=churn", few)
    assert done.returncode == 1
    assert "churn: the quality gate stopped retraining because rows is 3,000 (allowed: at least 100,000)" in done.stderr
    assert "Traceback" not in done.stderr
    left = {file.name for file in (project.data / "08_reporting" / "churn").glob("*.json")}
    assert "trigger.json" in left
    assert not {"quality_gate.json", "challenger.json", "validation.json", "retraining.json"} & left


def test_two_retrainings_at_once_end_with_one_promotion_and_one_clear_refusal(
    interrupted: Callable[..., list[dict[str, Any]]],
) -> None:
    runs = interrupted("race")
    assert sorted(run["code"] for run in runs) == [0, 1]
    refused = next(run for run in runs if run["code"])
    assert "somebody else moved it" in refused["said"]
    assert runs[-1]["champion"] != "1"
    assert runs[-1]["challenger"] is None
    assert runs[-1]["audit"] == ["done", "done"]
