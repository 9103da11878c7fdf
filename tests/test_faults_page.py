"""Claims about the page of faults: every line names tests, and every test that it names is there."""

from __future__ import annotations

import re

import pytest

from tests_support import ROOT

TEXT = (ROOT / "docs" / "faults.md").read_text()
ROWS = [line for line in TEXT.splitlines() if line.startswith("|") and not line.startswith(("| when", "| ---"))]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_the_page_has_its_lines() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_a_line_names_tests_that_exist(row: str) -> None:
    found = NAMED.findall(row)
    assert found != []
    missing = [name for file, name in found if f"def {name}(" not in (ROOT / file).read_text()]
    assert missing == []
