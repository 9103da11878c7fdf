"""Claims about pages: nothing that a table holds becomes markup."""

from __future__ import annotations

from evergreen.reporting.blocks import Bullets, Table, Text
from evergreen.reporting.page import Page, Section, Tile, as_html, as_markdown

WILD = '<script>alert("x")</script> & | co'


def page(word: str) -> Page:
    blocks = (Text(word), Bullets([word]), Table((word, "n"), [(word, "1")], frozenset({"n"})))
    return Page(word, word, word, [Tile(word, word, word)], [Section("What was found", blocks)])


def test_values_of_tables_are_never_markup() -> None:
    html = as_html(page(WILD))
    assert "<script>alert" not in html
    assert '"x"' not in html


def test_contents_lead_to_every_section() -> None:
    html = as_html(page("plain"))
    assert '<a href="#what-was-found">What was found</a>' in html
    assert '<section id="what-was-found">' in html


def test_a_bar_in_a_cell_does_not_break_a_markdown_table() -> None:
    rows = [line for line in as_markdown(page("a|b")).splitlines() if line.startswith("| a")]
    assert rows == ["| a\\|b | a\\|b | a\\|b |", "| a\\|b | n |", "| a\\|b | 1 |"]
