"""Claims about alert channels, against real servers on this machine."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import logging
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from kedro.io import DataCatalog, DatasetError

from evergreen.datasets.alerts import delivery
from evergreen.datasets.alerts.receivers import EmailDataset, WebhookDataset
from evergreen.errors import EvergreenError
from evergreen.reporting.monitoring.messages import AlertMessage
from local_server import free_port

SECRET = "T0P-SECRET"
MESSAGE = AlertMessage(
    use_case="churn",
    as_of=dt.date(2026, 2, 28),
    version="7",
    title="churn: 2 columns drifted",
    severity="high",
    lines=("income: alert opened <now> & here.", "Retraining is asked for."),
    link="https://reports.example/churn",
)
QUIET = MESSAGE.model_copy(update={"severity": "warning", "title": "churn: a trifle"})
Answer = tuple[int, dict[str, str]]


class Webhook(HTTPServer):
    """Answers posts as told, then with 200, and keeps what it was sent."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Posts)
        self.answers = answers
        self.bodies: list[Any] = []
        self.url = f"http://user:{SECRET}@127.0.0.1:{self.server_port}/services/{SECRET}?token={SECRET}"


class _Posts(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status, headers = self.server.answers.pop(0) if self.server.answers else (200, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep the test's output quiet."""


class Mailbox(socketserver.ThreadingTCPServer):
    """A minimal SMTP server; ``refusals`` are answered to MAIL FROM before it takes mails."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, refusals: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.refusals = refusals
        self.mails: list[str] = []
        self.commands: list[str] = []


class _Smtp(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline().decode().strip():
            self.server.commands.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "DATA":
                self._data()
            elif verb == "MAIL" and self.server.refusals:
                self._say(self.server.refusals.pop(0))
            else:
                self._say({"EHLO": "250-mailbox\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}.get(verb, "250 ok"))

    def _data(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        self.server.mails.append("".join(lines))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The waits that were asked for, none of them slept."""
    asked: list[float] = []
    monkeypatch.setattr(delivery, "sleep", asked.append)
    return asked


@pytest.fixture(autouse=True)
def everything_is_logged(caplog) -> None:
    caplog.set_level(logging.DEBUG)


def warnings(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_message_is_posted_as_json_with_all_its_fields(waits, caplog):
    with running(Webhook([])) as server:
        WebhookDataset(credentials={"url": server.url}).save([MESSAGE])
    assert [AlertMessage(**body) for body in server.bodies] == [MESSAGE]
    assert waits == []
    assert warnings(caplog) == []
    assert SECRET not in caplog.text


def test_slack_gets_one_text_with_its_special_characters_escaped(waits):
    with running(Webhook([])) as server:
        WebhookDataset(url=server.url, format="slack").save([MESSAGE])
    (body,) = server.bodies
    assert list(body) == ["text"]
    assert body["text"].splitlines() == [
        "*churn: 2 columns drifted* (high)",
        "• income: alert opened &lt;now&gt; &amp; here.",
        "• Retraining is asked for.",
        "As of 2026-02-28, version 7",
        "<https://reports.example/churn|Open the report>",
    ]


def test_only_messages_of_the_chosen_severity_are_sent(waits):
    with running(Webhook([])) as server:
        WebhookDataset(url=server.url).save([QUIET, MESSAGE])
        WebhookDataset(url=server.url, min_severity="warning").save([QUIET])
        WebhookDataset(url=server.url, min_severity="critical").save([QUIET, MESSAGE])
    assert [body["title"] for body in server.bodies] == [MESSAGE.title, QUIET.title]


def test_a_server_fault_is_tried_again_with_growing_waits(waits, caplog):
    with running(Webhook([(500, {}), (503, {}), (502, {})])) as server:
        WebhookDataset(url=server.url, backoff_seconds=0.5).save([MESSAGE])
    assert len(server.bodies) == 4
    assert waits == [0.5, 1.0, 2.0]
    assert warnings(caplog) == []


def test_retry_after_is_honoured_as_a_number_and_as_a_date(waits):
    soon = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30), usegmt=True)
    answers = [(429, {"Retry-After": "7"}), (503, {"Retry-After": soon}), (429, {"Retry-After": "later"})]
    with running(Webhook(answers)) as server:
        WebhookDataset(url=server.url).save([MESSAGE])
    assert len(server.bodies) == 4
    assert waits[0] == 7
    assert 25 < waits[1] <= 30
    assert waits[2] == 4


def test_a_channel_that_asks_for_a_long_wait_does_not_hold_the_run_up(waits, caplog):
    with running(Webhook([(429, {"Retry-After": "3600"})])) as server:
        WebhookDataset(url=server.url).save([MESSAGE])
    assert len(server.bodies) == 1
    assert waits == []
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("answer", [(404, {}), (400, {}), (302, {"Location": "http://127.0.0.1:9/"})])
def test_a_refusal_is_not_tried_again_and_not_followed(answer, waits, caplog):
    with running(Webhook([answer])) as server:
        WebhookDataset(url=server.url).save([MESSAGE])
    assert len(server.bodies) == 1
    (told,) = warnings(caplog)
    assert told == (f"Webhook http://127.0.0.1 did not take an alert after 1 of 4 attempts: it answered {answer[0]}.")


def test_a_webhook_that_is_down_costs_one_warning_without_its_secret(waits, caplog):
    url = f"http://127.0.0.1:{free_port()}/services/{SECRET}"
    WebhookDataset(url=url, attempts=3).save([MESSAGE])
    assert waits == [1, 2]
    (told,) = warnings(caplog)
    assert told.startswith("Webhook http://127.0.0.1 did not take an alert after 3 of 3 attempts: no answer")
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", [f"htp://{SECRET}", f"not an address {SECRET}", f"http://[{SECRET}/x", "http:///x"])
def test_an_address_that_makes_no_sense_is_told_at_once_without_it(url):
    with pytest.raises(EvergreenError, match="does not start with http:// or https:// and a host") as fault:
        WebhookDataset(url=url)
    assert SECRET not in str(fault.value)


def test_a_slow_webhook_is_left_after_the_timeout(waits, caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{SECRET}"
        WebhookDataset(url=url, attempts=2, timeout_seconds=0.1).save([MESSAGE])
    (told,) = warnings(caplog)
    assert "no whole answer within 0.1 s" in told


def test_secrets_show_neither_in_the_description_nor_in_the_catalog(waits, caplog):
    catalog = DataCatalog.from_config(
        {
            "hook": {"type": "evergreen.datasets.alerts.receivers.WebhookDataset", "credentials": "hook"},
            "mail": {
                "type": "evergreen.datasets.alerts.receivers.EmailDataset", "host": "127.0.0.1", "port": free_port(),
                "sender": "a@x.example", "recipients": ["b@x.example"], "credentials": "smtp", "attempts": 1,
            },
        },
        credentials={
            "hook": {"url": f"http://127.0.0.1:{free_port()}/{SECRET}"},
            "smtp": {"username": "me", "password": SECRET},
        },
    )  # fmt: skip
    for name in ("hook", "mail"):
        catalog[name].save([MESSAGE])
        assert SECRET not in repr(catalog[name])
    assert len(warnings(caplog)) == 2
    assert SECRET not in caplog.text


def test_an_unset_channel_does_nothing(waits, caplog):
    WebhookDataset(url=None).save([MESSAGE])
    EmailDataset(host=None).save([MESSAGE])
    assert warnings(caplog) == []


@pytest.mark.parametrize("channel", [WebhookDataset(), EmailDataset()])
def test_a_channel_cannot_be_loaded(channel):
    with pytest.raises(DatasetError, match=r"can be saved to and not loaded; read monitoring\.json instead"):
        channel.load()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WebhookDataset(min_severity="loud"), "min_severity is loud, allowed: none, info"),
        (lambda: WebhookDataset(format="xml"), "format is xml, allowed are json and slack"),
        (lambda: EmailDataset(host="mail"), "sender or recipients are missing"),
    ],
)
def test_a_wrong_setting_is_told_at_once(make, words):
    with pytest.raises(EvergreenError, match=words):
        make()


