"""``kedro use-case``: a table of one's own as a use case, and what one still lacks."""

import click

from evergreen.commands.group import OneSentenceGroup
from evergreen.commands.lazy import CONTEXT_SETTINGS, LazyGroup, example


class UseCaseGroup(OneSentenceGroup, LazyGroup):
    """Commands that are imported when they are asked for, and whose faults are one sentence."""


_COMMANDS = "evergreen.commands.use_case.command"


@click.group(
    "use-case",
    cls=UseCaseGroup,
    context_settings=CONTEXT_SETTINGS,
    places={
        "add": (_COMMANDS, "add", "Look at a table and describe it as a use case of its own."),
        "check": (_COMMANDS, "check", "Say what a use case, or each of an environment's, still lacks."),
    },
    epilog=example(
        "kedro use-case add fraud --table fraud.parquet --target is_fraud", "kedro use-case check --env=fraud"
    ),
)
def use_case() -> None:
    """A table of your own: describe it, and see what it still lacks."""


__all__ = ["use_case"]
