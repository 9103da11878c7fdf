"""How a Power BI semantic model is asked: token, executeQueries, and what its answers mean.

Protocol: https://learn.microsoft.com/rest/api/power-bi/datasets/execute-queries-in-group
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from time import sleep
from typing import Any

import requests

from evergreen.datasets.alerts.delivery import requested_wait
from evergreen.errors import EvergreenError

MAX_ROWS = 100_000
MAX_VALUES = 1_000_000
MAX_BYTES = 15 * 1024 * 1024

_LOGGER = logging.getLogger(__name__)
_LONGEST_MESSAGE = 600
Row = dict[str, Any]


@dataclass(frozen=True)
class ServicePrincipal:
    """Who asks; the secret is left out of every text form.

    Attributes:
        tenant_id: Directory of the principal.
        client_id: Its application.
        client_secret: Its secret.
    """

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Service:
    """Where the service is and how patiently it is asked.

    Attributes:
        api: Address of the REST API; sovereign clouds have their own.
        authority: Address of the token service, without the tenant.
        scope: What the token is asked for.
        ca_bundle: File of certificates to trust instead of the usual ones, as behind a proxy that decrypts.
        attempts: Most attempts where the service throttles, fails for a moment or doesn't answer.
        max_wait_seconds: Longest wait before one further attempt; asked for more, the query is given up.
        timeout_seconds: How long one attempt may wait for an answer.
    """

    api: str = "https://api.powerbi.com"
    authority: str = "https://login.microsoftonline.com"
    scope: str = "https://analysis.windows.net/powerbi/api/.default"
    ca_bundle: str | None = None
    attempts: int = 4
    max_wait_seconds: float = 60.0
    timeout_seconds: float = 120.0

    def __post_init__(self) -> None:
        for name, address in (("api", self.api), ("authority", self.authority)):
            if not address.startswith("https://"):
                raise EvergreenError(
                    f"Power BI: {name} is {address}, allowed are addresses that start with https://, because the "
                    "token travels with every request; correct the catalog entry."
                )


class _Session(requests.Session):
    """HTTP with the service's patience and certificates, which win over those that the surroundings name."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._kept = {"timeout": service.timeout_seconds, "verify": service.ca_bundle or True}

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().request(*args, **{**kwargs, **self._kept})


