"""Claims about tables from Power BI, against a local service that speaks the documented protocol over TLS."""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
import sys
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError

from evergreen.datasets import PowerBIDataset
from evergreen.datasets.power_bi import semantic_model
from evergreen.errors import EvergreenError
from power_bi_service import (
    CLIENT,
    GROUP,
    MODEL,
    PATH,
    SECRET,
    TENANT,
    Answer,
    PowerBIService,
    dax_failure,
    result,
    serving,
)

ROWS = [
    {"KPI[Retailer]": "R01", "KPI[Month]": "2026-01-01T00:00:00", "[Target]": 120000, "[Margin]": 0.21},
    {"KPI[Retailer]": "R02", "KPI[Month]": "2026-01-01T00:00:00", "[Target]": 90000.5, "[Margin]": None},
]
COLUMNS = {"KPI[Retailer]": "retailer_id", "KPI[Month]": "month", "[Target]": "sales_target", "[Margin]": "margin"}
TYPES = {"retailer_id": "string", "month": "date", "sales_target": "float64", "margin": "float64"}
QUERY = "EVALUATE SUMMARIZECOLUMNS('KPI'[Retailer], 'KPI'[Month], \"Target\", [Sales Target], \"Margin\", [Margin])"
CONNECTION = {"backend": "duckdb", "database": ":memory:"}
CREDENTIALS = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}


def entry(server: PowerBIService, folder: Path, **more: Any) -> PowerBIDataset:
    service = {"api": server.url, "authority": server.url, "ca_bundle": str(server.certificate), "max_wait_seconds": 5}
    settings = {"columns": COLUMNS, "types": TYPES, "group": GROUP, "dataset": MODEL, "query": QUERY} | more
    settings["service"] = service | more.get("service", {})
    filepath = str(folder / "raw" / "kpis.parquet")
    return PowerBIDataset(**{"filepath": filepath, "connection": CONNECTION, "credentials": CREDENTIALS} | settings)


def refusal(dataset: PowerBIDataset) -> str:
    """The one sentence of a load that fails."""
    with pytest.raises(DatasetError) as raised:
        dataset.load()
    assert isinstance(raised.value.__cause__, EvergreenError)
    told = str(raised.value.__cause__)
    assert "\n" not in told
    assert told.endswith(".")
    return told


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the dataset would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(semantic_model, "sleep", slept.append)
    return slept


def test_a_query_becomes_a_table_with_plain_names_and_declared_types(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS)) as server:
        table = entry(server, tmp_path).load()
        assert dict(table.schema().items()) == {name: ibis.dtype(kind) for name, kind in TYPES.items()}
        assert table.order_by("retailer_id").to_pyarrow().to_pylist() == [
            {"retailer_id": "R01", "month": dt.date(2026, 1, 1), "sales_target": 120000.0, "margin": 0.21},
            {"retailer_id": "R02", "month": dt.date(2026, 1, 1), "sales_target": 90000.5, "margin": None},
        ]
        assert server.paths == [PATH]
        assert server.questions == [{"queries": [{"query": QUERY}], "serializerSettings": {"includeNulls": True}}]


def test_the_table_joins_tables_of_the_same_connection(tmp_path: Path) -> None:
    from evergreen.datasets import LakeDataset

    pd.DataFrame({"retailer_id": ["R01", "R01", "R03"]}).to_parquet(tmp_path / "sales.parquet")
    with serving(tmp_path, result(ROWS)) as server:
        sales = LakeDataset(lake=str(tmp_path), table="sales", connection=CONNECTION).load()
        joined = sales.inner_join(entry(server, tmp_path).load(), "retailer_id")
        assert joined.count().to_pyarrow().as_py() == 2


def test_without_a_mapping_names_lose_table_and_brackets(tmp_path: Path) -> None:
    rows = [{"KPI[Retailer]": "R01", "Dim Date[Month]": 1, "[Target]": 5}]
    with serving(tmp_path, result(rows)) as server:
        assert entry(server, tmp_path, columns=None, types=None).load().columns == ("Retailer", "Month", "Target")
        server.answers = [result([{"A[Id]": 1, "B[Id]": 2}])]
        twice = entry(server, tmp_path, columns=None, types=None, query="EVALUATE B")
        assert "several columns of the result are called Id" in refusal(twice)


def test_a_model_may_be_asked_for_without_its_group(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS)) as server:
        entry(server, tmp_path, group=None).load()
        assert server.paths == [f"/v1.0/myorg/datasets/{MODEL}/executeQueries"]


def test_an_answer_is_kept_until_it_is_too_old_or_the_question_changes(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS)) as server:
        for _ in range(2):
            entry(server, tmp_path).load()
        assert len(server.questions) == 1
        entry(server, tmp_path, query="EVALUATE KPI").load()
        assert len(server.questions) == 2
        entry(server, tmp_path, query="EVALUATE KPI", max_age_hours=0).load()
        assert len(server.questions) == 3
        assert [file.name for file in (tmp_path / "raw").iterdir()] == ["kpis.parquet"]


