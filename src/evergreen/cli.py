"""The command line: ``kedro run`` with one-sentence errors, ``kedro models``, ``serve`` and ``check-conf``."""

from __future__ import annotations

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS

from evergreen.commands import check_conf, models, serve
from evergreen.commands.use_case.command import use_case
from evergreen.errors import EvergreenError
from evergreen.faults import VERBOSE, one_sentence
from evergreen.paths import sealed


@click.group(context_settings=CONTEXT_SETTINGS, name="evergreen")
def cli() -> None:
    """Commands of the Evergreen project."""


PLACES = ("lake",)  # parameters that are paths: names, and no templates of configuration
SEQUENTIAL = "SequentialRunner"
RUNNER = "evergreen.runner.LifecycleRunner"


def run_project(pipeline: str | None, **options: Any) -> None:
    """Run pipelines; a fault that the user can act on ends non-zero with one sentence and no traceback."""
    assert kedro_run.callback is not None  # click always sets it
    with one_sentence(click.get_current_context()):
        _refuse_other_runners(options)
        if pipeline:
            options["pipelines"] = [pipeline]
        given = options.get("params") or {}
        options["params"] = given | {name: sealed(str(given[name])) for name in PLACES if name in given}
        kedro_run.callback(pipeline=None, **{**options, "runner": RUNNER})


def _refuse_other_runners(options: dict[str, Any]) -> None:
    """Models and lazy tables pass from node to node in memory, and MLflow's runs belong to one thread."""
    runner = options.get("runner") or SEQUENTIAL
    if runner.rpartition(".")[2] != SEQUENTIAL or options.get("is_async"):
        asked = "--async" if options.get("is_async") else f"--runner={runner}"
        raise EvergreenError(
            f"{asked} cannot run these pipelines: models and tables of a connection stay in one process and thread; "
            f"leave it out ({SEQUENTIAL}), parameters such as n_jobs use more cores."
        )


run = click.Command(
    "run",
    callback=run_project,
    params=[*kedro_run.params, click.Option(["--verbose"], **VERBOSE)],
    help=kedro_run.help,
    context_settings=CONTEXT_SETTINGS,
)
cli.add_command(run)
cli.add_command(models)
cli.add_command(check_conf)
cli.add_command(serve)
cli.add_command(use_case)
