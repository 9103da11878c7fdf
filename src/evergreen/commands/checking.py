"""``kedro check-conf``: does every environment's configuration hold together? Nothing is connected to or run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.project import pipelines, settings
from kedro.framework.startup import bootstrap_project
from kedro.utils import find_kedro_project
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel, ValidationError

from evergreen.settings import USE_CASES

BASE = "base"


@click.command("check-conf")
@click.option("--env", "-e", "envs", multiple=True, help="Environment to check; default: every folder of conf.")
@click.option("--conf-source", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None)
def check_conf(envs: tuple[str, ...], conf_source: Path | None) -> None:
    """Resolve catalog and parameters of every environment, without connecting to anything."""
    project = bootstrap_project(find_kedro_project(Path.cwd()) or Path.cwd()).project_path
    conf = conf_source or project / "conf"
    faults = []
    for env in envs or sorted(folder.name for folder in conf.iterdir() if folder.is_dir()):
        found = check_environment(project, conf, env)
        faults += found
        click.echo(f"{env}: {'holds together' if not found else f'{len(found)} to correct'}")
    if faults:
        raise click.ClickException("\n".join(faults))


def check_environment(project: Path, conf: Path, env: str) -> list[str]:
    """What is wrong with an environment, one sentence each.

    Args:
        project: The project's folder.
        conf: The folder of all environments.
        env: Name of the one to check.
    """
    if not (conf / env).is_dir():
        known = sorted(folder.name for folder in conf.iterdir() if folder.is_dir())
        return [f"environment {env} is no folder of {conf}; there are {', '.join(known)}."]
    loader, base = (
        settings.CONFIG_LOADER_CLASS(str(conf), env=name, **settings.CONFIG_LOADER_ARGS) for name in (env, BASE)
    )
    context = KedroContext(
        package_name="evergreen",
        project_path=project,
        config_loader=loader,
        env=env,
        hook_manager=_create_hook_manager(),  # without any hook: those of MLflow would connect
    )
    try:
        loader["mlflow"]
        faults = list(_parameter_faults(loader["parameters"], base["parameters"]))
        faults += [] if faults else _catalog_faults(context)
    except Exception as error:  # whatever a file can do wrong: YAML, interpolations, class names, arguments
        faults = [_in_one_line(error)]
    return [f"environment {env}: {fault}" for fault in faults]


def _parameter_faults(parameters: dict[str, Any], base: dict[str, Any]) -> Iterator[str]:
    """Names that base does not have, and values that a typed model refuses."""
    for name, block in parameters.items():
        if name not in base:
            yield f"parameter {name} is read by nothing{_close(name, base)}."
        elif name in USE_CASES:
            for unread in (each for each in block if each not in base[name]):
                yield f"parameter {name}.{unread} is read by nothing{_close(unread, base[name])}."
    for key, model in TypeExtractor(dict(pipelines)).extract_types_from_pipelines().items():
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from _model_faults(key, model, parameters)


def _model_faults(key: str, model: type[BaseModel], parameters: dict[str, Any]) -> Iterator[str]:
    value: Any = parameters
    for part in key.split("."):
        if part not in value:
            yield f"parameter {key} is missing; a {model.__name__} is needed."
            return
        value = value[part]
    try:
        model.model_validate(value)
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join([key, *map(str, fault["loc"])])
            yield f"parameter {where} is {fault['input']!r}: {fault['msg'].removeprefix('Value error, ')}."


def _catalog_faults(context: KedroContext) -> list[str]:
    """Entries that no pipeline knows though one is spelt alike; everything else raises as it is made."""
    entries = {name for pipeline in pipelines.values() for name in pipeline.datasets() if "params:" not in name}
    catalog = context.catalog
    for name in entries:
        catalog.get(name)
    strangers = [name for name in context.config_loader["catalog"] if name not in entries and "{" not in name]
    return [
        f"catalog entry {name} is used by no pipeline{hint}." for name in strangers if (hint := _close(name, entries))
    ]


def _close(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; {close[0]} was probably meant" if close else ""


def _in_one_line(error: Exception) -> str:
    chain: BaseException = error
    while chain.__cause__ is not None:
        chain = chain.__cause__
    lines = [line.strip() for line in str(chain).splitlines() if line.strip()]
    return " ".join(lines)[:500].rstrip(".") + "."