def test_a_failing_service_leaves_the_former_file(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS), dax_failure("no")) as server:
        entry(server, tmp_path).load()
        before = (tmp_path / "raw" / "kpis.parquet").read_bytes()
        refusal(entry(server, tmp_path, max_age_hours=0))
        assert (tmp_path / "raw" / "kpis.parquet").read_bytes() == before
        assert entry(server, tmp_path).load().count().to_pyarrow().as_py() == 2


def test_an_expired_token_is_renewed_once(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS)) as server:
        dataset = entry(server, tmp_path, max_age_hours=0)
        dataset.load()
        server.revoked.update(server.tokens)
        assert dataset.load().count().to_pyarrow().as_py() == 2
        assert len(server.tokens) == 2


def test_a_token_that_is_never_accepted_is_told_after_one_renewal(tmp_path: Path) -> None:
    denied = Answer(401, {"error": {"code": "PowerBINotAuthorizedException"}})
    with serving(tmp_path, denied) as server:
        told = refusal(entry(server, tmp_path))
        assert "refuses the token, a renewed one too (401: PowerBINotAuthorizedException)" in told
        assert len(server.tokens) == len(server.questions) == 2


def test_a_refused_principal_is_told_without_its_secret(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS)) as server:
        wrong = "wrong-S3CR3T-of-somebody"
        told = refusal(entry(server, tmp_path, credentials=CREDENTIALS | {"client_secret": wrong}))
        assert f"gave no token to application {CLIENT}" in told
        assert "invalid_client: AADSTS7000215: Invalid client secret provided: ***" in told
        assert wrong not in told
        unknown = refusal(entry(server, tmp_path, credentials=CREDENTIALS | {"tenant_id": "nobody"}))
        assert "of tenant nobody" in unknown
        assert server.questions == []


@pytest.mark.parametrize("wanted", ["3", "date"])
def test_throttling_is_waited_out_as_long_as_the_service_asks(tmp_path: Path, waits: list[float], wanted: str) -> None:
    header = wanted if wanted != "date" else format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=4))
    throttled = Answer(429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": header})
    with serving(tmp_path, throttled, throttled, result(ROWS)) as server:
        assert entry(server, tmp_path).load().count().to_pyarrow().as_py() == 2
    assert len(waits) == 2
    assert all(2 < seconds <= 4 for seconds in waits)
    assert len(server.tokens) == 1


def test_real_waiting_takes_as_long_as_told(tmp_path: Path) -> None:
    throttled = Answer(429, {}, {"Retry-After": "1"})
    with serving(tmp_path, throttled, result(ROWS)) as server:
        began = dt.datetime.now(dt.UTC)
        entry(server, tmp_path).load()
        assert dt.datetime.now(dt.UTC) - began >= dt.timedelta(seconds=1)


def test_waiting_is_bounded_in_length_and_number(tmp_path: Path, waits: list[float]) -> None:
    with serving(tmp_path, Answer(429, {}, {"Retry-After": "3600"})) as server:
        told = refusal(entry(server, tmp_path))
        assert "it answered 429 and asks for 3,600 s, allowed are 4 attempts and 5 s of waiting" in told
        assert waits == []
        server.answers = [Answer(503, "busy")]
        assert "it answered 503" in refusal(entry(server, tmp_path))
        assert waits == [1, 2, 4]


def test_a_service_that_is_away_is_told_after_all_attempts(tmp_path: Path, waits: list[float]) -> None:
    with serving(tmp_path, result(ROWS)) as server:
        dataset = entry(server, tmp_path, service={"api": "https://127.0.0.1:1"})
        assert "it gave no answer (ConnectionError)" in refusal(dataset)
        assert len(waits) == 3
        away = refusal(entry(server, tmp_path, service={"authority": "https://127.0.0.1:1"}))
        assert "https://127.0.0.1:1 gave no token" in away


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            dax_failure("Query (1, 15) Cannot find table 'KPIs'."),
            "refuses the query (400: DatasetExecuteQueriesError: Query (1, 15) Cannot find table 'KPIs'.: "
            "AnalysisServicesErrorCode 3241803789); correct the DAX",
        ),
        (Answer(403, ""), "forbids the query (403); give the service principal read and build permission"),
        (
            Answer(404, {"error": {"code": "PowerBIEntityNotFound", "message": "gone"}}),
            "is not found (404: PowerBIEntityNotFound: gone); correct dataset and group",
        ),
        (Answer(200, "<html>"), "something that is not JSON"),
    ],
)
def test_a_refused_query_is_one_sentence_in_the_services_own_words(tmp_path: Path, answer: Answer, told: str) -> None:
    with serving(tmp_path, answer) as server:
        assert told in refusal(entry(server, tmp_path))
        assert len(server.questions) == 1


