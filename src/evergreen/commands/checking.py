"""``kedro check-conf``: does every environment's configuration hold together? Nothing is connected to or run."""

from __future__ import annotations

from pathlib import Path

import click
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.project import pipelines, settings

from evergreen.commands.lazy import CONTEXT_SETTINGS, example
from evergreen.commands.project import open_here
from evergreen.context import Context, use_cases
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.parameter_faults import parameter_faults, probably_meant
from evergreen.retraining.few_days import undecidable_settings
from evergreen.retraining.parameters import RetrainingParameters
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec
from evergreen.star_schema import described_table

BASE = "base"


@click.command(
    "check-conf",
    context_settings=CONTEXT_SETTINGS,
    epilog=example("kedro check-conf", "kedro check-conf --env=parquet --env=local"),
)
@click.option("--env", "-e", "envs", multiple=True, help="Environment to check; default: every folder of conf.")
@click.option("--conf-source", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None)
def check_conf(envs: tuple[str, ...], conf_source: Path | None) -> None:
    """Resolve catalog and parameters of every environment, without connecting to anything."""
    project = open_here()
    conf = conf_source or project / "conf"
    faults = []
    for env in envs or sorted(folder.name for folder in conf.iterdir() if folder.is_dir()):
        found = check_environment(project, conf, env)
        faults += found
        click.echo(f"{env}: {'holds together' if not found else f'{len(found)} to correct'}")
        for note in [] if found else too_few_days(conf, env):
            click.echo(f"  note: {note}")
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
    try:
        context = Context(
            package_name="evergreen",
            project_path=project,
            config_loader=loader,
            env=env,
            hook_manager=_create_hook_manager(),  # without any hook: those of MLflow would connect
        )
        loader["mlflow"]
        faults = list(parameter_faults(loader["parameters"], base["parameters"]))
        left_out = set(base["use_cases"]) - use_cases().keys()
        faults += [] if faults else _catalog_faults(context, left_out)
    except Exception as error:  # whatever a file can do wrong: YAML, interpolations, class names, arguments
        faults = [_in_one_line(error)]
    return [f"environment {env}: {fault}" for fault in faults]


def too_few_days(conf: Path, env: str) -> list[str]:
    """What an environment's use cases can never decide for lack of days, and which window would do."""
    loader = settings.CONFIG_LOADER_CLASS(str(conf), env=env, **settings.CONFIG_LOADER_ARGS)
    notes = []
    for name in use_cases():
        block = loader["parameters"].get(name, {})
        try:
            table = TableSpec.model_validate(described_table(block["table"], block.get("features", {})))
            split = SplitParameters.model_validate(block.get("split", {}))
            evaluation = EvaluationParameters.model_validate(block.get("evaluation", {}))
            retraining = RetrainingParameters.model_validate(block.get("retraining", {}))
        except (KeyError, ValueError):
            continue  # a fault of its own, told before
        notes += [f"{name}: {each}" for each in undecidable_settings(table, split, evaluation, retraining)]
    return notes


def _catalog_faults(context: Context, left_out: set[str]) -> list[str]:
    """Entries that no pipeline knows though one is spelt alike; everything else raises as it is made."""
    entries = {name for pipeline in pipelines.values() for name in pipeline.datasets() if "params:" not in name}
    catalog = context.catalog
    for name in entries:
        catalog.get(name)
    strangers = [name for name in context.config_loader["catalog"] if name not in entries and "{" not in name]
    strangers = [name for name in strangers if name.partition(".")[0] not in left_out]
    return [
        f"catalog entry {name} is used by no pipeline{hint}."
        for name in strangers
        if (hint := probably_meant(name, entries))
    ]


def _in_one_line(error: Exception) -> str:
    chain: BaseException = error
    while chain.__cause__ is not None:
        chain = chain.__cause__
    lines = [line.strip() for line in str(chain).splitlines() if line.strip()]
    return " ".join(lines)[:500].rstrip(".") + "."
