"""The command line, ``kedro …`` and ``evergreen …``: what is asked for is imported, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from evergreen.commands.lazy import CONTEXT_SETTINGS, LazyGroup


@click.group(
    cls=LazyGroup,
    context_settings=CONTEXT_SETTINGS,
    name="evergreen",
    places={
        "run": ("evergreen.commands.running", "run", "Run pipelines: the whole lifecycle, or those that are named."),
        "models": ("evergreen.commands", "models", "Registered versions: list, compare, promote, roll back."),
        "serve": ("evergreen.commands.serving", "serve", "Answer requests with the champion, follow its alias."),
        "use-case": ("evergreen.commands.use_case", "use_case", "A table of your own: describe it, see what it lacks."),
        "check-conf": ("evergreen.commands.checking", "check_conf", "Check every environment's configuration."),
    },
    epilog="\b\nExample:\n  evergreen models list",
)
@click.version_option(package_name="evergreen")
def cli() -> None:
    """Commands of the Evergreen project: those of `kedro …`, without the time that Kedro's plugins take."""


def __getattr__(name: str) -> Any:
    """The command ``run``, which Kedro looks for in a packaged project."""
    if name != "run":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from evergreen.commands.running import run

    return run
