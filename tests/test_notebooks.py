"""The notebooks: they run, from nothing or beside a run, and are kept without traces of anybody's run."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from kedro.pipeline import Pipeline
from nbclient import NotebookClient
from nbformat import NotebookNode

from evergreen.pipeline_registry import register_pipelines
from tests_support import ROOT, Project

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def execute(path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> NotebookNode:
    """Run a notebook in a kernel of its own, in its folder as Jupyter does; a cell that fails raises."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("EVERGREEN_DATA", str(data))
    resources = {"metadata": {"path": str(path.parent)}}
    return NotebookClient(nbformat.read(path, 4), timeout=300, kernel_name="python3", resources=resources).execute()


def records(data: Path) -> dict[str, int]:
    """Every file of a data folder that pipelines write, with its time."""
    files = (file for layer in ("04_feature", "06_models", "08_reporting") for file in (data / layer).rglob("*.*"))
    return {str(file.relative_to(data)): file.stat().st_mtime_ns for file in files if file.is_file()}


@each
def test_beside_a_run_a_notebook_only_looks(path: Path, lived: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = records(lived.data)
    assert before
    execute(path, lived.data, monkeypatch)
    assert records(lived.data) == before


def test_from_nothing_a_notebook_runs_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(NOTEBOOKS[0], tmp_path, monkeypatch)
    assert {Path(name).name for name in records(tmp_path)} == {"features.parquet", "current_features.parquet"}


@each
def test_what_a_notebook_runs_makes_what_it_misses_from_sources_alone(path: Path) -> None:
    first = next(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
    [missed] = re.findall(r'catalog\.exists\("(.+?)"\)', first)
    [names] = re.findall(r"pipeline_names=\[(.+?)\]", first)
    registered = register_pipelines()
    run = sum((registered[name.strip(' "')] for name in names.split(",")), Pipeline([]))
    sources = {"fact_sales", "dim_product", "dim_store", "business_kpis", "customers", "current"}
    registry_and_past = {"incumbent", "challenger", "champion", "past_monitoring_history"}
    needed = {name.split(".")[1] for name in run.inputs() if not name.startswith("params:")}
    assert missed in run.all_outputs()
    assert needed <= sources | registry_and_past


@each
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"


@each
def test_a_notebook_names_no_machine(path: Path) -> None:
    text = path.read_text()
    assert [word for word in (str(ROOT), str(Path.home()), "/home/", "/Users/", "/tmp/", ":\\\\") if word in text] == []


@each
def test_a_notebook_is_thin(path: Path) -> None:
    cells = nbformat.read(path, 4).cells
    code = [len(cell.source.splitlines()) for cell in cells if cell.cell_type == "code"]
    assert max(code) <= 25, "what takes more lines belongs into src/evergreen"
    assert sum(code) < 160
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    assert words > 200, "a tour explains what it shows"
