"""Which use cases does this process work on? Those of the session opened last, and the pipelines follow them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines, settings
from kedro.utils import find_kedro_project

from evergreen.errors import EvergreenError
from evergreen.invocation import Invocation, remember
from evergreen.use_cases import UseCase, read_use_cases

_listed: dict[str, UseCase] = {}


class Context(KedroContext):
    """Kedro's context, which is made once a session whether hooks run or not.

    It lists the session's use cases, and remembers how the session was started for the commands that it prints.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _remember(_read(self.config_loader))
        remember(_invocation(self))


def _invocation(context: KedroContext) -> Invocation:
    loader = context.config_loader
    conf = Path(str(loader.conf_source))
    own = context.project_path / settings.CONF_SOURCE
    return Invocation(
        env=context.env,
        conf_source=None if conf.resolve() == own.resolve() else str(conf),
        params=loader.runtime_params,
    )


def use_cases() -> dict[str, UseCase]:
    """Use cases by name: the newest session's, or without one those of ``KEDRO_ENV``, else of the default environment.

    Raises:
        EvergreenError: Where configuration lists none, or wrongly.
    """
    if not _listed:
        project = find_kedro_project(Path.cwd()) or Path.cwd()
        conf, env = str(project / settings.CONF_SOURCE), os.environ.get("KEDRO_ENV")
        _remember(_read(settings.CONFIG_LOADER_CLASS(conf, env=env, **settings.CONFIG_LOADER_ARGS)))
    return dict(_listed)


def _read(loader: AbstractConfigLoader) -> dict[str, UseCase]:
    try:
        return read_use_cases(loader["use_cases"])
    except MissingConfigException as error:
        conf, env = Path(str(loader.conf_source)), getattr(loader, "env", None)
        if env and not (conf / env).is_dir():
            known = sorted(folder.name for folder in conf.iterdir() if folder.is_dir())
            raise EvergreenError(
                f"environment {env} is no folder of {conf.name}; there are {', '.join(known)}."
            ) from error
        raise EvergreenError(
            f"no use_cases.yml in {Path(str(loader.conf_source)).name}/base or the environment: it lists the use "
            "cases, for instance `fraud: {source: one_table}`."
        ) from error


def _remember(listed: dict[str, UseCase]) -> None:
    """Keep the list, and let Kedro register its pipelines anew where it differs."""
    if listed != _listed:
        _listed.clear()
        _listed.update(listed)
        pipelines.configure(f"{__package__}.pipeline_registry")
