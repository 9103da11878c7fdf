"""Contracts of the project itself: what keeps pipelines, catalog and parameters in step."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import MemoryDataset

from evergreen.context import use_cases

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = sorted(path.name for path in (ROOT / "conf").iterdir() if path.is_dir() and path.name != "base")
NODE_LINES = 20

bootstrap_project(ROOT)


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def context(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> KedroContext:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVERGREEN_DATA", str(tmp_path_factory.mktemp("data")))
        session = KedroSession.create(project_path=ROOT, env=request.param)
        assert isinstance(session, KedroSession)
        yield session.load_context()


def test_every_input_of_a_pipeline_is_read_from_the_catalog(context: KedroContext) -> None:
    catalog = context.catalog  # made anew whenever it is asked for
    for name in list(pipelines):
        for entry in sorted(pipelines[name].inputs()):
            if entry.startswith("params:"):
                continue
            assert entry in catalog, f"{name} reads {entry}, which the catalog does not know"
            assert not isinstance(catalog[entry], MemoryDataset), (
                f"{name} reads {entry} from memory: it is gone when the run that made it ends"
            )


def test_every_parameter_of_a_pipeline_is_set(context: KedroContext) -> None:
    known = set(context.catalog.filter(name_regex="^params:")) | set(context._get_parameters())
    for name in list(pipelines):
        missing = {entry for entry in pipelines[name].inputs() if entry.startswith("params:")} - known
        assert not missing, f"{name} reads {sorted(missing)}"


def test_nodes_are_named_within_the_room_of_their_use_case() -> None:
    for node in pipelines["__default__"].nodes:
        use_case, room, *_, short = node.name.split(".")
        assert use_case in use_cases()
        assert node in pipelines[room].nodes
        assert node in pipelines[use_case].nodes
        assert short
        assert node.func.__doc__, f"{node.name} has no docstring to show in Kedro-Viz"


@pytest.mark.parametrize(
    "file", sorted((ROOT / "src/evergreen/pipelines").rglob("nodes.py")), ids=lambda f: f.parent.name
)
def test_node_functions_are_glue(file: Path) -> None:
    for function in ast.walk(ast.parse(file.read_text())):
        if isinstance(function, ast.FunctionDef):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            lines = body[-1].end_lineno - body[0].lineno + 1
            assert lines <= NODE_LINES, f"{function.name} in {file.parent.name} has {lines} lines"


def test_no_file_has_two_writers(context: KedroContext) -> None:
    written = [entry for node in pipelines["__default__"].nodes for entry in node.outputs]
    resolve = context.catalog.config_resolver.resolve_pattern
    files = [file for file in (resolve(entry).get("filepath") for entry in written) if file is not None]
    assert len(files) > len(pipelines["__default__"].nodes) / 2
    assert sorted(files) == sorted(set(files))


def test_pipelines_meet_only_in_the_catalog() -> None:
    for file in (ROOT / "src/evergreen/pipelines").rglob("nodes.py"):
        others = {f"evergreen.pipelines.{room.name}" for room in file.parent.parent.iterdir() if room != file.parent}
        imported = {
            node.module
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module
        }
        assert not {name for name in imported if any(name.startswith(other) for other in others)}


def test_every_module_says_what_question_it_answers() -> None:
    for file in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(file.read_text())
        assert ast.get_docstring(tree), f"{file.relative_to(ROOT)} has no docstring"
        assert inspect.cleandoc(ast.get_docstring(tree) or "")


def test_no_public_name_of_a_package_is_hidden_by_one_of_its_modules() -> None:
    for file in sorted((ROOT / "src").rglob("__init__.py")):
        package = ".".join(file.parent.relative_to(ROOT / "src").parts)
        modules = {f"{package}.{module.stem}" for module in file.parent.glob("*.py")}
        for each in ast.parse(file.read_text()).body:
            if isinstance(each, ast.ImportFrom) and each.module != package:
                assert {f"{package}.{alias.name}" for alias in each.names} & (modules - {each.module}) == set()


def test_layers_follow_each_other_so_that_kedro_viz_draws_them(context: KedroContext) -> None:
    resolve = context.catalog.config_resolver.resolve_pattern
    reached: dict[str, set[str]] = {}
    after: dict[str, set[str]] = {}
    for node in pipelines["__default__"].nodes:
        before = {layer for entry in node.inputs for layer in reached.get(entry, layers_of(resolve, entry))}
        for entry in node.outputs:
            own = layers_of(resolve, entry)
            reached[entry] = own or before
            for layer in own:
                after.setdefault(layer, set()).update(before - own)
    assert "models" in after
    TopologicalSorter(after).prepare()


def layers_of(resolve: Callable[[str], dict[str, Any]], entry: str) -> set[str]:
    found = {} if entry.startswith("params:") else resolve(entry)
    layer = (found.get("metadata") or {}).get("kedro-viz", {}).get("layer")
    return {layer} if layer else set()
