"""Every week: features, monitoring and, where that pays, a retraining of each use case, one ``kedro run`` a task.

Neither Evergreen nor Kedro is imported here. A task starts a slice of the project in the project's own virtual
environment; slices meet in the JSON records that they leave under ``$EVERGREEN_DATA/08_reporting/<use_case>/``, and
the DAG reads the same records to skip what is not needed. The settings are told in the README beside this file.
"""

from __future__ import annotations

import html
import json
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import fsspec
import yaml
from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator, Context, Param, TaskGroup, Variable, chain, dag, task
from airflow.sdk.log import mask_secret

logger = logging.getLogger("evergreen.airflow")

PREPARATION = {"features": "feature_engineering", "monitoring": "monitoring"}
DECISION = ("decide_trigger",)
BESIDE = {"experiments": "ab_testing", "backtest": "policy_backtest"}
COLLECTION = "collect_predictions"
RETRAINING = ("check_quality", "train_challenger", "validate_challenger", "promote_challenger")

STEP_TIMEOUT = timedelta(hours=1)
TRAINING_TIMEOUT = timedelta(hours=4)
WEBHOOK_SECONDS = 10


def setting(name: str, default: str | None = None) -> str | None:
    """An environment variable, or else the Airflow Variable of the same name in lower case."""
    return os.environ.get(name) or Variable.get(name.lower(), default=default)


def home() -> Path:
    """Where the project is checked out: ``EVERGREEN_HOME``, or the checkout that this file belongs to."""
    return Path(setting("EVERGREEN_HOME") or Path(__file__).resolve().parents[2])


def data() -> str:
    """Where the project keeps its data: ``EVERGREEN_DATA``, a folder or a bucket's URL, or ``data`` in its checkout."""
    return setting("EVERGREEN_DATA") or str(home() / "data")


def record(use_case: str, name: str) -> dict[str, Any]:
    """What a slice has recorded; from a bucket by fsspec, whose package for it (``s3fs`` …) Airflow's Python needs."""
    place = f"{data().rstrip('/')}/08_reporting/{use_case}/{name}.json"
    if "://" not in place:
        return dict(json.loads(Path(place).read_text()))
    with fsspec.open(place) as file:
        return dict(json.load(file))


def use_cases(environment: str) -> list[str]:
    """Names of the use cases that an environment lists: base's, with its own on top; ``churn: ~`` leaves one out."""
    listed: dict[str, Any] = {}
    for folder in ("base", environment):
        for file in sorted((home() / "conf" / folder).rglob("use_cases*.yml")):
            listed |= yaml.safe_load(file.read_text()) or {}
    return [name for name, entry in listed.items() if entry is not None]


def all_use_cases() -> list[str]:
    """Names that any environment lists; a run skips those that its own leaves out."""
    environments = sorted(folder.name for folder in (home() / "conf").iterdir() if folder.is_dir())
    return list(dict.fromkeys(name for environment in environments for name in use_cases(environment)))


def has_pipeline(name: str) -> bool:
    """Whether the checkout has a pipeline; tasks appear for those that it has."""
    return (home() / "src" / "evergreen" / "pipelines" / name / "pipeline.py").is_file()


def project_environment(dag_run_id: str) -> dict[str, str]:
    """What a slice may see: nothing of Airflow's configuration, and the tag that MLflow puts on every run it opens."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW", "PYTHON"))
    }
    run_context = json.dumps({"dag_run_id": dag_run_id})
    return inherited | {"EVERGREEN_DATA": data(), "MLFLOW_RUN_CONTEXT": run_context}


class KedroRun(BaseOperator):
    """``kedro run`` of one slice.

    The command is a list that no shell reads, so that a DAG parameter can never be more than one argument. A slice
    that ends non-zero fails the task with the sentence it ended on.

    Args:
        arguments: What selects the slice, after ``kedro run --env=…``.
    """

    def __init__(self, *, arguments: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arguments = tuple(arguments)

    @cached_property
    def process(self) -> SubprocessHook:
        """The slice's process."""
        return SubprocessHook()

    def execute(self, context: Context) -> None:
        """Run the slice and wait for it."""
        kedro = home() / ".venv" / "bin" / "kedro"
        command = [str(kedro), "run", f"--env={context['params']['environment']}", *self.arguments]
        ended = self.process.run_command(command, env=project_environment(context["run_id"]), cwd=str(home()))
        if ended.exit_code != 0:
            raise RuntimeError(ended.output or f"kedro run ended with exit code {ended.exit_code}.")

    def on_kill(self) -> None:
        """End the slice with its task: on a timeout, or when somebody clears or fails the task."""
        self.process.send_sigterm()


def in_pod(image: str, task_id: str, arguments: Sequence[str], **kwargs: Any) -> BaseOperator:
    """The same slice as a pod of the image ``run``, after ``pod.yaml``; its data lie on that file's volume."""
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    return KubernetesPodOperator(
        task_id=task_id,
        name=f"evergreen-{task_id}".replace("_", "-"),
        image=image,
        arguments=["run", "--env={{ params.environment }}", *arguments],
        env_vars={"MLFLOW_RUN_CONTEXT": '{"dag_run_id": "{{ run_id }}"}'},
        pod_template_file=str(Path(__file__).with_name("pod.yaml")),
        namespace=setting("EVERGREEN_NAMESPACE", "evergreen"),
        on_finish_action="delete_pod",
        **kwargs,
    )


def kedro_run(task_id: str, arguments: Sequence[str], **kwargs: Any) -> BaseOperator:
    """A slice as a task: a process of the worker, or a pod where ``EVERGREEN_IMAGE`` names an image."""
    image = setting("EVERGREEN_IMAGE")
    if image is None:
        return KedroRun(task_id=task_id, arguments=arguments, **kwargs)
    return in_pod(image, task_id, arguments, **kwargs)


