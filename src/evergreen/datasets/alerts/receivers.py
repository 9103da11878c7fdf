"""The alert channels that come with the project: a webhook and e-mail."""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from evergreen.datasets.alerts.channel import AlertChannel
from evergreen.datasets.alerts.delivery import DeliveryError, requested_wait
from evergreen.datasets.alerts.mail import BoundedSMTP, email_message, refuse_mail_settings
from evergreen.errors import EvergreenError
from evergreen.redaction import remember
from evergreen.reporting.monitoring.messages import AlertMessage

TOO_MANY_REQUESTS = 429


class WebhookDataset(AlertChannel):
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

    def is_set(self) -> bool:
        """Whether the catalog names a receiver."""
        return bool(self._url)

    def send(self, message: AlertMessage) -> None:
        """Send one message, once; raises ``DeliveryError``."""
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


class EmailDataset(AlertChannel):
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

    def is_set(self) -> bool:
        """Whether the catalog names a receiver."""
        return bool(self._host)

    def send(self, message: AlertMessage) -> None:
        """Send one message, once; raises ``DeliveryError``."""
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
