"""What Google's client raises, as the one sentence that a user can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evergreen.errors import EvergreenError

CHEAPER = "read fewer days (`--params=days=<days>`) or raise `--params=max_bytes_billed=<bytes>`"

_INSTALL = '`.venv/bin/pip install -c constraints.txt -e ".[bigquery]"`'
_LOG_IN = (
    "run `gcloud auth application-default login`, or correct bigquery.service_account_file in "
    "conf/local/credentials.yml"
)
_ROLES = (
    "usually bigquery.dataViewer on dbt's dataset, bigquery.dataEditor on features_dataset, bigquery.jobUser and "
    "bigquery.readSessionUser on the project"
)
_CHECK_NAMES = "check project, dataset, location and the table's name in conf/bigquery, and that dbt has built it"
_ADDRESS = re.compile(r"^(\d+ )?(GET|POST) https?://\S+: ")


def without_client(error: ImportError) -> EvergreenError:
    """What to say where Google's client is not installed."""
    return EvergreenError(f"BigQuery's client is not installed ({error}): install it with {_INSTALL}.")


@contextmanager
def faults_in_words(doing: str) -> Iterator[None]:
    """Turn what Google's client raises into an ``EvergreenError``.

    Args:
        doing: What was tried, for the sentence.
    """
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import ConnectionError as NoConnection

    try:
        yield
    except (GoogleAPIError, GoogleAuthError, NoConnection) as error:
        raise EvergreenError(_sentence(error, doing)) from error


def _sentence(error: Exception, doing: str) -> str:
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    said = _said(error)
    if _reason(error) == "bytesBilledLimitExceeded":
        return f"BigQuery stopped a query at the limit of bytes billed ({said}): {CHEAPER}."
    if isinstance(error, auth.DefaultCredentialsError):
        return f"no usable credentials for BigQuery were found while {doing} ({said}): {_LOG_IN}."
    if isinstance(error, auth.RefreshError | api.Unauthorized):
        return f"BigQuery did not accept the credentials while {doing} ({said}): {_LOG_IN}."
    if isinstance(error, api.Forbidden):
        return f"BigQuery did not permit {doing} ({said}): ask for a role that grants it, {_ROLES}."
    if isinstance(error, api.NotFound):
        return f"BigQuery found nothing while {doing} ({said}): {_CHECK_NAMES}."
    if isinstance(error, api.BadRequest):
        return f"BigQuery could not make sense of {doing} ({said}): if a table has changed meanwhile, run again."
    return f"BigQuery failed while {doing} ({said}): try again later, or check the network and api_endpoint."


def _reason(error: Any) -> str | None:
    faults = getattr(error, "errors", None)
    return faults[0].get("reason") if faults and isinstance(faults[0], dict) else None


def _said(error: Any) -> str:
    """The first line of what was said, without addresses."""
    text = str(getattr(error, "message", None) or (error.args[0] if error.args else error))
    return _ADDRESS.sub("", text).split("\n")[0].split("; reason:")[0].strip().rstrip(".")