def mail_channel(server: Mailbox, **changes: Any) -> EmailDataset:
    settings: dict[str, Any] = {"sender": "evergreen@x.example", "recipients": ["a@x.example", "b@x.example"]}
    port = server.server_address[1]
    return EmailDataset(host="127.0.0.1", port=port, starttls=False, **{**settings, **changes})


def test_a_message_arrives_as_mail_at_every_recipient(waits, caplog):
    odd = MESSAGE.model_copy(update={"title": "churn: column 'a\r\nBcc: x@evil.example' – größer"})
    with running(Mailbox([])) as server:
        mail_channel(server).save([odd])
    (raw,) = server.mails
    mail = email.message_from_string(raw, policy=email.policy.default)
    assert mail["To"] == "a@x.example, b@x.example"
    assert mail["Subject"] == "[high] churn: column 'a Bcc: x@evil.example' – größer"
    assert mail["Bcc"] is None
    assert [line for line in MESSAGE.lines if line not in mail.get_content()] == []
    assert "https://reports.example/churn" in mail.get_content()
    assert sum(command.upper().startswith("RCPT") for command in server.commands) == 2
    assert warnings(caplog) == []


def test_a_busy_mail_server_is_tried_again_and_a_refusing_one_is_not(waits, caplog):
    with running(Mailbox(["451 try later"])) as server:
        mail_channel(server).save([MESSAGE])
        assert len(server.mails) == 1
        assert waits == [1]
        server.refusals.append("550 go away")
        mail_channel(server).save([MESSAGE])
        assert len(server.mails) == 1
    (told,) = warnings(caplog)
    assert "after 1 of 4 attempts: it answered 550." in told


def test_a_mail_server_without_encryption_is_sent_no_password(waits, caplog):
    with running(Mailbox([])) as server:
        mail_channel(server, credentials={"username": "me", "password": SECRET}).save([MESSAGE])
        assert len(server.mails) == 1
        server.commands.clear()
        EmailDataset(
            host="127.0.0.1", port=server.server_address[1], sender="a@x.example", recipients=["b@x.example"],
            credentials={"username": "me", "password": SECRET},
        ).save([MESSAGE])  # fmt: skip
    assert len(server.mails) == 1
    assert not [command for command in server.commands if command.upper().startswith(("AUTH", "MAIL"))]
    (told,) = warnings(caplog)
    assert "offers no encryption" in told
    assert SECRET not in caplog.text


def test_a_mail_server_that_is_down_costs_one_warning(waits, caplog):
    port = free_port()
    EmailDataset(host="127.0.0.1", port=port, sender="a@x.example", recipients=["b@x.example"]).save([MESSAGE])
    assert waits == [1, 2, 4]
    (told,) = warnings(caplog)
    assert told.startswith(f"E-mail through 127.0.0.1:{port} did not take an alert after 4 of 4 attempts: no answer")
