"""What all ``kedro models`` commands share: the group, its options, the project, and one-sentence errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from evergreen.commands.lazy import CONTEXT_SETTINGS, example
from evergreen.commands.project import open_here
from evergreen.errors import EvergreenError
from evergreen.faults import VERBOSE, one_sentence

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

CONF_SOURCE = "--conf-source"


def _keep(context: click.Context, _: click.Parameter, value: str | None) -> None:
    context.meta[CONF_SOURCE] = value


USE_CASE = click.option("--use-case", required=True, help="Name of the use case, for instance churn.")
_ENV = click.option("--env", "-e", default=None, help="Kedro environment; default: base with local on top.")
_CONF_SOURCE = click.option(
    CONF_SOURCE,
    type=click.Path(exists=True, file_okay=False),
    expose_value=False,
    callback=_keep,
    help="Folder of configuration; default: the project's own conf.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
REASON = click.option("--reason", default="", help="Why; goes into the audit. Required.")
VERBOSE_OPTION = click.option("--verbose", **VERBOSE)


class OneSentenceGroup(click.Group):
    """A group whose commands end with one sentence and exit code 1 where the user can act on the fault."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with one_sentence(ctx):
            return super().invoke(ctx)


def configuration(function: Callable[..., None]) -> Callable[..., None]:
    """Which configuration a command reads: ``--env``, and ``--conf-source``, which :func:`open_project` finds."""
    return _ENV(_CONF_SOURCE(function))


@click.group(
    cls=OneSentenceGroup,
    context_settings=CONTEXT_SETTINGS,
    epilog=example("kedro models list", "kedro models compare --use-case churn"),
)
def models() -> None:
    """Registered versions: list, compare, promote, roll back."""


def command(
    name: str, *examples: str, use_case: Callable[[Callable[..., None]], Callable[..., None]] = USE_CASE
) -> Callable[[Callable[..., None]], click.Command]:
    """A command of the group with the options that each of them has.

    Args:
        name: The command's.
        examples: What its help shows as typed, without ``kedro models``.
        use_case: The option that names the use case.
    """

    def with_options(function: Callable[..., None]) -> click.Command:
        whole = [f"kedro models {each}" for each in examples]
        return models.command(name, epilog=example(*whole))(use_case(configuration(AS_JSON(VERBOSE_OPTION(function)))))

    return with_options


def open_project(use_case: str | None, env: str | None) -> KedroContext:
    """The project's context, with MLflow set up as the environment says.

    Args:
        use_case: One that the environment must list; None where none is meant.
        env: Kedro environment.

    Raises:
        EvergreenError: Where the environment lists no such use case, or MLflow is out of reach.
    """
    from kedro.framework.session import KedroSession

    from evergreen.context import use_cases

    project = open_here()
    conf_source = click.get_current_context().meta.get(CONF_SOURCE)
    session = KedroSession.create(project_path=project, env=env, conf_source=conf_source)
    assert isinstance(session, KedroSession)  # the project configures no other session class
    context = session.load_context()
    if use_case is not None and use_case not in use_cases():
        raise EvergreenError(f"--use-case {use_case} is unknown; known: {', '.join(use_cases())}.")
    return context