ROW_LIMIT = {"code": "RowLimit", "message": "More than 100000 rows in a query result"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (result(ROWS, ROW_LIMIT), "More than 100000 rows in a query result): 2 rows with 8 values came"),
        (Answer(200, {"results": [{"tables": [{"rows": ROWS}], "error": ROW_LIMIT}]}), "More than 100000 rows"),
        (Answer(200, {"results": [{"tables": [{"rows": ROWS, "error": ROW_LIMIT}]}]}), "More than 100000 rows"),
        (result([{"[a]": 1}] * 100_000), "the answer ends at a limit): 100,000 rows with 100,000 values"),
        (result([{f"[{i}]": 0 for i in range(20)}] * 50_000), "50,000 rows with 1,000,000 values"),
        (result([{"[a]": "x" * 8_000}] * 2_000), "2,000 rows with 2,000 values came"),
    ],
    ids=["answer", "result", "table", "rows", "values", "bytes"],
)
def test_a_result_that_was_cut_off_is_refused_and_not_kept(tmp_path: Path, answer: Answer, told: str) -> None:
    with serving(tmp_path, answer) as server:
        sentence = refusal(entry(server, tmp_path, columns=None, types=None))
        assert told in sentence
        assert "100,000 rows, 1,000,000 values and 15 MB a query" in sentence
        assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("more", "answer", "told"),
    [
        ({}, result([]), "the query gave no row, allowed is 1 or more"),
        ({"columns": {"[Targt]": "target"}}, result(ROWS), "no column '[Targt]': did you mean '[Target]'?"),
        ({"types": {"sales_target": "date"}}, result(ROWS), "column 'sales_target' holds values that are no date32"),
        ({"columns": None, "types": None}, result([{"[a]": 1}, {"[a]": "x"}]), "column 'a' holds values that are no"),
    ],
)
def test_a_result_of_another_shape_is_told(tmp_path: Path, more: dict[str, Any], answer: Answer, told: str) -> None:
    with serving(tmp_path, answer) as server:
        assert told in refusal(entry(server, tmp_path, **more))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"credentials": {"tenant_id": "t"}}, "the credentials lack client_id, client_secret"),
        ({"service": {"url": "x"}}, "service has no field url"),
        ({"service": {"api": "http://api.example"}}, "api is http://api.example, allowed are addresses that start"),
        ({"types": {"month": "dates"}}, "the type of 'month' is 'dates'"),
        ({"columns": {"[a]": "x", "[b]": "x"}}, "several columns of the result are called x"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_in_words(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    settings = {"filepath": str(tmp_path / "x"), "dataset": MODEL, "query": QUERY, "credentials": CREDENTIALS} | change
    with pytest.raises(EvergreenError) as raised:
        PowerBIDataset(**settings)
    assert told in str(raised.value)


def test_saving_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, result(ROWS)) as server, pytest.raises(DatasetError, match="is a source"):
        entry(server, tmp_path).save("rows")


def test_no_secret_and_no_token_reaches_a_log_an_error_or_a_text_form(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], waits: list[float]
) -> None:
    """Everything that may be said is said: debug logs of all libraries, a renewal, waits, echoes in errors."""
    caplog.set_level(logging.DEBUG)
    for name in ("msal", "urllib3", "requests", "kedro", "evergreen"):
        caplog.set_level(logging.DEBUG, logger=name)
    said: list[str] = []
    throttled = Answer(429, {}, {"Retry-After": "1"})
    with serving(tmp_path, throttled, result(ROWS)) as server:
        dataset = entry(server, tmp_path, max_age_hours=0)
        dataset.load()
        server.revoked.update(server.tokens)
        dataset.load()
        echo = f"you sent {server.tokens[-1]} and {SECRET}"
        server.answers = [dax_failure(echo)]
        said.append(refusal(dataset))
        server.answers = [result(ROWS, {"code": "Limit", "message": echo})]
        said.append(refusal(dataset))
        said += [str(dataset), repr(dataset), repr(dataset._model), str(vars(dataset._model)["_principal"])]
        catalog = DataCatalog({"kpis": dataset})
        said += [str(catalog), repr(catalog["kpis"])]
        with pytest.raises(DatasetError) as raised:
            dataset.load()
        said.append(str(raised.value))
    printed = capfd.readouterr()
    logged = [record.getMessage() + str(record.args) for record in caplog.records]
    names = {record.name.split(".")[0] for record in caplog.records}
    assert {"msal", "urllib3", "evergreen"} <= names
    everything = "\n".join([*said, *logged, caplog.text, printed.out, printed.err])
    assert len(server.tokens) == 2
    for secret in (SECRET, *server.tokens):
        assert secret not in everything


def test_msal_is_imported_by_the_first_question_alone() -> None:
    code = "import sys, evergreen.datasets; sys.exit('msal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
