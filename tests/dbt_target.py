"""dbt's target folder in small, written by hand: till.sales → stg_sales → fact_sales with two tests, all well."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from evergreen.datasets.dbt import DbtParameters, check_tables, read_artefacts
from evergreen.errors import EvergreenError
from evergreen.features.checks import Column

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SALES = [Column("sales_id", "key"), Column("sales_amount", "number"), Column("date_key", "date")]
ENTRY = "high_value_sales.fact_sales"
SOURCE, STAGING, FACT = "source.shop.till.sales", "model.shop.stg_sales", "model.shop.fact_sales"
NOT_NULL, UNIQUE = "test.shop.not_null_stg_sales_id.1", "test.shop.unique_fact_sales_id.2"


def node(unique_id: str, *parents: str, **more: Any) -> dict[str, Any]:
    kind, package, *_, name = unique_id.split(".")
    told = {"unique_id": unique_id, "resource_type": kind, "package_name": package, "name": name, "alias": name}
    return {**told, "depends_on": {"macros": [], "nodes": list(parents)}, "raw_code": "select 1", **more}


def declared_test(unique_id: str, of: str) -> dict[str, Any]:
    return node(unique_id, of, name=unique_id.split(".")[2], attached_node=of)


class Target:
    """dbt's target folder: till.sales → stg_sales → fact_sales, all well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metadata = {"project_name": "shop", "adapter_type": "duckdb", "generated_at": "2026-03-01T06:00:00Z"}
        self.nodes = [
            node(STAGING, SOURCE),
            node(FACT, STAGING),
            declared_test(NOT_NULL, STAGING),
            declared_test(UNIQUE, FACT),
        ]
        self.types = {"sales_id": "BIGINT", "sales_amount": "DECIMAL(18,2)", "date_key": "DATE"}
        self.outcomes = {STAGING: "success", FACT: "success", NOT_NULL: "pass", UNIQUE: "pass"}
        self.messages: dict[str, str] = {}
        self.command = "build"
        self.look: dict[str, Any] = {"status": "pass", "max_loaded_at": "2026-03-01T05:00:00Z"}

    def write(self, leave_out: Iterable[str] = ()) -> Path:
        source = node(SOURCE, source_name="till", identifier="raw_sales", loader="")
        columns = {name: {"name": name, "type": told, "index": 1} for name, told in self.types.items()}
        results = [
            {"unique_id": name, "status": status, "message": self.messages.get(name), "timing": []}
            for name, status in self.outcomes.items()
        ]
        look = {"unique_id": SOURCE, "criteria": {"error_after": {"count": 1, "period": "day"}}, **self.look}
        files = {
            "manifest": {"nodes": {n["unique_id"]: n for n in self.nodes}, "sources": {SOURCE: source}, "macros": {}},
            "catalog": {"nodes": {FACT: {"metadata": {}, "columns": columns}}, "sources": {}, "errors": None},
            "run_results": {"args": {"which": self.command}, "results": results},
            "sources": {"results": [look]},
        }
        for name, content in files.items():
            if name not in leave_out:
                (self.folder / f"{name}.json").write_text(json.dumps({"metadata": self.metadata, **content}))
        return self.folder

    def check(self, *, now: dt.datetime = NOW, leave_out: Iterable[str] = (), **parameters: Any) -> None:
        artefacts = read_artefacts(self.write(leave_out))
        check_tables(artefacts, {ENTRY: SALES}, DbtParameters(**parameters), now)

    def breaches(self, **options: Any) -> list[str]:
        with pytest.raises(EvergreenError) as caught:
            self.check(**options)
        headline, *sentences = str(caught.value).splitlines()
        assert headline == f"nothing was run, because of what dbt says in {self.folder}:"
        return [sentence.removeprefix("  - ") for sentence in sentences]
