"""The notebooks: they run, from nothing or beside a run, and are kept without traces of anybody's run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

from evergreen.pipeline_registry import register_pipelines
from tests_support import ROOT, Project

pytestmark = pytest.mark.slow

bootstrap_project(ROOT)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EMPTY = "get_ipython().extension_manager.loaded.discard('kedro.ipython')\n%reset -f"
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@contextmanager
def kernel(data: Path) -> Iterator[KernelManager]:
    """A kernel in the notebooks' folder, as Jupyter starts it, on a data folder."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(
        cwd=str(ROOT / "notebooks"), env={**surroundings, "KEDRO_ENV": "test", "EVERGREEN_DATA": str(data)}
    )
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)


def answer(notebook: nbformat.NotebookNode) -> str:
    """The answer to the exercise that ends a notebook."""
    [found] = re.findall(r"<details>.*```python\n(.+)\n```.*</details>", notebook.cells[-1].source, re.DOTALL)
    return found


def execute(path: Path, manager: KernelManager) -> None:
    """Run a notebook and its exercise's answer from an empty namespace; a cell that fails raises."""
    notebook = nbformat.read(path, 4)
    notebook.cells = [new_code_cell(EMPTY), *notebook.cells, new_code_cell(answer(notebook))]
    client = NotebookClient(notebook, km=manager, timeout=900)
    try:
        client.execute()
    except CellExecutionError as error:  # Kedro prints tracebacks by itself, as an output of the cell
        outputs = [str(each.get("text", each)) for cell in notebook.cells for each in cell.get("outputs", [])]
        raise AssertionError(f"{error}\n{''.join(outputs[-2:])}") from None
    finally:
        client.kc.stop_channels()


@pytest.fixture(scope="module")
def beside(lived: Project) -> Iterator[KernelManager]:
    with kernel(lived.data) as manager:
        yield manager


@each
def test_beside_a_run_a_notebook_only_looks(path: Path, lived: Project, beside: KernelManager) -> None:
    before = lived.files()
    assert before
    execute(path, beside)
    assert lived.files() == before


def test_from_nothing_a_notebook_runs_what_it_needs(tmp_path: Path) -> None:
    with kernel(tmp_path) as manager:
        execute(NOTEBOOKS[0], manager)
    assert {Path(name).name for name in Project(tmp_path).files()} == {
        "features.parquet", "current_features.parquet", "index.html",
    }  # fmt: skip


@each
def test_what_a_notebook_runs_makes_what_it_misses_from_sources_alone(path: Path) -> None:
    first = next(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
    [missed] = re.findall(r'catalog\.exists\("(.+?)"\)', first)
    [names] = re.findall(r"pipeline_names=\[(.+?)\]", first)
    registered = register_pipelines()
    run = sum((registered[name.strip(' "')] for name in names.split(",")), Pipeline([]))
    sources = {"fact_sales", "dim_product", "dim_store", "business_kpis", "customers", "current"}
    registry_and_past = {"incumbent", "challenger", "champion", "past_monitoring_history", "service_predictions"}
    registry_and_past |= {"past_window_counts", "past_window_metrics", "past_experiment", "service_status"}
    registry_and_past |= {"newest_monitoring", "newest_window_profile", "newest_policy_backtest"}  # None until made
    written_later = {"trigger", "retraining"}  # optional: None until retraining has decided
    needed = {name.split(".")[1] for name in run.inputs() if not name.startswith("params:")}
    assert missed in run.all_outputs()
    assert needed <= sources | registry_and_past | written_later


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
def test_a_notebook_opens_the_project_as_kedro_does_and_ends_with_an_exercise(path: Path) -> None:
    cells = nbformat.read(path, 4).cells
    assert next(cell.source for cell in cells if cell.cell_type == "code").startswith("%load_ext kedro.ipython\n")
    assert cells[-1].source.startswith("## Exercise\n")


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
