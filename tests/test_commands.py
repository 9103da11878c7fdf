"""Claims about ``kedro models`` as people and programs see it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from click.testing import CliRunner, Result
from mlflow.exceptions import MlflowException

from conftest import ROOT, Project
from evergreen import registry, scratch
from evergreen.commands import changing, looking, models, repairing
from evergreen.commands.table import WIDTH, cell, table
from evergreen.faults import OURS
from versions import make_version

FORMER = "2020-01-01"


class Predictions:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.folder)}


@pytest.fixture
def use_case(mlflow_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A use case of a project whose MLflow is the test's own."""
    name = f"case-{uuid.uuid4().hex[:8]}"
    context = SimpleNamespace(
        params={name: {"scoring": {"retention_days": 400}, "retention": {"keep_versions": 1, "keep_days": 0}}},
        catalog={f"{name}.predictions": Predictions(tmp_path / "predictions")},
    )
    monkeypatch.setattr(scratch, "_roots", [tmp_path / "copies"])
    for module in (looking, changing, repairing):
        monkeypatch.setattr(module, "open_project", lambda *_: context)
    return name


@pytest.fixture
def served(use_case: str, tmp_path: Path) -> tuple[str, str]:
    first = make_version(use_case, tmp_path, complete=True)
    second = make_version(use_case, tmp_path, "f2", complete=True)
    registry.move_champion(use_case, first, None, "first")
    registry.move_champion(use_case, second, first, "better", {"difference": 0.0312})
    return first, second


def call(command: str, use_case: str, *options: str, **arguments: Any) -> Result:
    return CliRunner().invoke(models, [command, "--use-case", use_case, *options], **arguments)


