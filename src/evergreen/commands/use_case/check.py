"""What does a use case still lack? Configuration, then its tables, read as a run would read them."""

from __future__ import annotations

from pathlib import Path

from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.project import pipelines, settings
from kedro.io import DatasetError

from evergreen.commands.checking import check_environment
from evergreen.context import Context, use_cases
from evergreen.errors import EvergreenError
from evergreen.sources import source_contracts, source_entries


def missing(project: Path, conf: Path, env: str | None, name: str | None) -> dict[str, list[str]]:
    """Faults of each use case, a sentence each; none where it can run.

    Args:
        project: The project's folder.
        conf: The folder of all environments.
        env: The environment; None for the default one.
        name: The use case; None for all that the environment lists.

    Raises:
        EvergreenError: Where the environment's configuration doesn't hold together, or lists no such use case.
    """
    chosen = env or settings.CONFIG_LOADER_ARGS["default_run_env"]
    faults = check_environment(project, conf, chosen)
    if faults:
        raise EvergreenError("\n".join(faults))
    context = Context(
        package_name="evergreen",
        project_path=project,
        config_loader=settings.CONFIG_LOADER_CLASS(str(conf), env=chosen, **settings.CONFIG_LOADER_ARGS),
        env=chosen,
        hook_manager=_create_hook_manager(),  # without any hook: nothing is run
    )
    if name is not None and name not in use_cases():
        raise EvergreenError(f"{name} is unknown in environment {chosen}; known: {', '.join(use_cases())}.")
    return {each: _faults(context, each) for each in ([name] if name else use_cases())}


def _faults(context: Context, use_case: str) -> list[str]:
    entries = source_entries(pipelines["feature_engineering"].only_nodes_with_namespaces([use_case]))
    return [f"{entry}: {fault}" for entry in entries for fault in _table_faults(context, use_case, entry)]


def _table_faults(context: Context, use_case: str, entry: str) -> list[str]:
    try:
        table = context.catalog.load(entry)
        blocks = context.config_loader["parameters"]
        for contract in source_contracts(entry, lambda name: blocks[use_case][name.partition(".")[2]]):
            contract.validate(table)
    except (EvergreenError, DatasetError) as error:
        return [" ".join(str(error).split())]
    return []
