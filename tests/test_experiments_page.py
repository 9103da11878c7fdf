"""The page on experiments: its YAML holds together, and its commands run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from kedro.framework.startup import bootstrap_project

from evergreen.commands.checking import check_environment
from evergreen.experiments.parameters import ExperimentParameters
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow

bootstrap_project(ROOT)
PAGE = (ROOT / "docs/experiments.md").read_text()
[DEFINED] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [shlex.split(line) for line in re.findall(r"^kedro .*$", PAGE, re.MULTILINE)]


def test_the_page_s_experiment_holds_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / "data"))
    conf = Project(tmp_path).conf_with(tmp_path, "mine", {"parameters.yml": DEFINED})
    assert check_environment(ROOT, conf, "mine") == []
    running = ExperimentParameters.model_validate(yaml.safe_load(DEFINED)["churn"]["experiments"]).running
    assert (running.name, running.mode) == ("winter", "shadow")


def test_what_the_page_forbids_is_refused_by_check_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / "data"))
    wrong = DEFINED.replace("feedback: none", "feedback: decision_changes_outcome")
    [fault] = check_environment(ROOT, Project(tmp_path).conf_with(tmp_path, "mine", {"parameters.yml": wrong}), "mine")
    assert "mode is shadow, and feedback decision_changes_outcome" in fault
    assert "use mode: split" in fault


def test_the_page_s_commands_run_from_plan_to_a_promotion_that_waits(lived: Project, tmp_path: Path) -> None:
    project = lived.copy(tmp_path / "data")
    conf = project.conf_with(tmp_path, "mine", {"parameters.yml": DEFINED})
    record = project.data / "08_reporting/churn/experiment.json"
    said = []
    for words in COMMANDS:
        done = project.kedro(*words[1:], f"--conf-source={conf}", "--env=mine")
        found = json.loads(record.read_text())
        said.append((done.returncode, found["status"], found["simulated"]))
    planned, none, gain, promotion = said
    assert planned == (0, "invalid", False)  # nobody challenges the champion here
    assert (none[0], none[2], gain[0], gain[2]) == (0, True, 0, True)
    assert gain[1] == "ship"
    assert promotion[0] == 1
