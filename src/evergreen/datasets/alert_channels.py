"""Alert channels as datasets: to save messages is to send them."""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from kedro.io import AbstractDataset

from evergreen.datasets.delivery import DeliveryError, deliver, requested_wait
from evergreen.datasets.mail import BoundedSMTP, email_message, refuse_mail_settings
from evergreen.errors import EvergreenError
from evergreen.monitoring.parameters import SEVERITIES, Severity
from evergreen.redaction import remember
from evergreen.reporting.monitoring.messages import AlertMessage

TOO_MANY_REQUESTS = 429


class _AlertChannel(AbstractDataset[Sequence[AlertMessage], None]):
    """Sends the messages that are severe enough, one after the other.

    Args:
        name: How the channel is called in messages; holds no secret.
        min_severity: Smallest severity that is sent.
        attempts: Most attempts at each message.
        backoff_seconds: Wait before the second attempt; doubles with every further one.
        timeout_seconds: How long one attempt may take, from the first byte to the last.
        deadline_seconds: How long all attempts at all messages of a run may take; what is left is not sent.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        name: str,
        *,
        min_severity: Severity = "high",
        attempts: int = 4,
        backoff_seconds: float = 1.0,
        timeout_seconds: float = 10.0,
        deadline_seconds: float = 60.0,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if min_severity not in SEVERITIES:
            raise EvergreenError(
                f"{name}: min_severity is {min_severity}, allowed: {', '.join(SEVERITIES)}; correct the catalog entry."
            )
        self._name = name
        self._min_severity = min_severity
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._timeout_seconds = timeout_seconds
        self._socket_seconds = 2 * timeout_seconds  # when an attempt that was given up lets its connection go
        self._deadline_seconds = deadline_seconds
        self.metadata = metadata

    def load(self) -> None:
        """Refused: what was sent is not kept.

        Raises:
            EvergreenError: Always.
        """
        raise EvergreenError(
            f"{self._name} is an alert channel, which can be saved to and not loaded; read monitoring.json instead."
        )

    def save(self, data: Sequence[AlertMessage]) -> None:
        """Send the messages; a channel that is unset sends nothing, one that is down logs a warning."""
        if not self._is_set():
            return
        least = SEVERITIES.index(self._min_severity)
        until = monotonic() + self._deadline_seconds
        for message in data:
            if SEVERITIES.index(message.severity) >= least:
                deliver(
                    partial(self._send, message),
                    self._name,
                    attempts=self._attempts,
                    backoff_seconds=self._backoff_seconds,
                    timeout_seconds=self._timeout_seconds,
                    until=until,
                )

    @abstractmethod
    def _is_set(self) -> bool:
        """Whether the catalog names a receiver."""

    @abstractmethod
    def _send(self, message: AlertMessage) -> None:
        """Send once; raises ``DeliveryError``."""

    def _exists(self) -> bool:
        return False

    def _describe(self) -> dict[str, Any]:
        return {"channel": self._name, "min_severity": self._min_severity}


class WebhookDataset(_AlertChannel):
    """Posts each message to a webhook.

    Args:
        url: Where to post; None: the channel is unset. A webhook's address is a secret, so it is better
            given as ``credentials``.
        credentials: ``{url: …}``, instead of ``url``.
        format: ``json`` posts the message's fields, ``slack`` what Slack and its like understand.
        delivery: What every channel takes: ``min_severity``, ``attempts``, ``backoff_seconds``,
            ``timeout_seconds``, ``deadline_seconds``, ``metadata``.
    """

    def __init__(
        self,
        url: str | None = None,
        credentials: dict[str, str] | None = None,
        format: Literal["json", "slack"] = "json",  # noqa: A002 - the word that the catalog uses
        **delivery: Any,
    ) -> None:
        self._url = (credentials or {}).get("url", url)
        remember(self._url)
        super().__init__(_webhook_name(self._url), **delivery)
        if format not in ("json", "slack"):
            raise EvergreenError(
                f"{self._name}: format is {format}, allowed are json and slack; correct the catalog entry."
            )
        self._format = format

    def _is_set(self) -> bool:
        return bool(self._url)

    def _send(self, message: AlertMessage) -> None:
        body = message.model_dump(mode="json") if self._format == "json" else {"text": slack_text(message)}
        try:
            with _addresses_unlogged():
                answer = requests.post(
                    str(self._url), json=body, timeout=self._socket_seconds, allow_redirects=False, stream=True
                )
                answer.close()  # status and headers say it all
        except (requests.ConnectionError, requests.Timeout) as error:
            raise DeliveryError(f"no answer ({type(error).__name__})") from None
        except requests.RequestException as error:
            raise DeliveryError(f"the request cannot be made ({type(error).__name__})", lasting=True) from None
        if not answer.ok or answer.is_redirect:
            later = answer.status_code == TOO_MANY_REQUESTS or answer.status_code >= 500
            wait = requested_wait(answer.headers.get("Retry-After")) if later else None
            raise DeliveryError(f"it answered {answer.status_code}", lasting=not later, wait_seconds=wait)


class EmailDataset(_AlertChannel):
    """Sends each message as an e-mail through an SMTP server.

    Args:
        host: The server; None: the channel is unset.
        port: Its port.
        sender: Address in From.
        recipients: Addresses in To.
        starttls: Encrypt, and send nothing to a server that cannot.
        credentials: ``{username: …, password: …}``, where the server wants a login.
        delivery: As of :class:`WebhookDataset`.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int = 587,
        sender: str = "",
        recipients: Sequence[str] = (),
        starttls: bool = True,
        credentials: dict[str, str] | None = None,
        **delivery: Any,
    ) -> None:
        name = f"E-mail through {host}:{port}" if host else "E-mail"
        super().__init__(name, **delivery)
        if host:
            refuse_mail_settings(name, sender, recipients, credentials)
        remember((credentials or {}).get("password"))
        self._host = host
        self._port = port
        self._sender = sender
        self._recipients = tuple(recipients)
        self._starttls = starttls
        self._credentials = credentials

    def _is_set(self) -> bool:
        return bool(self._host)

    def _send(self, message: AlertMessage) -> None:
        try:
            with BoundedSMTP(str(self._host), self._port, timeout=self._socket_seconds) as server:
                if self._starttls:
                    server.starttls(context=ssl.create_default_context())
                if self._credentials:
                    server.login(self._credentials["username"], self._credentials["password"])
                server.send_message(email_message(message, self._sender, self._recipients))
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise DeliveryError(f"recipients were refused with {codes}", lasting=min(codes) >= 500) from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"it answered {error.smtp_code}", lasting=error.smtp_code >= 500) from None
        except smtplib.SMTPNotSupportedError:
            raise DeliveryError("it offers no encryption or no login, which is asked for", lasting=True) from None
        except OSError as error:  # smtplib's other errors are of this kind too
            raise DeliveryError(f"no answer ({type(error).__name__})") from None


