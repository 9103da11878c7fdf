"""Claims about commands that the project prints: typed where they are read, they work."""

from __future__ import annotations

import ast
import html
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from evergreen.invocation import Invocation
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("invocation", "words", "typed"),
    [
        (Invocation(), "kedro run --pipeline=training", "kedro run --pipeline=training"),
        (Invocation(env="tutorial"), "kedro models list", "kedro models list --env=tutorial"),
        (Invocation(conf_source="my conf"), "kedro run", "kedro run '--conf-source=my conf'"),
        (
            Invocation(params={"as_of": "2026-01-31", "churn": {"training": {"k": 8}}}),
            "kedro run",
            "kedro run --params=as_of=2026-01-31,churn.training.k=8",
        ),
        (Invocation(params={"as_of": "2026-01-31"}), "kedro models list", "kedro models list"),
        (Invocation(use_cases=("churn",)), "kedro run", "kedro run --namespaces=churn"),
    ],
)
def test_a_command_repeats_what_it_takes_to_continue(invocation: Invocation, words: str, typed: str) -> None:
    assert invocation.command(words) == typed


def test_a_command_about_one_use_case_names_it_as_the_command_asks_for_it() -> None:
    narrowed = Invocation(use_cases=("high_value_sales",))
    assert narrowed.command("kedro run", "churn") == "kedro run --namespaces=churn"
    assert narrowed.command("kedro models list", "churn") == "kedro models list --use-case churn"


def test_what_a_command_names_already_is_not_named_again() -> None:
    assert Invocation().command("kedro run --namespaces=churn", "churn") == "kedro run --namespaces=churn"


def test_a_command_shows_no_password() -> None:
    assert "secret" not in Invocation(params={"lake": "https://me:secret@lake"}).command("kedro run")


UNDECIDED = "--pipelines=feature_engineering,training,evaluation,monitoring,reporting"
FAST = "churn.training.strategy=none,churn.training.algorithms=[LogisticRegression]"
COMMAND = re.compile(r"kedro (?:run|models) [^`<\n]*?(?=\. |[`<\n])")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ((), "kedro models list"),
        ((UNDECIDED,), "kedro run --pipeline=retraining"),
    ],
    ids=["whole", "undecided"],
)
def test_the_commands_that_a_run_prints_succeed_under_its_environment_and_configuration(
    tmp_path: Path, asked: tuple[str, ...], named: str
) -> None:
    project = Project(tmp_path / "data", env="tutorial")
    conf = project.conf_with(tmp_path, "unused", {})
    (conf / "tutorial" / "catalog.yml").write_text((conf / "test" / "catalog.yml").read_text())
    ran = project.run("--namespaces=churn", *asked, f"--conf-source={conf}", f"--params={FAST}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    page = (project.data / "tutorial" / "08_reporting" / "churn" / "monitoring.html").read_text()
    printed = set(COMMAND.findall(ran.stdout + html.unescape(page)))
    assert {" ".join(shlex.split(command)[:3]) for command in printed} == {named}
    for command in printed:
        done = project.kedro(*shlex.split(command)[1:])
        assert done.returncode == 0, done.stdout + done.stderr
        assert "nothing yet" not in done.stdout


MAKERS = {"command", "command_line", "example"}
"""What makes a command that continues where the process is, and what shows one in a help text."""


def literals(tree: ast.AST) -> Iterator[str]:
    """Strings of a module, except docstrings and what the function that makes commands is given."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS
        if not docstring and not made:
            yield from literals(node)


def test_every_command_that_the_project_prints_is_made_in_one_place() -> None:
    bare = {
        f"{file.relative_to(ROOT)}: {text}"
        for file in (ROOT / "src").rglob("*.py")
        if file.stem != "invocation"
        for text in literals(ast.parse(file.read_text()))
        if re.search(r"kedro (run|serve|models (list|runs|history|compare|promote|reject|rollback|prune))", text)
    }
    assert bare == set()
