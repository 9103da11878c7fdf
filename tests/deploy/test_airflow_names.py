"""The DAG may not import the project, so that it names use cases and nodes in text: here they are compared."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from evergreen.pipelines import retraining
from evergreen.use_cases import USE_CASES
from tests_support import ROOT

DAG_FILE = ROOT / "deploy" / "airflow" / "evergreen_retraining.py"


@pytest.fixture(scope="module")
def syntax() -> ast.Module:
    return ast.parse(DAG_FILE.read_text())


@pytest.fixture(scope="module")
def constants(syntax: ast.Module) -> dict[str, Any]:
    names = {"USE_CASES", "PREPARATION", "DECISION", "RETRAINING"}
    return {
        target.id: ast.literal_eval(statement.value)
        for statement in syntax.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id in names
    }


def test_the_dag_looks_after_every_use_case(constants: dict[str, Any]) -> None:
    assert set(constants["USE_CASES"]) == set(USE_CASES)


def test_the_dag_runs_the_retraining_nodes_in_the_order_of_the_pipeline(constants: dict[str, Any]) -> None:
    nodes = [node.name for node in retraining.create_pipeline().nodes]
    assert [*constants["DECISION"], *constants["RETRAINING"]] == nodes


def test_the_dag_prepares_with_pipelines_that_exist(constants: dict[str, Any]) -> None:
    found = {folder.name for folder in (ROOT / "src" / "evergreen" / "pipelines").iterdir()}
    assert set(constants["PREPARATION"].values()) <= found


def test_the_scheduler_imports_neither_the_project_nor_kedro(syntax: ast.Module) -> None:
    imports = [node for node in ast.walk(syntax) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & {"evergreen", "kedro", "mlflow", "pandas"}