def slack_text(message: AlertMessage) -> str:
    """The message in Slack's markup, with its three special characters escaped."""
    lines = [f"*{_slack(message.title)}* ({message.severity})", *(f"• {_slack(line)}" for line in message.lines)]
    lines.append(f"As of {message.as_of}, version {_slack(message.version)}")
    return "\n".join([*lines, *([f"<{message.link}|Open the report>"] if message.link else [])])


def _webhook_name(url: str | None) -> str:
    """Scheme and host only: the rest of a webhook's address is its password."""
    if not url:
        return "Webhook"
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        host = None
    if not host:
        raise EvergreenError(
            "Webhook: its address does not start with http:// or https:// and a host; correct url in the catalog "
            "entry or its credentials (the address is a secret and therefore not shown)."
        )
    return f"Webhook {parts.scheme}://{host}"


class _Unlogged(threading.local):
    """Whether this thread is talking to a webhook, whose path urllib3 would write to a debug log."""

    now = False


_unlogged = _Unlogged()
logging.getLogger("urllib3.connectionpool").addFilter(lambda _: not _unlogged.now)


@contextmanager
def _addresses_unlogged() -> Iterator[None]:
    """Keep urllib3 from writing the path of every request of this thread to a debug log."""
    _unlogged.now = True
    try:
        yield
    finally:
        _unlogged.now = False


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
