"""What the pages for people name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests_support import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").rglob("*.md")],
    key=lambda page: str(page.relative_to(ROOT)),
)
FOLDERS = "src|conf|docs|tests|benchmarks|deploy|notebooks"
OF_THE_READER = ("conf/mine", "conf/shop", "conf/fraud/", "conf/local/", "conf/<env>")
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def words_in_code(text: str) -> list[str]:
    """The words of every piece of inline code."""
    return [word for code in re.findall(r"`([^`\n]+)`", text) for word in code.split()]


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 220


@each
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    lost = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert lost == []


@each
def test_every_heading_that_a_link_names_is_on_its_page(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text()):
        if "://" not in target:
            text = (page.parent / target if target else page).read_text()
            titles = re.findall(r"^#+ (.+)$", text, re.M)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@each
def test_every_file_of_the_project_that_a_page_names_exists(page: Path) -> None:
    named = [word.strip(",;:") for word in words_in_code(page.read_text())]
    files = [word for word in named if re.fullmatch(rf"(?:{FOLDERS})/[\w./-]+", word)]
    lost = [file for file in files if not file.startswith(OF_THE_READER) and not (ROOT / file).exists()]
    assert lost == []


@each
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z-]+)", page.read_text())) <= known


def test_every_module_of_the_architecture_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {room for cells in re.findall(r"^\| \d+ \| ([^|]+) \|", page, re.M) for room in words_in_code(cells)}
    files = {word for word in words_in_code(page) if re.fullmatch(r"[a-z_]+/[a-z_]+\*?(\.py)?", word)}
    modules = rooms | {file for file in files if not file.startswith("pipelines/")}
    assert len(modules) > 20
    assert [name for name in modules if not list((ROOT / "src" / "evergreen").glob(f"{name}*"))] == []


def test_every_room_stands_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {folder.parent.name for folder in (ROOT / "src" / "evergreen").glob("*/__init__.py")}
    assert [room for room in sorted(rooms) if f"`{room}`" not in page] == []