@task.short_circuit
def is_chosen(use_case: str, params: dict[str, Any] | None = None) -> bool:
    """Whether this run is about the use case and its environment has it; otherwise its tasks are skipped."""
    given = params or {}
    return given["use_case"] in {"all", use_case} and use_case in use_cases(given["environment"])


@task.short_circuit
def has_reason(use_case: str) -> bool:
    """Whether a retraining was triggered; where none was, the tasks after this one are skipped."""
    trigger = record(use_case, "trigger")
    logger.info("%s: trigger %s. %s", use_case, trigger["status"], " ".join(trigger["reasons"]))
    return bool(trigger["fired"])


@task.short_circuit
def wants_backtest(params: dict[str, Any] | None = None) -> bool:
    """Whether this run was asked for a backtest of retraining policies, which takes hours."""
    return bool((params or {})["backtest"])


def report_failure(context: Context) -> None:
    """Tell the webhook and the mailbox, where they are set, of a task that failed for good.

    A channel that is out of order is logged and keeps neither the other channel nor Airflow from its work.
    """
    failure = failure_report(context)
    for tell in (post_to_webhook, send_email):
        try:
            tell(failure)
        except Exception as error:
            logger.error("%s did not deliver: %s.", tell.__name__, type(error).__name__)  # noqa: TRY400 - may hold the URL


def failure_report(context: Context) -> dict[str, Any]:
    """What the channels are told."""
    failed = context["task_instance"]
    return {
        "dag_id": failed.dag_id,
        "dag_run_id": failed.run_id,
        "task_id": failed.task_id,
        "use_case": failed.task_id.partition(".")[0],
        "environment": context["params"]["environment"],
        "tries": failed.try_number,
        "error": str(context.get("exception")),
        "log_url": failed.log_url,
    }


def post_to_webhook(failure: dict[str, Any]) -> None:
    """POST the report as JSON to ``EVERGREEN_WEBHOOK_URL``, whose path is often the secret."""
    url = setting("EVERGREEN_WEBHOOK_URL")
    if url:
        mask_secret(url)
        request = Request(url, data=json.dumps(failure).encode(), headers={"Content-Type": "application/json"})
        urlopen(request, timeout=WEBHOOK_SECONDS).close()


def send_email(failure: dict[str, Any]) -> None:
    """Mail the report to ``EVERGREEN_ALERT_EMAIL`` through Airflow's connection ``smtp_default``."""
    to = setting("EVERGREEN_ALERT_EMAIL")
    if to:
        lines = "\n".join(f"{name}: {value}" for name, value in failure.items())
        with SmtpHook() as smtp:
            smtp.send_email_smtp(
                to=to,
                subject=f"Evergreen: {failure['task_id']} failed",
                html_content=f"<pre>{html.escape(lines)}</pre>",
            )


def retraining_node(use_case: str, node: str, **kwargs: Any) -> BaseOperator:
    """One node of the retraining pipeline as a task of the node's name."""
    return kedro_run(node, ["--pipelines=retraining", f"--nodes={use_case}.retraining.{node}"], **kwargs)


def whole_pipeline(use_case: str, task_id: str, pipeline: str, **kwargs: Any) -> BaseOperator:
    """A pipeline of one use case as a task."""
    return kedro_run(task_id, [f"--pipelines={pipeline}", f"--namespaces={use_case}"], **kwargs)


def weekly_steps(use_case: str) -> None:
    """The tasks of one use case, in order; experiments and backtest stand beside them and hold nothing up."""
    chosen = is_chosen(use_case)
    collect = [whole_pipeline(use_case, COLLECTION, COLLECTION)] if has_pipeline(COLLECTION) else []
    prepare = [whole_pipeline(use_case, name, pipeline) for name, pipeline in PREPARATION.items()]
    decide = [retraining_node(use_case, node) for node in DECISION]
    show = whole_pipeline(use_case, "reporting", "reporting")
    retrain = [retraining_node(use_case, node, execution_timeout=TRAINING_TIMEOUT) for node in RETRAINING]
    chain(chosen, *collect, *prepare, *decide, show, has_reason(use_case), *retrain)
    if has_pipeline(BESIDE["experiments"]):
        chain([chosen, *collect][-1], whole_pipeline(use_case, "experiments", BESIDE["experiments"]))
    if has_pipeline(BESIDE["backtest"]):
        backtest = whole_pipeline(use_case, "backtest", BESIDE["backtest"], execution_timeout=TRAINING_TIMEOUT)
        chain(prepare[0], wants_backtest(), backtest)


@dag(
    schedule="0 6 * * 1",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # one writer at a time: the registry's file lock guards a single host only
    params={
        "use_case": Param(
            "all", type="string", enum=["all", *all_use_cases()], description="Which model to look after."
        ),
        "environment": Param("local", type="string", pattern="^[A-Za-z0-9_-]+$", description="A folder of conf/."),
        "backtest": Param(False, type="boolean", description="Backtest retraining policies, too; takes hours."),
    },
    default_args={
        "retries": int(os.environ.get("EVERGREEN_RETRIES", "2")),
        "retry_delay": timedelta(seconds=float(os.environ.get("EVERGREEN_RETRY_SECONDS", "300"))),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(hours=1),
        "execution_timeout": STEP_TIMEOUT,
        "on_failure_callback": report_failure,
    },
    doc_md=__doc__,
    tags=["evergreen"],
)
def evergreen_retraining() -> None:
    """One group of tasks a use case, as ``conf/*/use_cases.yml`` list them."""
    for use_case in all_use_cases():
        with TaskGroup(use_case):
            weekly_steps(use_case)


evergreen_retraining()
