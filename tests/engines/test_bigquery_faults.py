"""What BigQuery refuses is told in one sentence: Google's own client, on an emulator or a service that says no."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import bigquery_engine
import ibis
import pyarrow as pa
import pytest
from kedro.io import DatasetError
from refusing_service import estimate, key_file, refusal, service

from evergreen.datasets import BigQueryFeaturesDataset, BigQueryTableDataset
from evergreen.errors import EvergreenError

pytestmark = pytest.mark.skipif(bigquery_engine.VENV is None, reason="needs Google's client: make test-bigquery")
TABLES = "/bigquery/v2/projects/demo/datasets/dbt/tables"
JOBS = "/bigquery/v2/projects/demo/jobs"
ANONYMOUS = {"anonymous": True}


@pytest.fixture(scope="module")
def small(emulator: str) -> str:
    """The emulator, with a table of three rows."""
    client = bigquery_engine.rest_client(emulator)
    bigquery_engine.put(client, "small", {"numbers": pa.table({"number": [1, 2, 3]})})
    return emulator


def table(address: str, name: str = "sales", credentials: dict[str, Any] | None = None, **connection: Any) -> Any:
    settings = {"project": "demo", "dataset": "dbt", "api_endpoint": address, "storage_api": False, **connection}
    return BigQueryTableDataset(
        table=name, connection=settings, credentials=ANONYMOUS if credentials is None else credentials
    )


def sentence(raised: pytest.ExceptionInfo[BaseException]) -> str:
    told = str(raised.value).splitlines()[-1]
    assert "http://" not in told
    assert "PRIVATE KEY" not in str(raised.value)
    return told


def test_a_missing_table_is_named(small: str) -> None:
    with pytest.raises(DatasetError) as raised:
        table(small, "nowhere", dataset="small").load()
    assert "demo.small.nowhere" in sentence(raised)
    assert "check project, dataset, location and the table's name" in sentence(raised)


def test_a_table_that_may_be_absent_is_empty(small: str) -> None:
    settings = {"project": "demo", "dataset": "small", "api_endpoint": small, "storage_api": False}
    columns = {"retailer_id": "string", "month": "date", "margin": "float64"}
    absent = BigQueryTableDataset(table="kpis", connection=settings, credentials=ANONYMOUS, when_absent=columns).load()
    assert dict(absent.schema()) == dict(ibis.schema(columns))
    assert absent.count().execute() == 0


def test_a_missing_dataset_setting_is_named(small: str) -> None:
    with pytest.raises(DatasetError, match="no BigQuery dataset is set: name the one that dbt builds"):
        table(small, dataset=None).load()


def test_a_missing_permission_is_named() -> None:
    said = "Access Denied: Table demo:dbt.sales: Permission bigquery.tables.get denied on table demo:dbt.sales"
    with (
        service({f"GET {TABLES}": refusal(403, "accessDenied", said)}) as address,
        pytest.raises(DatasetError) as raised,
    ):
        table(address).load()
    assert "Permission bigquery.tables.get denied" in sentence(raised)
    assert "ask for a role that grants it" in sentence(raised)


def test_a_missing_permission_to_run_queries_is_named() -> None:
    said = "Access Denied: Project demo: User does not have bigquery.jobs.create permission in project demo."
    with service({f"DRY {JOBS}": refusal(403, "accessDenied", said)}) as address:
        connection = table(address).connection
        with pytest.raises(Exception, match=r"bigquery\.jobs\.create .* ask for a role that grants it"):
            connection.raw_sql("select 1")


@pytest.mark.parametrize("status", [400, 401])
def test_credentials_that_google_does_not_accept_are_named(tmp_path: Path, status: int) -> None:
    answers = {
        "POST /token": (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        if status == 400
        else (200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}),
        f"GET {TABLES}": refusal(401, "authError", "Request had invalid authentication credentials."),
    }
    with service(answers) as address, pytest.raises(DatasetError) as raised:
        table(address, credentials={"service_account_file": key_file(tmp_path, address)}).load()
    assert "BigQuery did not accept the credentials" in sentence(raised)
    assert "conf/local/credentials.yml" in sentence(raised)


def test_credentials_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(DatasetError, match=r"no usable credentials for BigQuery were found .*gcloud auth"):
        table("http://127.0.0.1:1", credentials={}).load()


def test_a_key_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text('{"private_key": "s3cret"}')
    with pytest.raises(DatasetError, match="no key file of a service account") as raised:
        table("http://127.0.0.1:1", credentials={"service_account_file": file}).load()
    assert "s3cret" not in str(raised.value)


def test_a_query_above_the_limit_is_refused_before_it_runs(small: str) -> None:
    limited = table(small, "numbers", dataset="small", max_bytes_billed=1_000_000).load()
    with pytest.raises(Exception, match=r"would read 10\.5 MB, allowed 1 MB, so it was not run: read fewer days"):
        limited.count().execute()


def test_a_query_that_bigquery_itself_stops_at_the_limit_is_told() -> None:
    said = "Query exceeded limit for bytes billed: 10000000000. 20000000000 or higher required."
    answers = {
        f"DRY {JOBS}": estimate(1000),
        f"POST {JOBS}": refusal(400, "bytesBilledLimitExceeded", said),
    }
    with service(answers) as address:
        connection = table(address).connection
        with pytest.raises(Exception, match=r"stopped a query at the limit of bytes billed .*20000000000 or higher"):
            connection.raw_sql("select 1")


def test_the_estimate_of_a_stored_table_is_one_line(small: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"project": "demo", "dataset": "small", "api_endpoint": small, "storage_api": False}
    kept = BigQueryFeaturesDataset(table="kept", connection=settings, credentials=ANONYMOUS)
    with caplog.at_level(logging.INFO, "evergreen.bigquery"):
        kept.save(BigQueryTableDataset(table="numbers", connection=settings, credentials=ANONYMOUS).load())
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "BigQuery: 10.5 MB to read from its tables (at most 10 GB a query"
    ]
    assert kept.exists()
    assert sorted(kept.load().execute()["number"]) == [1, 2, 3]


def test_rows_of_another_engine_are_not_stored(small: str, duckdb: Any) -> None:
    here = duckdb.lay({"numbers": pa.table({"number": [1]})})["numbers"]
    settings = {"project": "demo", "dataset": "small", "api_endpoint": small, "storage_api": False}
    kept = BigQueryFeaturesDataset(table="other", connection=settings, credentials=ANONYMOUS)
    with pytest.raises(DatasetError, match="its sources lie in duckdb"):
        kept.save(here)
    assert not kept.exists()


def test_settings_that_are_unknown_are_named_without_their_values() -> None:
    with pytest.raises(EvergreenError, match=r"BigQuery connection is set wrongly .*pasword") as raised:
        table("http://127.0.0.1:1", credentials={"pasword": "s3cret"})
    assert "s3cret" not in str(raised.value)
