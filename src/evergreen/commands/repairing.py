"""``kedro models repair``: what a damaged version lost comes back from a copy, or is done without."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from evergreen.commands.group import command, open_project
from evergreen.commands.table import print_json
from evergreen.invocation import command as command_line


@command("repair", "repair --use-case churn --version 1 --from /backup/artifacts")
@click.option("--version", required=True, help="The damaged version.")
@click.option(
    "--from",
    "copies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="A folder in which the lost files may lie: a backup of the artefact store, another data folder.",
)
def repair_command(use_case: str, env: str | None, as_json: bool, version: str, copies: Path | None) -> None:
    """Bring a version's lost files back from a copy; its sample and its evaluation's figures can be done without."""
    open_project(use_case, env)
    from evergreen import registry

    done = registry.repair(use_case, version, copies)
    if as_json:
        print_json([dataclasses.asdict(each) for each in done])
        return
    said = ", ".join(f"{each.file} {each.done}" for each in done) or "nothing was damaged"
    click.echo(f"{use_case} version {version}: {said}; it can serve.")
    if any(each.file == "figures" and each.done == "dropped" for each in done):
        evaluate = command_line("kedro run --pipeline=evaluation", use_case)
        click.echo(f"`{evaluate}` makes its evaluation's figures anew, while it is challenger or champion.")
