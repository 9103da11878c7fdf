"""Is MLflow ready for a run? Its tables are whole, or its server answers, before anything is worked out."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException

from evergreen.configuration import mlflow_scheme
from evergreen.deadlines import MlflowDeadlines, OverdueError, within
from evergreen.errors import EvergreenError
from evergreen.paths import is_remote, local_folder, plain
from evergreen.redaction import redact, remember, remember_configuration

MOST_BYTES = 1_000_000
_KNOWN_ANSWERS = (200, 404)
DATABASES = ("postgresql", "mysql", "mssql")
_REFUSED_LOGIN = (401, 403)
_CORRECT = "correct MLFLOW_TRACKING_URI or server.mlflow_tracking_uri in conf/<env>/mlflow.yml"


def remember_secrets(loader: AbstractConfigLoader) -> None:
    """Let nothing that a run writes hold a secret of its configuration."""
    loader["mlflow"]  # parts the login from a server's address
    try:
        credentials = loader["credentials"]
    except MissingConfigException:
        credentials = {}
    remember_configuration(credentials, loader["globals"])


def prepare_mlflow(loader: AbstractConfigLoader) -> None:
    """Make what a run's tracking needs, or refuse the run.

    Args:
        loader: The run's configuration.

    Raises:
        EvergreenError: Where the database cannot be made, or the server does not answer as MLflow does; nothing was
            run then.
    """
    import mlflow

    from evergreen.registry.database import database_file, prepare_database
    from evergreen.scratch import lay_copies_in

    uri = str((loader["mlflow"].get("server") or {}).get("mlflow_tracking_uri") or "")
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # what it logs it also raises, and the command says it once
    data = plain(loader["globals"]["data"])
    lay_copies_in(Path(plain(local_folder(loader["globals"]["data"]))) / ".copies")
    experiment = (loader["mlflow"].get("tracking") or {}).get("experiment") or {}
    name = experiment.get("name") or "evergreen"
    file = database_file(uri)
    if file is not None and is_remote(data):
        raise EvergreenError(
            f"the data lies in {redact(data)}, but MLflow's runs and models would lie in a file of this machine: "
            "nothing was run; let MLFLOW_TRACKING_URI name an MLflow server."
        )
    if file is not None:
        mlflow.set_tracking_uri(uri)  # kedro-mlflow does so later; a fault until then names the right file
        place = (experiment.get("create_experiment_kwargs") or {}).get("artifact_location") or file.parent / "artifacts"
        prepare_database(file, Path(place).as_uri() if Path(place).is_absolute() else str(place), name)
    elif mlflow_scheme(uri) in ("http", "https"):
        deadlines = MlflowDeadlines.model_validate(loader["parameters"]["mlflow_server"])
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(deadlines.request_seconds))
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", str(deadlines.retries))
        ask_server(uri, name, deadlines.first_answer_seconds)
    elif mlflow_scheme(uri).partition("+")[0] in DATABASES:
        deadlines = MlflowDeadlines.model_validate(loader["parameters"]["mlflow_server"])
        ask_database(uri, deadlines.first_answer_seconds)
    elif mlflow_scheme(uri) not in ("", "file"):
        require_known(uri)


def require_known(uri: str) -> None:
    """Refuse an address for runs of a kind that neither MLflow nor a plugin of it knows.

    Raises:
        EvergreenError: Naming the address; nothing was run.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.tracking._tracking_service.utils import _get_store

    try:
        _get_store(uri)
    except (MlflowException, KeyError, ValueError) as error:
        raise EvergreenError(
            f"MLflow cannot keep runs at {redact(uri)} ({_reason(error)}): nothing was run; allowed are http://, "
            f"https:// and databases such as postgresql://; {_CORRECT}."
        ) from error


def give_up_on_server() -> None:
    """Ask a server that failed only once more, and briefly: the run's end need not wait for it."""
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "2"


def ask_server(uri: str, experiment: str, seconds: float) -> None:
    """Ask a server for the experiment, and let it make one where there is none.

    Args:
        uri: The server's address.
        experiment: Name of the experiment.
        seconds: How long a whole answer may take.

    Raises:
        EvergreenError: Naming the server and its answer; nothing was run.
    """
    from mlflow.exceptions import MlflowException

    server = f"MLflow at {redact(uri)}"
    try:
        status, answer = within(seconds, lambda: _answer(uri, experiment))
    except OverdueError as error:
        raise EvergreenError(f"{server} gave {error}: nothing was run; start it anew, or {_CORRECT}.") from error
    except (MlflowException, OSError, ValueError) as error:
        raise EvergreenError(
            f"{server} is out of reach ({_reason(error)}): nothing was run; start the server, or {_CORRECT}."
        ) from error
    if status in _REFUSED_LOGIN:
        raise EvergreenError(
            f"{server} refused the login (it answered {status}): nothing was run; correct MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        )
    if answer is None or status not in _KNOWN_ANSWERS:
        said = f"answered {status}" + ("" if answer is not None else ", not in MLflow's words")
        raise EvergreenError(f"{server} {said}: nothing was run; look at the server's own log, or {_CORRECT}.")
    if "experiment" not in answer:
        _make_experiment(uri, experiment)


def ask_database(uri: str, seconds: float) -> None:
    """Ask a database that MLflow is to keep runs in, without a server between.

    Args:
        uri: Its address; the password in it is written nowhere from now on.
        seconds: How long a connection may take.

    Raises:
        EvergreenError: Naming the database and what it said; nothing was run.
    """
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import SQLAlchemyError

    database = f"MLflow's database {redact(uri)}"

    def connect() -> None:
        engine = create_engine(uri)
        engine.connect().close()
        engine.dispose()

    try:
        remember(make_url(uri).password)
        within(seconds, connect)
    except OverdueError as error:
        raise EvergreenError(f"{database} gave {error}: nothing was run; start it anew, or {_CORRECT}.") from error
    except ImportError as error:
        raise EvergreenError(
            f"{database} needs a package that is not installed ({error}): nothing was run; install it (the extra "
            "`postgresql`), or name an MLflow server."
        ) from error
    except SQLAlchemyError as error:
        raise EvergreenError(
            f"{database} is out of reach ({_reason(error)}): nothing was run; start it, or {_CORRECT}."
        ) from error


def _answer(uri: str, experiment: str) -> tuple[int, dict[str, Any] | None]:
    """Status and content of a first answer; no content where it is not MLflow's."""
    import json

    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    response = http_request(
        get_default_host_creds(uri), "/api/2.0/mlflow/experiments/get-by-name", "GET",
        params={"experiment_name": experiment}, max_retries=0, raise_on_status=False, stream=True,
    )  # fmt: skip
    with response:
        content = bytearray()
        for part in response.iter_content(65_536):
            content += part
            if len(content) > MOST_BYTES:
                break
    try:
        answer = json.loads(content)
    except ValueError:
        return response.status_code, None
    known = isinstance(answer, dict) and ("experiment" in answer or "error_code" in answer)
    return response.status_code, answer if known else None


def _make_experiment(uri: str, name: str) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    with suppress(MlflowException):  # another first run was faster; any other fault is met again by the next request
        MlflowClient(uri).create_experiment(name)


def _reason(error: Exception) -> str:
    """What lies beneath a failed request, without its address."""
    beneath: BaseException = error
    while beneath.__cause__ or beneath.__context__:
        beneath = beneath.__cause__ or beneath.__context__ or beneath
    text = getattr(beneath, "strerror", None) or str(beneath)
    return redact(text.splitlines()[0] if text else type(beneath).__name__)