class SemanticModel:
    """One semantic model that answers DAX queries.

    Args:
        dataset: The model's id.
        group: Id of its workspace; None: the model is asked for by its id alone.
        principal: Who asks.
        service: Where the service is.
    """

    def __init__(self, dataset: str, group: str | None, principal: ServicePrincipal, service: Service) -> None:
        self._principal = principal
        self._service = service
        self._name = f"Power BI semantic model {dataset}"
        of_group = f"groups/{group}/" if group else ""
        self._session = _Session(service)
        self._secrets = {principal.client_secret}
        self._url = f"{service.api.rstrip('/')}/v1.0/myorg/{of_group}datasets/{dataset}/executeQueries"

    def query(self, dax: str) -> list[Row]:
        """Rows of the one table that a DAX query evaluates to, with the service's own column names.

        Raises:
            EvergreenError: The principal is refused, the query fails, its result is cut off by the service's limits,
                or the service doesn't answer in time.
        """
        answer = self._ask(dax)
        body = self._body(answer)
        if not answer.ok:
            raise EvergreenError(self._refusal(answer.status_code, body))
        results = body.get("results") or [{}]
        tables = results[0].get("tables") or [{}]
        rows: list[Row] = tables[0].get("rows") or []
        message = next((text for text in map(_message, (body, results[0], tables[0])) if text), "")
        if message or _at_a_limit(rows, len(answer.content)):
            raise EvergreenError(self._cut_off(rows, message))
        return rows

    def _ask(self, dax: str) -> requests.Response:
        """The final answer: after waits where the service asks for them, after one new token where it wants that."""
        waits = self._waits()
        renewed = False
        while True:
            answer, problem = self._post(dax)
            if answer is not None and answer.status_code == HTTPStatus.UNAUTHORIZED and not renewed:
                self._tokens.remove_tokens_for_client()
                renewed = True
            elif answer is None or _passes(answer.status_code):
                asked = None if answer is None else requested_wait(answer.headers.get("Retry-After"))
                self._wait(waits, asked, problem)
            else:
                return answer

    def _post(self, dax: str) -> tuple[requests.Response | None, str]:
        question = {"queries": [{"query": dax}], "serializerSettings": {"includeNulls": True}}
        headers = {"Authorization": f"Bearer {self._token()}"}
        try:
            answer = self._session.post(self._url, json=question, headers=headers, allow_redirects=False)
        except requests.RequestException as error:
            return None, f"it gave no answer ({type(error).__name__})"
        return answer, f"it answered {answer.status_code}"

    def _waits(self) -> Iterator[float]:
        yield from (2.0**number for number in range(self._service.attempts - 1))

    def _wait(self, waits: Iterator[float], asked: float | None, problem: str) -> None:
        own = next(waits, None)
        seconds = own if asked is None else asked
        if own is None or seconds is None or seconds > self._service.max_wait_seconds:
            wanted = f" and asks for {asked:,.0f} s" if asked is not None else ""
            raise EvergreenError(
                f"{self._name}: {problem}{wanted}, allowed are {self._service.attempts} attempts and "
                f"{self._service.max_wait_seconds:,.0f} s of waiting before each; run again later, or set "
                "service.attempts or service.max_wait_seconds of the catalog entry."
            )
        _LOGGER.info("%s: %s; asking again in %.0f s.", self._name, problem, seconds)
        sleep(seconds)

    @cached_property
    def _tokens(self) -> Any:
        try:
            import msal
        except ImportError as error:
            raise EvergreenError(
                f'{self._name}: the package msal is not installed; run `pip install "evergreen[powerbi]"`.'
            ) from error
        service = self._service
        try:
            return msal.ConfidentialClientApplication(
                self._principal.client_id,
                client_credential=self._principal.client_secret,
                authority=f"{service.authority.rstrip('/')}/{self._principal.tenant_id}",
                instance_discovery=False,  # the authority is the one that the catalog names
                http_client=self._session,
            )
        except (ValueError, RuntimeError, requests.RequestException) as error:
            raise EvergreenError(self._no_token(type(error).__name__, str(error))) from None

    def _token(self) -> str:
        tokens = self._tokens
        try:
            found = tokens.acquire_token_for_client(scopes=[self._service.scope])
        except (ValueError, RuntimeError, requests.RequestException) as error:
            raise EvergreenError(self._no_token(type(error).__name__, str(error))) from None
        if "access_token" not in found:
            raise EvergreenError(self._no_token(found.get("error", "no token"), found.get("error_description", "")))
        self._secrets.add(str(found["access_token"]))
        return str(found["access_token"])

    def _no_token(self, code: str, message: str) -> str:
        return (
            f"{self._name}: {self._service.authority} gave no token to application {self._principal.client_id} of "
            f"tenant {self._principal.tenant_id} ({self._said(code, message)}); check tenant_id, client_id and "
            "client_secret in the credentials."
        )

    def _body(self, answer: requests.Response) -> Row:
        try:
            body = json.loads(answer.content)  # the service puts a byte order mark first
        except ValueError:
            body = None
        if isinstance(body, dict):
            return body
        if answer.ok:
            raise EvergreenError(f"{self._name}: it answered {answer.status_code} with something that is not JSON.")
        return {}

    def _refusal(self, status: int, body: Row) -> str:
        verdicts: dict[int, str] = {
            HTTPStatus.BAD_REQUEST: "refuses the query",
            HTTPStatus.UNAUTHORIZED: "refuses the token, a renewed one too",
            HTTPStatus.FORBIDDEN: "forbids the query",
            HTTPStatus.NOT_FOUND: "is not found",
        }
        remedies: dict[int, str] = {
            HTTPStatus.BAD_REQUEST: "correct the DAX in the catalog entry",
            HTTPStatus.NOT_FOUND: "correct dataset and group in the catalog entry",
        }
        verdict = verdicts.get(status, "fails")
        remedy = remedies.get(
            status,
            "give the service principal read and build permission on the model, and let the tenant settings allow "
            "service principals and the executeQueries API",
        )
        return f"{self._name} {verdict} ({self._said(str(status), _message(body))}); {remedy}."

    def _cut_off(self, rows: list[Row], message: str) -> str:
        values = sum(map(len, rows))
        said = self._said("", message) or "the answer ends at a limit"
        return (
            f"{self._name}: the result is not whole ({said}): {len(rows):,} rows with {values:,} values came, allowed "
            f"are less than {MAX_ROWS:,} rows, {MAX_VALUES:,} values and 15 MB a query; filter or summarise in DAX, or "
            "split the query over several catalog entries."
        )

    def _said(self, code: str, message: str) -> str:
        """The service's own words on one line, without secrets, of bounded length."""
        text = " ".join(f"{code}: {message}".strip(": ").split()).rstrip(".")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:_LONGEST_MESSAGE]


def _passes(status: int) -> bool:
    """Whether an answer says that the next one may be better."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _at_a_limit(rows: list[Row], size: int) -> bool:
    """Whether a result ends where the service cuts results off; it looks like a whole one then."""
    columns = len(rows[0]) if rows else 0
    return len(rows) >= MAX_ROWS or (len(rows) + 1) * columns > MAX_VALUES or size >= MAX_BYTES


def _message(part: Row) -> str:
    """What an ``error`` object says: its message, or else its details; empty where there is none."""
    error = part.get("error")
    if not isinstance(error, dict):
        return str(error or "")
    inner = error.get("pbi.error") or {}
    details = [_detail(each) for each in [*(inner.get("details") or []), *(error.get("details") or [])]]
    parts = [error.get("code") or inner.get("code"), error.get("message"), *details]
    return ": ".join(dict.fromkeys(str(each).strip() for each in parts if each))


def _detail(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    detail = entry.get("detail", entry.get("message"))
    value = detail.get("value") if isinstance(detail, dict) else detail
    code = entry.get("code")
    return str(value or "") if code in (None, "DetailsMessage") else f"{code} {value}"
