"""Claims about receivers that mean harm, and about settings that could not work."""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc
from typing import Any

import pytest

from answering import Answer, answering, dripping, endless, silent
from evergreen.datasets.alerts.receivers import EmailDataset, WebhookDataset
from evergreen.errors import EvergreenError
from evergreen.reporting.monitoring.messages import AlertMessage

MESSAGE = AlertMessage(
    use_case="churn",
    as_of=dt.date(2026, 2, 28),
    version="7",
    title="churn: 2 columns drifted",
    severity="high",
    lines=("income: alert opened.",),
    link=None,
)

ENDLESS_HTTP = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (silent, "no whole answer within 0.5 s"),
        (dripping("HTTP/1.1 200 OK\r\nX: ", 0.05), "no whole answer within 0.5 s"),
        (endless("HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n" * 1000), "no answer (ConnectionError)"),
        (endless("", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "no whole answer within 0.5 s"),
    ],
)
def test_a_hostile_webhook_is_given_up_in_time(answer: Answer, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    with answering(answer) as port:
        channel = WebhookDataset(f"http://127.0.0.1:{port}", attempts=1, timeout_seconds=0.5)
        began = time.monotonic()
        channel.save([MESSAGE])
    assert time.monotonic() - began < 30
    assert reason in caplog.text


def test_a_webhook_that_answers_endlessly_is_not_read(caplog: pytest.LogCaptureFixture) -> None:
    with answering(endless(ENDLESS_HTTP, b"x" * 1_000_000)) as port:
        WebhookDataset(f"http://127.0.0.1:{port}", attempts=1, timeout_seconds=5).save([MESSAGE])
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("answer", "seconds", "reason"),
    [
        (silent, 0.5, "no whole answer within 0.5 s"),
        (dripping("220-", 0.05), 0.5, "no whole answer within 0.5 s"),
        (endless("", b"220-welcome\r\n" * 10_000), 60, "no answer (SMTPServerDisconnected)"),
    ],
)
def test_a_hostile_mail_server_is_given_up_in_time_and_size(
    answer: Answer, seconds: float, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracemalloc.start()
    with answering(answer) as port:
        addresses = {"sender": "a@example.org", "recipients": ["b@example.org"]}
        channel = EmailDataset("127.0.0.1", port, **addresses, attempts=1, timeout_seconds=seconds)
        began = time.monotonic()
        channel.save([MESSAGE])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - began < 30
    assert peak < 50_000_000
    assert reason in caplog.text


def test_all_messages_together_keep_to_one_deadline(caplog: pytest.LogCaptureFixture) -> None:
    with answering(silent) as port:
        times = {"timeout_seconds": 0.3, "deadline_seconds": 0.8, "backoff_seconds": 0.01}
        began = time.monotonic()
        WebhookDataset(f"http://127.0.0.1:{port}", **times).save([MESSAGE] * 20)
    assert time.monotonic() - began < 30
    assert "no time was left" in caplog.text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"sender": "a@example.org\nBcc: x@example.org"}, "is no address: one line"),
        ({"recipients": ["nobody"]}, "'nobody' is no address"),
        ({"credentials": {"username": "ann", "password": "pässwört"}}, "its password is no text of ASCII characters"),
        ({"credentials": {"password": "swordfish"}}, "its username is missing"),
        ({"credentials": {"username": "ann"}}, "its password is missing"),
    ],
)
def test_settings_with_which_no_mail_could_be_sent_are_refused_without_a_secret(
    settings: dict[str, Any], sentence: str
) -> None:
    given = {"sender": "a@example.org", "recipients": ["b@example.org"], **settings}
    with pytest.raises(EvergreenError, match=sentence) as refused:
        EmailDataset("mail.example.org", **given)
    assert "swordfish" not in str(refused.value)
    assert "pässwört" not in str(refused.value)
