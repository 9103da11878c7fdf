"""What docs/power-bi.md promises to people who build reports is what a run writes and what the project reads."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog

from evergreen.datasets import PowerBIDataset
from tests_support import ROOT, USE_CASES, Project

PAGE = (ROOT / "docs" / "power-bi.md").read_text()
DAX = (ROOT / "docs" / "power-bi.dax").read_text()
ADDED = {"use_case", "version_key"}
"""Columns that the page tells people to add while reading."""


def documented() -> dict[str, dict[str, str]]:
    """Table → column → type, from the page's own tables."""
    sections = re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", PAGE, re.M | re.S)
    rows = r"^\| `(\w+)` \| (text|number|whole number|timestamp|date) \|"
    return {name: dict(re.findall(rows, text, re.M)) for name, text in sections}


def written(project: Project, table: str, use_case: str) -> pd.DataFrame:
    """A table by the path that the page gives for it."""
    [path] = re.findall(rf"^\| `{table}` \| `([^`]*/[^`]*)` \|", PAGE, re.M)
    path = path.replace("<use_case>", use_case).replace("<date>", "*")
    reader = "read_csv" if path.endswith(".csv") else "read_parquet"
    hive = ", hive_partitioning = true" if "as_of=" in path else ""
    return duckdb.sql(f"select * from {reader}('{project.data / path}'{hive})").df()


def kind(column: pd.Series) -> set[str]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return {"date", "timestamp"}
    if pd.api.types.is_integer_dtype(column):
        return {"whole number", "number"}
    return {"number"} if pd.api.types.is_numeric_dtype(column) else {"text"}


@pytest.mark.parametrize("use_case", USE_CASES)
def test_a_run_writes_every_documented_column_with_its_type(lived: Project, use_case: str) -> None:
    assert list(documented()) == ["Predictions", "Monitoring", "Metrics", "Importance"]
    for table, columns in documented().items():
        rows = written(lived, table, use_case)
        assert len(rows) > 0
        assert len(columns) >= 3
        for name, type_ in columns.items():
            assert name in rows, f"{table} of {use_case} has no {name}"
            assert type_ in kind(rows[name]), f"{table}.{name} of {use_case} is {rows[name].dtype}"


@pytest.mark.parametrize("use_case", USE_CASES)
def test_only_features_stay_undocumented_and_keys_are_keys(lived: Project, use_case: str) -> None:
    predictions, monitoring = (written(lived, name, use_case) for name in ("Predictions", "Monitoring"))
    features = set(monitoring["column"]) - {"probability"}
    assert set(predictions) - set(documented()["Predictions"]) == features
    assert set(monitoring) == set(documented()["Monitoring"])
    assert not predictions.duplicated(["request_id", "as_of"]).any()
    assert not monitoring.duplicated(["window_end", "version", "column"]).any()


def test_the_statement_on_the_page_reads_all_predictions_at_once(lived: Project) -> None:
    [statement] = re.findall(r"`(select \* from read_parquet.+?)`", PAGE, re.S)
    rows = duckdb.sql(" ".join(statement.split()).replace("data/07", f"{lived.data}/07")).df()
    assert set(rows["use_case"]) == set(USE_CASES)


def test_every_column_that_the_measures_name_is_documented() -> None:
    code = "\n".join(line for line in DAX.splitlines() if not line.startswith("//"))
    named = set(re.findall(r"\b(Predictions|Monitoring|Importance)\[(\w+)\]", code))
    assert len(named) >= 10
    tables = documented()
    for table, column in sorted(named):
        assert column in tables[table].keys() | ADDED, f"{table}[{column}]"


def test_every_measure_that_a_measure_uses_is_defined() -> None:
    defined = set(re.findall(r"^([A-Z][\w ]+?) =", DAX, re.M))
    assert len(defined) >= 10
    assert set(re.findall(r"(?<![\w'])\[([A-Z][\w ]+)\]", DAX)) <= defined


def test_the_catalog_entry_on_the_page_is_one_that_the_catalog_takes(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    [block] = [block for block in blocks if "PowerBIDataset" in block]
    text = block.replace("${globals:data}", str(tmp_path)).replace("${globals:connection}", "{backend: duckdb}")
    credentials = {"power_bi": dict.fromkeys(("tenant_id", "client_id", "client_secret"), "x")}
    catalog = DataCatalog.from_config(yaml.safe_load(text), credentials)
    assert isinstance(catalog["high_value_sales.business_kpis"], PowerBIDataset)
