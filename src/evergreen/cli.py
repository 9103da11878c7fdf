"""The command line: ``kedro run`` with one-sentence errors, ``kedro models`` and ``kedro check-conf``."""

from __future__ import annotations

from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS
from kedro.framework.project import pipelines
from kedro.validation.exceptions import ParameterValidationError

from evergreen.commands import check_conf, models
from evergreen.context import use_cases
from evergreen.errors import EvergreenError


@click.group(context_settings=CONTEXT_SETTINGS, name="evergreen")
def cli() -> None:
    """Commands of the Evergreen project."""


# What Kedro says of a misspelt name, which it raises as a bare ValueError.
MISSPELT = ("Failed to find the pipeline", "Pipeline does not contain")


def user_sentence(error: BaseException) -> str | None:
    """The message meant for the user in a chain of exceptions, or None where the fault is in the code."""
    if isinstance(error, MissingConfigException | ParameterValidationError):
        return str(error)
    if isinstance(error, ValueError) and str(error).startswith(MISSPELT):
        told = " ".join(str(error).split()).rstrip(".")
        return f"{told}. Pipelines: {', '.join(sorted(pipelines))}; namespaces: {', '.join(use_cases())}."
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, EvergreenError):
            return str(chain)
        chain = chain.__cause__ or chain.__context__
    return None


def run_project(pipeline: str | None, **options: Any) -> None:
    """Run pipelines; a fault that the user can act on ends non-zero with one sentence and no traceback."""
    assert kedro_run.callback is not None  # click always sets it
    if pipeline:
        options["pipelines"] = [pipeline]
    try:
        kedro_run.callback(pipeline=None, **options)
    except Exception as error:
        sentence = user_sentence(error)
        if sentence is None:
            raise
        raise click.ClickException(sentence) from error


run = click.Command(
    "run",
    callback=run_project,
    params=kedro_run.params,
    help=kedro_run.help,
    context_settings=CONTEXT_SETTINGS,
)
cli.add_command(run)
cli.add_command(models)
cli.add_command(check_conf)
