"""``kedro run`` with one-sentence errors."""

from __future__ import annotations

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from evergreen.commands.lazy import CONTEXT_SETTINGS, example
from evergreen.commands.project import open_here
from evergreen.errors import EvergreenError
from evergreen.faults import VERBOSE, one_sentence
from evergreen.paths import sealed

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
        open_here()
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
    epilog=example(
        "kedro run                                           # everything, all use cases",
        "kedro run --pipeline=training --namespaces=churn    # one pipeline of one use case",
        "kedro run --params=as_of=2026-01-31                 # pretend that it is another day",
    ),
)
