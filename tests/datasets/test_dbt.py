"""Claims about what dbt's artefacts say of source tables, on artefacts as small as they can be."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

import pytest

from dbt_target import ENTRY, FACT, NOT_NULL, NOW, SOURCE, STAGING, UNIQUE, Target, declared_test, node
from evergreen.datasets.dbt import find_table, read_artefacts, write_exposures
from evergreen.datasets.dbt.exposures import HEADER, reference
from evergreen.errors import EvergreenError
from tests_support import Project

pytestmark = pytest.mark.slow


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


def test_a_table_that_dbt_built_tested_and_found_fresh_passes(target: Target) -> None:
    target.check()


def test_a_dropped_and_a_retyped_column_are_reported_as_the_contract_tells_them(target: Target) -> None:
    target.types = {"sales_id": "BIGINT", "amount": "DOUBLE", "date_key": "BOOLEAN"}
    assert target.breaches() == [
        f"{ENTRY}.sales_amount fails missing_column: no such column, allowed one; rename amount.",
        f"{ENTRY}.date_key fails column_type: type boolean, allowed a date, a timestamp, a number yyyymmdd or "
        "ISO text; cast it in the source.",
    ]


@pytest.mark.parametrize(
    ("adapter", "good", "bad"),
    [
        ("bigquery", {"sales_id": "INT64", "sales_amount": "NUMERIC(10, 2)", "date_key": "TIMESTAMP"}, "STRING"),
        ("snowflake", {"sales_id": "NUMBER", "sales_amount": "FLOAT", "date_key": "TIMESTAMP_NTZ"}, "TEXT"),
        ("postgres", {"sales_id": "bigint", "sales_amount": "double precision", "date_key": "date"}, "text"),
        ("redshift", {"sales_id": "character varying(9)", "sales_amount": "numeric(9,2)", "date_key": "date"}, "text"),
        ("databricks", {"sales_id": "string", "sales_amount": "decimal(10,2)", "date_key": "timestamp"}, "string"),
    ],
)
def test_types_are_read_in_the_words_of_the_warehouse(
    target: Target, adapter: str, good: dict[str, str], bad: str
) -> None:
    target.metadata["adapter_type"] = adapter
    target.types = good
    target.check()
    target.types = {**good, "sales_amount": bad}
    (sentence,) = target.breaches()
    assert "sales_amount fails column_type: type string, allowed numbers" in sentence


def test_a_type_that_nobody_can_read_is_said_and_not_judged(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    target.types |= {"sales_amount": "MONEY(("}
    with caplog.at_level(logging.INFO, "evergreen"):
        target.check()
    assert "the types of fact_sales are foreign and not checked: sales_amount." in caplog.text


def test_a_failed_test_is_named_with_what_dbt_says_of_it_wherever_upstream_it_is(target: Target) -> None:
    target.outcomes |= {NOT_NULL: "fail", FACT: "skipped", UNIQUE: "skipped"}
    target.messages = {NOT_NULL: "Got 3 results,\n  configured to fail if != 0"}
    assert target.breaches() == [
        f"{ENTRY} fails dbt_test: not_null_stg_sales_id ended with fail (Got 3 results, configured to fail if != 0), "
        "allowed pass; repair the rows or the test, then run `dbt build`."
    ]


def test_a_model_upstream_that_broke_is_named(target: Target) -> None:
    target.outcomes |= {STAGING: "error", FACT: "skipped", NOT_NULL: "skipped", UNIQUE: "skipped"}
    target.messages = {STAGING: "Binder Error: no column"}
    (sentence,) = target.breaches()
    assert sentence.startswith(f"{ENTRY} fails dbt_build: stg_sales ended with error (Binder Error: no column)")


def test_a_test_of_another_table_that_looks_at_this_one_is_not_held_against_it(target: Target) -> None:
    returns, matched = "model.shop.returns", "test.shop.relationships_returns_sales.3"
    target.nodes += [node(returns), {**declared_test(matched, returns), "depends_on": {"nodes": [FACT, returns]}}]
    target.outcomes |= {matched: "fail"}
    target.check()


def test_a_test_that_only_warns_is_logged(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    target.outcomes |= {UNIQUE: "warn"}
    target.messages = {UNIQUE: "Got 1 result"}
    target.check()
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "dbt: unique_fact_sales_id: warn (Got 1 result)"
    ]


def test_docs_generate_that_overwrote_the_results_of_tests_does_not_pass_for_success(target: Target) -> None:
    target.command = "generate"
    target.outcomes |= {NOT_NULL: "success", UNIQUE: "success"}
    (sentence,) = target.breaches()
    assert "none of its 2 tests has a result in run_results.json, which `dbt generate` wrote" in sentence


def test_tests_without_any_results_do_not_pass_for_success(target: Target) -> None:
    (sentence,) = target.breaches(leave_out=["run_results"])
    assert "none of its 2 tests has a result in run_results.json, which is missing" in sentence


def test_a_stale_source_is_told_with_its_age_and_its_limit(target: Target) -> None:
    target.look |= {"status": "error", "max_loaded_at": "2026-02-20T05:00:00+00:00"}
    assert target.breaches() == [
        f"{ENTRY} fails dbt_freshness: source till.sales was loaded last on 2026-02-20 at 05:00 UTC, allowed 1 day; "
        "load it, then run `dbt source freshness`."
    ]


def test_what_was_fresh_when_dbt_looked_long_ago_is_stale(target: Target) -> None:
    target.check(now=NOW + dt.timedelta(hours=16))
    (sentence,) = target.breaches(now=NOW + dt.timedelta(hours=18))
    assert "which was fresh then and is not any more" in sentence


def test_a_source_that_dbt_could_not_look_at_is_not_fresh(target: Target) -> None:
    target.look = {"status": "runtime error", "error": "no such file"}
    (sentence,) = target.breaches()
    assert "source till.sales could not be looked at (no such file)" in sentence


def test_a_source_that_only_warns_is_logged(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    target.look |= {"status": "warn"}
    target.check()
    assert "dbt: source till.sales grows old: it was loaded last on 2026-03-01 at 05:00 UTC" in caplog.text


def test_files_that_dbt_has_not_written_are_said_and_tolerated(
    target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "evergreen"):
        target.check(leave_out=["catalog", "sources"])
    assert "no catalog.json, so columns and types are not checked" in caplog.text
    assert "no sources.json, so freshness is not checked" in caplog.text


def test_a_table_that_is_declared_but_not_built_is_told(target: Target) -> None:
    target.nodes.append(node("model.shop.sales_of_tomorrow"))
    (sentence,) = target.breaches(models={"fact_sales": "sales_of_tomorrow"})
    assert "sales_of_tomorrow is in the manifest, but not in catalog.json" in sentence


@pytest.mark.parametrize("name", ["sales", "till.sales", "raw_sales", SOURCE])
def test_a_table_may_be_a_source_of_dbt(target: Target, name: str) -> None:
    assert find_table(read_artefacts(target.write()).manifest, ENTRY, name).unique_id == SOURCE


def test_a_table_that_dbt_does_not_know_is_told_with_the_closest_name(target: Target) -> None:
    (sentence,) = target.breaches(models={"fact_sales": "fct_sales"})
    assert sentence.startswith(
        f"{ENTRY}: dbt's manifest has no model, seed, snapshot or source fct_sales (is it fact_sales?)"
    )


def test_a_table_that_dbt_does_not_build_is_not_asked_for(target: Target) -> None:
    target.outcomes |= {UNIQUE: "fail"}
    target.check(models={"fact_sales": None})
    target.check(models={ENTRY: None, "fact_sales": "fact_sales"})


def test_a_table_is_found_under_its_name_in_the_warehouse(target: Target) -> None:
    target.nodes[1] |= {"alias": "exp_normalized_sales"}
    target.check(models={"fact_sales": "exp_normalized_sales"})


def test_two_models_of_one_name_are_told_apart_by_their_ids(target: Target) -> None:
    target.nodes.append(node("model.other.fact_sales"))
    (sentence,) = target.breaches()
    assert "2 tables fact_sales; write one of model.other.fact_sales, model.shop.fact_sales" in sentence
    target.check(models={"fact_sales": FACT})


def test_of_a_versioned_model_the_latest_version_counts(target: Target) -> None:
    for number in (1, 2):
        versioned = f"model.shop.dim_store.v{number}"
        target.nodes.append(node(versioned, name="dim_store", version=number, latest_version=2))
    manifest = read_artefacts(target.write()).manifest
    latest = find_table(manifest, ENTRY, "dim_store")
    former = find_table(manifest, ENTRY, "model.shop.dim_store.v1")
    assert reference(latest, "shop") == "ref('dim_store')"
    assert reference(former, "shop") == "ref('dim_store', v=1)"
    assert reference(former, "finance") == "ref('shop', 'dim_store', v=1)"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"metadata": {}, "nodes": {}}', '{"nodes": 3}'])
@pytest.mark.parametrize("file", ["manifest.json", "run_results.json"])
def test_a_file_that_dbt_did_not_write_is_refused_in_one_sentence(target: Target, file: str, content: str) -> None:
    target.write()
    (target.folder / file).write_text(content)
    with pytest.raises(EvergreenError, match=f"{file} is not what dbt 1.8 or newer writes .*: run dbt again") as caught:
        read_artefacts(target.folder)
    assert "\n" not in str(caught.value)


def test_without_a_manifest_the_user_is_told_what_to_point_to(target: Target) -> None:
    target.write(leave_out=["manifest"])
    with pytest.raises(EvergreenError, match=r"no manifest\.json lies there: point it to the target folder"):
        read_artefacts(target.folder)


def test_exposures_replace_their_own_file_and_nobody_elses(target: Target) -> None:
    file = target.folder / "models" / "evergreen.yml"
    write_exposures([{"name": "first"}], file)
    write_exposures([{"name": "second"}], file)
    assert file.read_text() == f"{HEADER}version: 2\nexposures:\n- name: second\n"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    file.write_text("models: []\n")
    with pytest.raises(EvergreenError, match="was not written by this command and is not replaced"):
        write_exposures([], file)
    assert file.read_text() == "models: []\n"


def test_a_run_stops_before_any_node_where_dbt_says_that_a_test_failed(target: Target, tmp_path: Path) -> None:
    target.outcomes |= {NOT_NULL: "fail"}
    target.nodes += [node("model.shop.dim_store", STAGING), node("model.shop.dim_product", STAGING)]
    target.write(leave_out=["catalog"])
    project = Project(tmp_path / "data")
    ended = project.run("--namespaces=high_value_sales", f"--params=dbt_target={target.folder}")
    assert ended.returncode == 1
    assert ended.stderr.count("fails dbt_test: not_null_stg_sales_id ended with fail") == 3
    assert "Traceback" not in ended.stderr
    assert "Running" not in ended.stdout
    assert not (project.data / "01_raw").exists()


def test_pipelines_that_read_no_source_table_do_not_ask_dbt(target: Target, tmp_path: Path) -> None:
    ended = Project(tmp_path / "data").run("--pipelines=scoring", f"--params=dbt_target={target.folder / 'nowhere'}")
    assert "no champion" in ended.stderr
    assert "manifest.json" not in ended.stderr


def test_a_misspelt_parameter_of_dbt_is_told(target: Target, tmp_path: Path) -> None:
    options = f"--params=dbt_target={target.write()},dbt.model=x"
    ended = Project(tmp_path / "data").run("--namespaces=high_value_sales", options)
    assert ended.returncode == 1
    assert "The parameters under dbt can't be read: model: Extra inputs are not permitted" in ended.stderr
