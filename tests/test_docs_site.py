"""The pages as a site: every page is in its menu, and its builder finds no link that leads nowhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests_support import ROOT

MENU = re.findall(
    r"^ +-? ?[^:#]+: ((?:docs|deploy|notebooks)/\S+\.md|[A-Z]+\.md|index\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M
)
MADE = {"index.md", "notebooks/index.md"}


def test_every_page_of_docs_is_in_the_menu_and_every_entry_is_a_page() -> None:
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(MENU)
    assert [entry for entry in MENU if entry not in MADE and not (ROOT / entry).is_file()] == []


def test_the_site_is_built_without_a_lost_link(tmp_path: Path) -> None:
    pytest.importorskip("zensical")
    pages = tmp_path / "build" / "pages"
    for folder in ("docs", "deploy"):
        shutil.copytree(ROOT / folder, pages / folder)
    for page in ROOT.glob("*.md"):
        shutil.copy(page, pages / ("index.md" if page.name == "README.md" else page.name))
    (pages / "notebooks").mkdir()
    (pages / "notebooks" / "index.md").write_text("# Notebooks\n")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    home = (tmp_path / "build" / "site" / "index.html").read_text()
    assert "Evergreen keeps tabular classifiers healthy" in home
    fetched = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(https?://[^\s\">]+)", home)
    assert fetched == []
