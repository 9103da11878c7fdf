"""What happens around a run: MLflow is reachable or the run never starts, parameters are logged, a screen ends it."""

from __future__ import annotations

import logging
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Node, Pipeline

from evergreen.bucket import ask_bucket
from evergreen.context import use_cases
from evergreen.errors import EvergreenError
from evergreen.faults import name_node, server_failed
from evergreen.invocation import narrow
from evergreen.mlflow_setup import give_up_on_server, prepare_mlflow, remember_secrets
from evergreen.paths import plain
from evergreen.redaction import redacted
from evergreen.use_cases import use_case_of

if TYPE_CHECKING:
    from evergreen.reporting.screen import Lifecycle

logger = logging.getLogger("evergreen")


class ProjectHooks:
    """Evergreen's own hooks.

    They are made with every ``kedro`` command: what only a run needs is imported by the run.
    """

    _named: str | None = None
    _logged: frozenset[tuple[str, str]] = frozenset()

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse faulty parameters, and make MLflow ready before kedro-mlflow's own hook waits for it."""
        from evergreen.parameter_faults import refuse_faulty_parameters

        self._context = context
        loader = context.config_loader
        remember_secrets(loader)
        refuse_faulty_parameters(loader)
        self._data = plain(loader["globals"]["data"])
        prepare_mlflow(loader)
        ask_bucket(loader)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Say what is about to run and what was edited since the last, unless its tables can't be relied on."""
        from evergreen.scratch import abandoned
        from evergreen.sources import check_dbt, edits, same_tables

        narrow(tuple(sorted({use_case_of(space) for space in run_params.get("namespaces") or []})))
        check_dbt(pipeline, catalog)
        abandoned(delete=True)
        run_params.update(redacted(run_params))  # MLflow keeps them as tags
        for sentence in [*edits(pipeline, catalog), *same_tables(pipeline, catalog)]:
            logger.info("%s", sentence)
        names = ", ".join(_chosen_rooms(run_params) or ["the whole lifecycle"])
        logger.info("Running %s for %s.", names, ", ".join(_use_cases(pipeline)))
        self._name_run(f"{', '.join(_use_cases(pipeline)) or 'no use case'}: {names}")

    def _name_run(self, name: str) -> None:
        """Let kedro-mlflow call its run after what it runs, unless ``mlflow.yml`` names it."""
        settings = getattr(self._context, "mlflow", None)
        if settings is not None and settings.tracking.run.name in (None, self._named):
            settings.tracking.run.name = self._named = name

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Let what people read follow the champion, and sum a whole run up on one screen."""
        from evergreen.renewal import renew, renew_overview, written_pages
        from evergreen.reporting.screen import summary

        records = {use_case: _records(catalog, use_case) for use_case in _use_cases(pipeline)}
        serving = {name: renew(catalog, name, overview=False) for name in records}
        records = {name: replace(found, serving=serving[name]) for name, found in records.items()}
        renew_overview(catalog)
        if not _chosen_rooms(run_params):
            logger.info("%s", summary(records, _short(self._data)))
        elif pages := written_pages(pipeline):
            logger.info("To open: %s", ", ".join(f"{_short(self._data)}/08_reporting/{page}" for page in pages))

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Let a sentence that knows nothing of use cases begin with the one that it is about."""
        sentence, use_case = str(error), use_case_of(node.namespace)
        if not isinstance(error, EvergreenError):
            name_node(error, node.name)
        elif use_case not in sentence:
            error.args = (f"{use_case}: {sentence}",)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Let kedro-mlflow not wait long for a server that failed."""
        if server_failed(error):
            give_up_on_server()

    @hook_impl
    def after_node_run(self, inputs: dict[str, Any]) -> None:
        """Log typed parameters field by field, once a run: MLflow would otherwise get them as one string."""
        import mlflow
        from pydantic import BaseModel

        run = mlflow.active_run()
        if run is None:
            return
        given = {name.removeprefix("params:"): value for name, value in inputs.items() if name.startswith("params:")}
        typed = {name: value for name, value in given.items() if isinstance(value, BaseModel)}
        new = {(run.info.run_id, name) for name in typed} - self._logged
        for _, name in sorted(new):
            mlflow.log_dict(typed[name].model_dump(mode="json"), f"parameters/{name}.json")
        self._logged |= new


def _chosen_rooms(run_params: dict[str, Any]) -> list[str]:
    """The pipelines that a run was narrowed to, by ``--pipelines=training`` or by ``--namespaces=churn.training``."""
    named = [name for name in run_params.get("pipeline_names") or [] if name not in use_cases()]
    spaces = {space.partition(".")[2] for space in run_params.get("namespaces") or []} - {""}
    return named + sorted(spaces - set(named))


def _use_cases(pipeline: Pipeline) -> list[str]:
    return sorted({use_case_of(node.namespace) for node in pipeline.nodes} - {""})


def _short(folder: str) -> str:
    """A folder as short as it can be said from here."""
    return os.path.relpath(folder) if Path(folder).is_relative_to(Path.cwd()) else folder


def _records(catalog: CatalogProtocol, use_case: str) -> Lifecycle:
    from evergreen.reporting.screen import Lifecycle

    names = {field.name: f"{use_case}.{field.name}" for field in fields(Lifecycle) if field.name != "serving"}
    return Lifecycle(**{name: catalog.load(entry) for name, entry in names.items() if catalog.exists(entry)})
