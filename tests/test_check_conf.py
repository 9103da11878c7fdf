"""Claims about `kedro check-conf`: every environment holds together, and what does not is told in a sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

from evergreen.commands.checking import check_environment, too_few_days
from tests_support import ROOT, Project

bootstrap_project(ROOT)
ENVIRONMENTS = sorted(folder.name for folder in (ROOT / "conf").iterdir() if folder.is_dir())


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was connected to")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("EVERGREEN_DATA", str(tmp_path / "data"))


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_environment_holds_together_without_connecting(env: str, tmp_path: Path) -> None:
    assert check_environment(ROOT, ROOT / "conf", env) == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("parameters.yml", "churn: {training: {kk: 8}}", "parameter churn.training.kk is 8: Extra inputs"),
        ("parameters.yml", "churn: {training: {k: many}}", "parameter churn.training.k is 'many': Input should be"),
        (
            "parameters.yml",
            "churm: {training: {k: 8}}",
            "parameter churm is read by nothing; churn was probably meant.",
        ),
        (
            "parameters.yml",
            "churn: {trainig: {k: 8}}",
            "churn.trainig is read by nothing; training was probably meant.",
        ),
        ("parameters.yml", "churn: ${nothing}", "nothing"),
        ("parameters.yml", "churn: [", "while parsing"),
        ("catalog.yml", "churn.custmers: {type: MemoryDataset}", "churn.customers was probably meant."),
        ("catalog.yml", "churn.customers: {type: evergreen.datasets.Nowhere}", "Nowhere"),
        ("catalog.yml", "churn.customers: {type: evergreen.datasets.LakeDataset, lak: x}", "lak"),
        ("catalog.yml", "churn.customers: {type: MemoryDataset, data: '${globals:nowhere}'}", "nowhere"),
    ],
)
def test_a_fault_is_one_sentence_that_names_it(file: str, text: str, told: str, tmp_path: Path) -> None:
    conf = Project(tmp_path).conf_with(tmp_path, "mine", {file: text})
    faults = check_environment(ROOT, conf, "mine")
    assert len(faults) == 1
    assert faults[0].startswith("environment mine: ")
    assert told in faults[0]
    assert "\n" not in faults[0]


def test_the_command_ends_with_one_line_per_environment_and_exit_code_1(tmp_path: Path) -> None:
    project = Project(tmp_path / "data")
    conf = project.conf_with(tmp_path, "mine", {"parameters.yml": "churn: {training: {kk: 8}}"})
    refused = project.kedro("check-conf", f"--conf-source={conf}", "--env=base", "--env=mine", "--env=nowhere")
    assert refused.returncode == 1
    assert refused.stdout.splitlines() == ["base: holds together", "mine: 1 to correct", "nowhere: 1 to correct"]
    assert "parameter churn.training.kk is 8" in refused.stderr
    assert "environment nowhere is no folder" in refused.stderr


@pytest.mark.usefixtures("_offline")
def test_settings_that_leave_too_few_days_are_said_with_the_window_that_would_do(tmp_path: Path) -> None:
    text = (
        "high_value_sales: {table: {block: [date]}, split: {test_days: 9}, "
        "evaluation: {promotion: {newest_days: 7}}, retraining: {window_days: 4, gate: {min_days: 5}}}"
    )
    conf = Project(tmp_path).conf_with(tmp_path, "mine", {"parameters.yml": text})
    assert check_environment(ROOT, conf, "mine") == []
    notes = too_few_days(conf, "mine")
    assert [note.split(" is ")[0] for note in notes] == [
        "high_value_sales: split.test_days",
        "high_value_sales: split.test_days",
        "high_value_sales: evaluation.promotion.newest_days",
        "high_value_sales: retraining.gate.min_days",
    ]
    assert "set it to at least 10" in notes[0]
    assert "set retraining.window_days to at least 5" in notes[-1]
    assert too_few_days(ROOT / "conf", "test") == []
