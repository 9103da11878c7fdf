"""The DAG may not import the project, so that it reads use cases and names nodes itself: here they are compared."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import fsspec
import pytest
import yaml
from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project
from upath import UPath

from evergreen.pipelines import retraining
from evergreen.use_cases import UseCase, read_use_cases
from tests_support import ROOT, Project

bootstrap_project(ROOT)
DAG_FILE = ROOT / "deploy" / "airflow" / "evergreen_retraining.py"


@pytest.fixture(scope="module")
def syntax() -> ast.Module:
    return ast.parse(DAG_FILE.read_text())


@pytest.fixture(scope="module")
def constants(syntax: ast.Module) -> dict[str, Any]:
    names = {"PREPARATION", "DECISION", "RETRAINING", "BESIDE", "COLLECTION"}
    return {
        target.id: ast.literal_eval(statement.value)
        for statement in syntax.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id in names
    }


@pytest.fixture
def listed(syntax: ast.Module, tmp_path: Path) -> dict[str, Any]:
    """The DAG's two functions that read use cases, of a project that has two more environments."""
    Project(tmp_path / "data").conf_with(
        tmp_path, "mine", {"use_cases.yml": "fraud: {source: dated_table}\nchurn: ~\n"}
    )
    return functions_of(syntax, ("use_cases", "all_use_cases"), home=lambda: tmp_path, yaml=yaml)


def functions_of(syntax: ast.Module, chosen: tuple[str, ...], **names: Any) -> dict[str, Any]:
    """Some of the DAG's functions, without Airflow, which its module imports."""
    functions = [node for node in syntax.body if isinstance(node, ast.FunctionDef) and node.name in chosen]
    found = {"Any": Any, "Path": Path, **names}
    exec(compile(ast.Module(body=functions, type_ignores=[]), str(DAG_FILE), "exec"), found)
    return found


@pytest.mark.parametrize("env", ["base", "mine"])
def test_the_dag_and_the_project_read_the_same_use_cases(listed: dict[str, Any], tmp_path: Path, env: str) -> None:
    loader = settings.CONFIG_LOADER_CLASS(str(tmp_path / "conf"), env=env, **settings.CONFIG_LOADER_ARGS)
    of_the_project: dict[str, UseCase] = read_use_cases(loader["use_cases"])
    assert listed["use_cases"](env) == list(of_the_project)


def test_the_dag_has_tasks_for_the_use_cases_of_every_environment(listed: dict[str, Any]) -> None:
    assert listed["all_use_cases"]() == ["high_value_sales", "churn", "fraud"]


@pytest.mark.parametrize("data", ["memory://bucket/team one", "{tmp_path}/what? [x]*"])
def test_the_dag_reads_records_where_the_slices_leave_them(syntax: ast.Module, data: str, tmp_path: Path) -> None:
    place = data.format(tmp_path=tmp_path)
    for name in ("trigger", "other"):
        file = UPath(place) / "08_reporting" / "churn" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'{{"fired": "{name}"}}')
    found = functions_of(syntax, ("data", "record"), setting=lambda _: place, fsspec=fsspec, json=json)
    assert found["data"]() == place
    assert found["record"]("churn", "trigger") == {"fired": "trigger"}


def test_the_dag_runs_the_retraining_nodes_in_the_order_of_the_pipeline(constants: dict[str, Any]) -> None:
    nodes = [node.name for node in retraining.create_pipeline().nodes]
    assert [*constants["DECISION"], *constants["RETRAINING"]] == nodes


def test_the_dag_prepares_with_pipelines_that_exist(constants: dict[str, Any]) -> None:
    found = {folder.name for folder in (ROOT / "src" / "evergreen" / "pipelines").iterdir()}
    assert set(constants["PREPARATION"].values()) <= found


def test_the_dag_names_the_pipelines_beside_the_lifecycle_as_the_project_does(constants: dict[str, Any]) -> None:
    from evergreen.pipeline_registry import BESIDE

    known = {constants["COLLECTION"], *constants["BESIDE"].values()}
    assert {name for name in BESIDE if name not in known} <= {"skew_audit"}


def test_the_scheduler_imports_neither_the_project_nor_kedro(syntax: ast.Module) -> None:
    imports = [node for node in ast.walk(syntax) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & {"evergreen", "kedro", "mlflow", "pandas"}
