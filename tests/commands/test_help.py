"""Every command explains itself by an example that its own options accept, and starts without what it doesn't need."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from evergreen.cli import cli
from evergreen.commands.lazy import LazyGroup
from tests_support import ROOT

HEAVY = {"duckdb", "kedro", "kedro_mlflow", "kedro_viz", "mlflow", "pandas", "pydantic", "sklearn"}


def all_commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from all_commands(command, (*words, name))


COMMANDS = dict(all_commands(cli))
each = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def test_the_tree_is_walked_to_its_leaves() -> None:
    assert {("run",), ("models", "promote"), ("use-case", "add"), ("serve",)} < COMMANDS.keys()


@each
def test_help_ends_with_examples_that_the_options_accept(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli, [*words, "--help"])
    assert shown.exit_code == 0
    _, found, examples = shown.output.rpartition("\n  Example")
    assert found
    lines = [line.partition(" # ")[0] for line in examples.splitlines()[1:] if line.strip()]
    assert lines
    for line in lines:
        typed = shlex.split(line)
        assert typed[: len(words) + 1] == ["kedro", *words]
        command, left = COMMANDS[words], typed[len(words) + 1 :]
        if isinstance(command, click.Group):
            command, left = COMMANDS[*words, left[0]], left[1:]
        context = click.Context(command)
        _, unread, _ = command.make_parser(context).parse_args(left)
        assert unread == []


@each
def test_a_group_that_imports_late_says_what_the_command_is(words: tuple[str, ...]) -> None:
    group = COMMANDS.get(words[:-1], cli)
    if isinstance(group, LazyGroup):
        assert COMMANDS[words].help
        assert group.places[words[-1]][2].endswith(".")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("from evergreen.cli import cli; cli(['models', 'promote', '--help'], standalone_mode=False)", set()),
        ("from evergreen.cli import cli; cli(['use-case', '--help'], standalone_mode=False)", set()),
        ("import evergreen.settings", {"kedro", "pydantic"}),
    ],
)
def test_what_a_command_does_not_need_is_not_imported(code: str, allowed: set[str]) -> None:
    said = f"{code}; import sys; print('imported', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(done.stdout.rpartition("imported ")[2].split())
    assert "evergreen" in imported
    assert imported & HEAVY <= allowed
