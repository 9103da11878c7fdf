"""Claims about how the package is built: no circle among modules, short files, and every name used once."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests_support import ROOT

SOURCE = ROOT / "src"
FILE_LINES = 300


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(file): ast.parse(file.read_text()) for file in sorted(SOURCE.rglob("*.py"))}


def imported(tree: ast.Module) -> set[str]:
    """Modules of the project that a module imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in inner}
    return names & MODULES.keys()


def test_there_is_no_circle_among_modules() -> None:
    circle: list[str] = []
    try:
        TopologicalSorter({name: imported(tree) for name, tree in MODULES.items()}).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


def test_no_file_answers_more_than_its_question() -> None:
    lengths = {file.relative_to(SOURCE): len(file.read_text().splitlines()) for file in SOURCE.rglob("*.py")}
    assert {str(file) for file, lines in lengths.items() if lines > FILE_LINES} == set()


def test_a_class_has_a_name_of_its_own() -> None:
    names = Counter(node.name for tree in MODULES.values() for node in tree.body if isinstance(node, ast.ClassDef))
    assert {name for name, times in names.items() if times > 1} == set()
