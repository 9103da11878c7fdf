"""Every command that a page shows is one: name, options and values are accepted; those of the README are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from evergreen.cli import cli
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "deploy/README.md"]
OF_KEDRO = {"mlflow", "viz", "jupyter", "catalog", "registry", "ipython", "package"}


def shown(page: Path) -> list[str]:
    """The commands in a page's blocks of code and in its running text, without what is said beside them."""
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    lines = [*re.findall(r"^(?:\.venv/bin/)?((?:kedro|evergreen) .+)$", blocks, re.MULTILINE)]
    lines += re.findall(
        r"`((?:kedro|evergreen) [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    return [re.split(r"\s{2,}|\s#", line)[0] for line in lines]


COMMANDS = [(page.name, line) for page in PAGES for line in shown(page)]


def parse(line: str) -> None:
    """Let click read a command as far as its options; what is missing is a reader's to fill in."""
    typed = [word.strip("[]") for word in shlex.split(line.replace("…", "x").replace("[", " ").replace("]", " "))][1:]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and typed and not typed[0].startswith("-"):
        found = command.get_command(context, typed[0])
        assert found is not None, f"{typed[0]} is no command"
        command, typed = found, typed[1:]
    _, unread, _ = command.make_parser(click.Context(command)).parse_args(typed)
    assert not [word for word in unread if word.startswith("-")]


def test_there_are_many() -> None:
    assert len(COMMANDS) > 60


@pytest.mark.parametrize(("page", "line"), dict.fromkeys(COMMANDS), ids=lambda value: str(value)[:60])
def test_a_command_of_a_page_is_one(page: str, line: str) -> None:
    if line.split()[1] not in OF_KEDRO:
        parse(line)


def test_what_the_readme_says_of_looking_and_going_back_is_done_in_its_order(relived: Project) -> None:
    text = (ROOT / "README.md").read_text()
    [block] = re.findall(r"^```\n(kedro models runs .*?)^```", text, re.DOTALL | re.MULTILINE)
    typed = [shlex.split(line.partition("#")[0]) for line in block.splitlines()]
    assert [line[2] for line in typed] == ["runs", "compare", "rollback", "promote", "history", "prune"]
    for line in typed:
        done = relived.kedro(*line[1:], "--env=test")
        assert done.returncode == 0, done.stdout + done.stderr
