"""Claims about an MLflow server that is not simply absent: one sentence, in time, and nothing run."""

from __future__ import annotations

import os
import time

import pytest

from answering import Answer, answering, dripping, endless, http, silent
from evergreen.configuration import ConfigLoader
from evergreen.errors import EvergreenError
from evergreen.mlflow_setup import ask_database, ask_server
from evergreen.redaction import redact
from tests_support import ROOT

SECONDS = 1.0
ENDLESS = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (silent, "gave no whole answer within 1 s"),
        (dripping(ENDLESS, 0.05), "gave no whole answer within 1 s"),
        (endless(ENDLESS, b" " * 65_536), "answered 200, not in MLflow's words"),
        (http("500 Internal Server Error", '{"error_code": "INTERNAL_ERROR"}'), "answered 500:"),
        (http("503 Service Unavailable", "busy", "text/plain"), "answered 503, not in MLflow's words"),
        (http("200 OK", "<html>Welcome</html>", "text/html"), "answered 200, not in MLflow's words"),
        (http("200 OK", "{}"), "answered 200, not in MLflow's words"),
        (http("401 Unauthorized", "no"), r"refused the login \(it answered 401\)"),
        (http("302 Found", "", more="Location: http://127.0.0.1:9/\r\n"), "is out of reach"),
    ],
)
def test_a_server_that_does_not_answer_as_mlflow_does_is_named_with_its_answer(answer: Answer, sentence: str) -> None:
    began = time.monotonic()
    with answering(answer) as port, pytest.raises(EvergreenError, match=sentence) as refused:
        ask_server(f"http://127.0.0.1:{port}", "evergreen", SECONDS)
    assert time.monotonic() - began < SECONDS + 5
    assert f"MLflow at http://127.0.0.1:{port} " in str(refused.value)
    assert "nothing was run" in str(refused.value)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "http://no.such.host.invalid", "http://127.0.0.1:port"])
def test_a_server_that_is_not_there_is_out_of_reach(uri: str) -> None:
    with pytest.raises(EvergreenError, match=r"is out of reach .*: nothing was run"):
        ask_server(uri, "evergreen", 10)


def test_a_server_that_knows_the_experiment_is_ready() -> None:
    with answering(http("200 OK", '{"experiment": {"experiment_id": "1"}}')) as port:
        ask_server(f"http://127.0.0.1:{port}", "evergreen", 10)


def test_a_silent_database_is_given_up_in_time_without_its_password() -> None:
    pytest.importorskip("psycopg")
    began = time.monotonic()
    with answering(silent) as port, pytest.raises(EvergreenError, match="gave no whole answer within 1 s") as refused:
        ask_database(f"postgresql://ann:sw%40rdfish@127.0.0.1:{port}/mlflow", SECONDS)
    assert time.monotonic() - began < SECONDS + 5
    assert f"MLflow's database postgresql://127.0.0.1:{port}/mlflow" in str(refused.value)
    assert redact("ann sw@rdfish sw%40rdfish") == "ann [hidden] [hidden]"


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("postgresql://ann:sw%40rdfish@127.0.0.1:9/mlflow", "is out of reach .*refused.*: nothing was run"),
        ("mysql+no_such_driver://ann:sw%40rdfish@host/mlflow", "nothing was run"),
    ],
)
def test_a_database_that_is_not_there_is_out_of_reach(uri: str, sentence: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(EvergreenError, match=sentence) as refused:
        ask_database(uri, 10)
    assert "rdfish" not in str(refused.value)


@pytest.mark.parametrize("written", ["p@s/s%w", "p%40s%2Fs%25w"])
def test_the_login_of_an_address_goes_where_mlflow_reads_it(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "former")
    monkeypatch.setattr(
        ConfigLoader.__mro__[1],
        "__getitem__",
        lambda *_: {"server": {"mlflow_tracking_uri": f"http://ann:{written}@host:5000"}},
    )
    read = ConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="local")["mlflow"]
    assert read["server"]["mlflow_tracking_uri"] == "http://host:5000"
    assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == ("ann", "p@s/s%w")
