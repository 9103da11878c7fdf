"""``kedro serve``: the REST service of a use case's champion."""

from __future__ import annotations

import datetime as dt
import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evergreen.commands.group import USE_CASE, VERBOSE_OPTION, configuration, open_project
from evergreen.commands.lazy import CONTEXT_SETTINGS, example
from evergreen.errors import EvergreenError
from evergreen.faults import one_sentence
from evergreen.paths import local_folder, plain

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

    from evergreen.serving.settings import ServingSettings
    from evergreen.serving.supervisor import Task

logger = logging.getLogger("evergreen.serving")
NEEDED = ("msgspec", "uvicorn", "httptools", "uvloop", "starlette", "prometheus_client")
_NOTED_SECONDS = 60.0


@click.command(
    "serve",
    context_settings=CONTEXT_SETTINGS,
    epilog=example("kedro serve --use-case churn --port 8080 --workers 2", "kedro serve --use-case churn --version 1"),
)
@USE_CASE
@configuration
@VERBOSE_OPTION
@click.option("--host", default=None, help="Address to listen on; default: this machine alone.")
@click.option("--port", type=int, default=None, help="Port to listen on; 0: any free one. Default: 8080.")
@click.option("--unix-socket", default=None, help="Path of a socket to listen on instead.")
@click.option("--workers", type=int, default=None, help="Processes that answer; default: 2.")
@click.option("--version", default=None, help="A version to serve whatever the alias says; default: the champion.")
def serve(use_case: str, env: str | None, **options: Any) -> None:
    """Answer requests with the champion, follow its alias, log every answer."""
    with one_sentence(click.get_current_context()):
        _serve(use_case, env, options)


def _serve(use_case: str, env: str | None, options: dict[str, Any]) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise EvergreenError(f"The service needs {', '.join(missing)}: install Evergreen with the extra `serve`.")
    context = open_project(use_case, env)
    settings = with_running_experiment(context, use_case, read_settings(context, options))
    from evergreen.scratch import abandoned
    from evergreen.serving.registered import Registered
    from evergreen.serving.supervisor import Places, Supervisor

    abandoned(delete=True)
    data = Path(plain(local_folder(context.config_loader["globals"]["data"])))
    log = context.catalog.load(f"{use_case}.prediction_log")
    by_key = _features_by_key(context, use_case)
    dashboard = Path(plain(context.config_loader["globals"]["data"])) / "08_reporting" / use_case / "dashboard.html"
    places = Places(data / "06_models" / use_case / "serving", log.folder, dashboard, by_key)
    versions = Registered(use_case, settings, places.exports)
    Supervisor(use_case, settings, places, versions, lambda at: _tasks(context, use_case, settings, at)).run()


def _features_by_key(context: KedroContext, use_case: str) -> Path | None:
    """Where features are kept by key; None where a use case has none."""
    from evergreen.context import use_cases
    from evergreen.datasets import ServingFeaturesDataset

    entry = context.catalog.get(f"{use_case}.serving_features")
    if use_cases()[use_case].source == "star_schema" and isinstance(entry, ServingFeaturesDataset):
        return entry.file
    return None


def read_settings(context: KedroContext, options: dict[str, Any]) -> ServingSettings:
    """``serving.yml`` with the command's options on top.

    Raises:
        EvergreenError: Naming the first setting that is wrong.
    """
    from pydantic import ValidationError

    from evergreen.serving.settings import ServingSettings

    given = {name: value for name, value in options.items() if value is not None}
    try:
        return ServingSettings.model_validate({**context.config_loader["serving"], **given})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "serving.yml"
        raise EvergreenError(f"serving setting {place}: {first['msg']}; correct conf/<env>/serving.yml.") from error


def with_running_experiment(context: KedroContext, use_case: str, settings: ServingSettings) -> ServingSettings:
    """The settings with the routing of the use case's running experiment."""
    from evergreen.experiments.parameters import ExperimentParameters
    from evergreen.serving.experiment import with_experiment

    experiments = ExperimentParameters.model_validate(context.params[use_case]["experiments"])
    return with_experiment(settings, experiments.running)


def _tasks(context: KedroContext, use_case: str, settings: ServingSettings, folder: Path) -> list[Task]:
    """What the supervisor does beside: live drift and collecting the log."""
    from evergreen.datasets.alerts.channel import send_alerts
    from evergreen.modelling.parameters import ScoringParameters
    from evergreen.schema import TableSpec
    from evergreen.serving.live_drift import LiveDrift
    from evergreen.serving.supervisor import Task

    began = dt.datetime.now(dt.UTC)

    def note(version: str) -> None:
        from evergreen.serving.reported import service_status

        context.catalog.save(f"{use_case}.service_status", service_status(use_case, version, folder, began))

    tasks = [Task(_NOTED_SECONDS, note, "noted")]
    if settings.drift.enabled:
        live = LiveDrift(
            use_case, folder, settings.drift, lambda messages: send_alerts(context.catalog, use_case, messages)
        )
        tasks.append(Task(settings.drift.every_seconds, live.look, "drift"))
    if settings.log.enabled and settings.log.collect_minutes:
        parameters = context.params[use_case]
        spec = TableSpec.model_validate(parameters["table"])
        policy = ScoringParameters.model_validate(parameters["scoring"])
        log = context.catalog.load(f"{use_case}.prediction_log")

        def collect(_: str) -> dict[str, Any]:
            done = log.collect(spec, policy, dt.datetime.now(dt.UTC).date())
            return {"rows": done.rows, "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}

        tasks.append(Task(settings.log.collect_minutes * 60, collect, "collected"))
    return tasks
