"""Claims about secrets: none is written, however it is quoted."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from evergreen import quiet, redaction
from evergreen.redaction import redact, remember, remember_configuration


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())


@pytest.mark.parametrize("password", ["secret", "p@ss", "a/b/c", "50%off", "p@s/s%40w:rd"])
@pytest.mark.parametrize("scheme", ["http", "postgresql", "s3"])
def test_the_login_of_an_address_is_taken_out(password: str, scheme: str) -> None:
    assert redact(f"no answer from {scheme}://ann:{password}@host:5000/path") == (
        f"no answer from {scheme}://host:5000/path"
    )


def test_an_address_without_login_stays() -> None:
    text = "MLflow at http://127.0.0.1:5000/x, written to ann@example.org"
    assert redact(text) == text


@pytest.mark.parametrize(
    "written", ["pä@s/s%w&rd", "p%C3%A4%40s%2Fs%25w%26rd", "pä@s/s%w&amp;rd", "p\\u00e4@s/s%w&rd", "cMOkQHMvcyV3JnJk"]
)
def test_a_known_secret_is_taken_out_in_every_form(written: str) -> None:
    remember("pä@s/s%w&rd")
    assert written not in redact(f"it said {written}!")


@pytest.mark.parametrize(
    ("credentials", "block", "secret"),
    [
        ({"webhook": {"url": "https://hooks.example/T0/B0/xyz"}}, {}, "https://hooks.example/T0/B0/xyz"),
        ({"smtp": {"username": "ann", "password": "swordfish"}}, {}, "swordfish"),
        ({"power_bi": {"client_secret": "s3cr3t-value"}}, {}, "s3cr3t-value"),
        ({"bucket": {"key": "AKIA123", "client_kwargs": {"secret": "hidden-key"}}}, {}, "hidden-key"),
        ({}, {"connection": {"backend": "postgres", "password": "swordfish"}}, "swordfish"),
    ],
)
def test_configuration_tells_what_is_secret(credentials: dict, block: dict, secret: str) -> None:
    remember_configuration(credentials, block)
    assert secret not in redact(f"it said {secret}")


def test_the_environment_tells_what_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")
    remember_configuration({"smtp": {"username": "johanna"}})
    assert redact("johanna said hidden-key") == "johanna said [hidden]"


@pytest.fixture
def _records() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    quiet.init()
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.usefixtures("_records")
def test_no_line_of_a_log_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    remember("swordfish")
    try:
        int("swordfish")
    except ValueError:
        logging.getLogger("any").exception("sent %s", "http://ann:hunter2@host")
    assert "swordfish" not in caplog.text
    assert "hunter2" not in caplog.text
    assert "http://host" in caplog.text