def read(command: str, use_case: str, *options: str) -> Any:
    result = call(command, use_case, *options, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_programs_read_stable_keys(use_case: str, served: tuple[str, str]) -> None:
    keys = {
        "list": {"version", "aliases", "algorithm", "test_roc_auc", "created", "status", "experiment"},
        "runs": set(registry.runs(use_case).columns),
        "history": {
            "when", "who", "action", "use_case", "from_version", "to_version", "reason", "evidence", "state",
        },
    }  # fmt: skip
    for command, expected in keys.items():
        rows = read(command, use_case)
        assert len(rows) == 2
        assert all(set(row) == expected for row in rows)
    compared = read("compare", use_case)
    assert [one["version"] for one in compared["versions"]] == ["2", "1"]
    assert (compared["fingerprint_equal"], compared["training_rows_equal"]) == (False, True)


def test_without_a_use_case_the_versions_of_all_are_listed(
    use_case: str, served: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_listed", lambda: [use_case])
    listed = CliRunner().invoke(models, ["list", "--json"])
    assert [(row["use_case"], row["version"]) for row in json.loads(listed.stdout)] == [
        (use_case, "2"),
        (use_case, "1"),
    ]
    assert CliRunner().invoke(models, ["list"]).output.startswith("use_case  ")


def test_a_running_experiment_is_seen_beside_its_versions(
    use_case: str, served: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = {"champion": {}, "new": {"version": served[0]}}
    experiments = {"active": "winter", "defined": {"winter": {"mode": "shadow", "variants": variants}}}
    context = SimpleNamespace(params={use_case: {"experiments": experiments}})
    monkeypatch.setattr(looking, "open_project", lambda *_: context)
    sides = {row["version"]: row["experiment"] for row in read("list", use_case)}
    assert sides == {served[1]: "winter (shadow): champion", served[0]: "winter (shadow): new"}


def test_every_table_fits_the_screen(use_case: str, served: tuple[str, str]) -> None:
    registry.rollback(use_case, "A complaint that is told at length. " * 20)
    for command in ("list", "runs", "history", "compare"):
        result = call(command, use_case)
        assert result.exit_code == 0
        assert max(map(len, result.output.splitlines())) <= WIDTH


def test_history_tells_who_when_from_to_and_why(use_case: str, served: tuple[str, str]) -> None:
    output = call("history", use_case).output
    assert "better" in output
    assert "difference 0.0312" in output


def test_history_at_a_time_names_the_champion_of_that_time(use_case: str, served: tuple[str, str]) -> None:
    lines = registry.history(use_case)
    assert read("history", use_case, "--at", lines[0].when.isoformat())["champion"] == served[0]
    assert read("history", use_case, "--at", lines[1].when.isoformat())["champion"] == served[1]
    assert read("history", use_case, "--at", f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")["champion"] == served[1]
    assert read("history", use_case, "--at", FORMER)["champion"] is None
    assert "had no champion at" in call("history", use_case, "--at", FORMER).output
    assert "no ISO date" in call("history", use_case, "--at", "yesterday").output


def test_history_says_when_something_else_moved_the_alias(use_case: str, served: tuple[str, str]) -> None:
    mlflow.MlflowClient().set_registered_model_alias(use_case, "champion", served[0])
    assert "The champion is version 1: the alias was moved by something else." in call("history", use_case).stderr


def test_promotion_by_hand_shows_the_evidence_and_moves_the_alias(use_case: str, served: tuple[str, str]) -> None:
    result = call("promote", use_case, "--version", "1", "--reason", "recall matters more")
    assert result.exit_code == 0
    assert "0.8000 (0.7500 to 0.8500)" in result.output
    assert f"{use_case}: champion 2 → 1" in result.output
    assert registry.aliases_of(use_case)["champion"] == "1"


@pytest.mark.parametrize(("answer", "serving"), [("n\n", "2"), ("y\n", "1")])
def test_on_a_terminal_promotion_asks_first(
    use_case: str, served: tuple[str, str], monkeypatch: pytest.MonkeyPatch, answer: str, serving: str
) -> None:
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(changing, "sys", terminal)
    call("promote", use_case, "--version", "1", "--reason", "why not", input=answer)
    assert registry.aliases_of(use_case)["champion"] == serving


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("promote", ["--version", "1"], "to promote by hand takes a reason"),
        ("promote", ["--version", "9", "--reason", "x"], "version 9 cannot be loaded"),
        ("promote", ["--version", "two", "--reason", "x"], "version two cannot be loaded"),
        ("promote", ["--version", "2", "--reason", "x"], "is the champion already"),
        ("rollback", [], "to roll back by hand takes a reason"),
        ("rollback", ["--version", "9", "--reason", "x"], "version 9 cannot be loaded"),
        ("compare", ["--version", "9"], "version 9 cannot be loaded"),
    ],
)
def test_faults_are_one_sentence_and_leave_the_champion(
    use_case: str, served: tuple[str, str], command: str, options: list[str], sentence: str
) -> None:
    result = call(command, use_case, *options)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert registry.aliases_of(use_case)["champion"] == "2"


def test_a_damaged_champion_is_replaced_by_hand(use_case: str, served: tuple[str, str]) -> None:
    first, second = served
    (registry.load(use_case, second).folder / "model.skops").write_bytes(b"damaged")
    promoted = call("promote", use_case, "--version", first, "--reason", "the champion is damaged")
    assert promoted.exit_code == 0, promoted.output
    assert f"Could not be judged: {use_case} version {second} is corrupt: model.skops" in promoted.stdout
    assert registry.aliases_of(use_case)["champion"] == first


def test_a_damaged_champion_is_mended_from_a_backup(use_case: str, served: tuple[str, str], tmp_path: Path) -> None:
    _, second = served
    model = registry.load(use_case, second).folder / "model.skops"
    shutil.copytree(model.parent, tmp_path / "backup")
    model.write_bytes(b"damaged")
    refused = call("repair", use_case, "--version", second)
    assert (refused.exit_code, "Name a folder that holds them with --from" in refused.stderr) == (1, True)
    mended = call("repair", use_case, "--version", second, "--from", str(tmp_path / "backup"))
    assert mended.stdout == f"{use_case} version {second}: model.skops restored; it can serve.\n"
    assert read("repair", use_case, "--version", second) == []


def test_rollback_tells_from_to_and_what_was_checked(use_case: str, served: tuple[str, str]) -> None:
    told = read("rollback", use_case, "--reason", "complaints")
    assert (told["from_version"], told["to_version"], told["state"]) == ("2", "1", "done")
    assert told["evidence"]["checked"].endswith("5 stored predictions")
    result = call("rollback", use_case, "--reason", "again")
    assert (result.exit_code, "no champion came before version 1" in result.stderr) == (1, True)


def test_nothing_registered_is_told_in_words(use_case: str) -> None:
    assert call("list", use_case).output == "nothing yet\n"
    assert read("runs", use_case) == []
    for command, options in (("compare", []), ("rollback", ["--reason", "x"])):
        result = call(command, use_case, *options)
        assert (result.exit_code, len(result.stderr.strip().splitlines())) == (1, 1)


def test_prune_deletes_only_when_told_to(use_case: str, served: tuple[str, str], tmp_path: Path) -> None:
    third = make_version(use_case, tmp_path, "f3", complete=True)
    registry.move_champion(use_case, third, served[1], "better still")
    old = tmp_path / "predictions" / f"as_of={FORMER}"
    old.mkdir(parents=True)
    expected = [("version", "1"), ("sample", "2"), ("predictions", FORMER)]
    for options in ([], ["--dry-run"], ["--dry-run", "--yes"]):
        told = read("prune", use_case, "--samples", *options)
        assert [(removal["kind"], removal["name"]) for removal in told] == expected
        assert (len(registry.list_versions(use_case)), old.is_dir()) == (3, True)
    assert "3 deleted." in call("prune", use_case, "--samples", "--yes").output
    assert (len(registry.list_versions(use_case)), old.is_dir()) == (2, False)
    assert call("prune", use_case, "--samples").output == "Nothing is beyond its retention.\n"


def test_no_secret_of_the_server_is_printed(use_case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MlflowException("API request to https://bob:hunter2@mlflow.example/api failed with 500")

    monkeypatch.setattr(registry, "list_versions", refuse)
    result = call("list", use_case)
    assert result.exit_code == 1
    assert "https://mlflow.example/api failed with 500" in result.stderr
    assert "hunter2" not in result.output


def test_a_fault_of_the_code_keeps_its_traceback(use_case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(registry, "list_versions", fail)
    result = call("list", use_case)
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert result.stderr.endswith(f"{OURS}\n")


def test_an_unknown_use_case_is_named_with_those_that_exist() -> None:
    result = call("list", "chrun")
    assert result.exit_code == 1
    assert result.stderr == "Error: --use-case chrun is unknown; known: high_value_sales, churn.\n"


def test_an_unknown_environment_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = call("list", "churn", "--env", "nowhere")
    assert (result.exit_code, len(result.stderr.strip().splitlines())) == (1, 1)


def test_a_server_out_of_reach_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "conf" / "far").mkdir()
    (tmp_path / "conf" / "far" / "mlflow.yml").write_text(
        "server: {mlflow_tracking_uri: 'http://bob:hunter2@127.0.0.1:1'}\n"
    )
    monkeypatch.chdir(tmp_path)
    result = call("list", "churn", "--env", "far")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: MLflow at http://127.0.0.1:1 is out of reach")
    assert "hunter2" not in result.output


def test_columns_are_aligned_and_the_widest_gives_way() -> None:
    rows = [{"a": 1, "b": "word " * 40, "c": 0.12345}, {"a": None, "b": "short", "c": float("nan")}]
    lines = table(rows, width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].index("c") == lines[1].index("0.1235")
    assert "".join(lines).count("word") == 40
    assert lines[-1].split() == ["–", "short", "–"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"x": 0.5, "y": None}, "x 0.5000, y –"),
        ((), "–"),
        (["a", "b"], "a, b"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (7, "7"),
    ],
)
def test_values_are_told_in_words(value: Any, words: str) -> None:
    assert cell(value) == words


def test_a_lived_project_can_be_looked_at_from_the_command_line(lived: Project) -> None:
    rows = json.loads(lived.kedro("models", "runs", "--use-case", "churn", "--env=test", "--json").stdout)
    assert {row["algorithm"] for row in rows} == {"HistGradientBoosting", "LogisticRegression"}
    pruned = lived.kedro("models", "prune", "--use-case", "churn", "--env=test")
    assert (pruned.returncode, pruned.stdout) == (0, "Nothing is beyond its retention.\n")


def test_a_leftover_challenger_is_rejected_and_stays_in_the_history(
    use_case: str, served: tuple[str, str], tmp_path: Path
) -> None:
    registry.set_challenger(use_case, make_version(use_case, tmp_path, "f3"))
    result = call("reject", use_case, "--version", "3", "--reason", "the wrong month")
    assert result.exit_code == 0
    assert f"{use_case}: version 3 rejected" in result.output
    assert "version 2 goes on serving" in result.output
    assert registry.aliases_of(use_case) == {"champion": "2"}
    assert [line["action"] for line in read("history", use_case)] == ["promote", "promote", "reject"]
    assert call("history", use_case).stderr == ""


def test_promotion_by_hand_keeps_the_judges_answer_in_the_audit(use_case: str, served: tuple[str, str]) -> None:
    result = call("promote", use_case, "--version", "1", "--reason", "recall matters more")
    assert "Not judged against version 2: no feature table is here to judge on." in result.output
    assert read("history", use_case)[-1]["evidence"]["decision"] == "not judged against the champion"
