"""``kedro models dbt-exposures``: the champions as dbt's lineage shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from evergreen.commands.group import configuration, models, open_project
from evergreen.commands.lazy import example
from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext


@models.command(
    "dbt-exposures",
    epilog=example("kedro models dbt-exposures --dbt-target ../dbt/target --output ../dbt/models/evergreen.yml"),
)
@click.option("--use-case", default=None, help="Name of the use case, for instance churn; default: all that dbt feeds.")
@click.option("--dbt-target", default=None, help="Folder with dbt's manifest.json; default: the parameter dbt_target.")
@click.option("--output", default=None, type=click.Path(dir_okay=False), help="A .yml file among the dbt models.")
@configuration
def exposures_command(use_case: str | None, dbt_target: str | None, output: str | None, env: str | None) -> None:
    """Write dbt's exposures file, so that its lineage ends in the models that live on its tables."""
    context = open_project(use_case, env)
    from evergreen.context import use_cases
    from evergreen.datasets.dbt import write_exposures
    from evergreen.paths import local_folder, plain

    chosen = [use_case] if use_case else list(use_cases())
    found = [one for name in chosen if (one := _exposure(context, name, dbt_target))]
    if not found:
        raise EvergreenError(f"dbt builds no table of {', '.join(chosen)}: dbt.models says null for each of them.")
    local = Path(plain(local_folder(context.config_loader["globals"]["data"])))
    file = Path(output) if output else local / "08_reporting" / "dbt_exposures.yml"
    write_exposures(found, file)
    click.echo(f"{', '.join(one['name'] for one in found)}: written to {file.resolve()}")


def _exposure(context: KedroContext, use_case: str, dbt_target: str | None) -> dict[str, Any] | None:
    """The exposure of a use case; None where dbt builds none of its tables."""
    from kedro.framework.project import pipelines

    from evergreen import registry
    from evergreen.datasets.dbt import exposure, find_table
    from evergreen.sources import artefacts_in, dbt_parameters, source_entries

    target = dbt_target or context.params["dbt_target"]
    if target is None:
        raise EvergreenError("dbt_target is not set: name dbt's target folder with --dbt-target or in the parameters.")
    manifest, parameters = artefacts_in(target).manifest, dbt_parameters(context.params["dbt"])
    entries = source_entries(pipelines["feature_engineering"].only_nodes_with_namespaces([use_case]))
    names = {entry: name for entry in entries if (name := parameters.model_of(entry)) is not None}
    if not names:
        return None
    tables = [find_table(manifest, entry, name) for entry, name in names.items()]
    champion = registry.aliases_of(use_case).get(registry.CHAMPION)
    if champion is None:
        raise EvergreenError(f"{registry.explain_vacancy(use_case)} --use-case leaves it out.")
    facts = registry.version_facts(registry.load(use_case, champion))
    return exposure(use_case, facts, tables, manifest, parameters.owner, _page(use_case, champion))


def _page(use_case: str, version: str) -> str | None:
    """Where MLflow's server shows the version, without the secrets of its address; None without a server."""
    import mlflow

    parts = urlsplit(mlflow.get_tracking_uri())
    if parts.scheme not in {"http", "https"}:
        return None
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2], path=parts.path.rstrip("/"), query="", fragment="")
    return f"{address.geturl()}/#/models/{use_case}/versions/{version}"
