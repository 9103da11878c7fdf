"""Claims about markdown: what users call their columns is shown and never obeyed."""

from __future__ import annotations

import pytest

from evergreen.reporting.blocks import Bullets, Table, Text
from evergreen.reporting.page import Page, Section, as_markdown, markdown_text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("roc_auc of high_value_sales", "roc_auc of high_value_sales"),
        ("_x_ and __y__", r"\_x\_ and \_\_y\_\_"),
        ("*bold* `code` [a](http://b)", r"\*bold\* \`code\` \[a\](http://b)"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("&lt;img&gt;", r"\&lt;img\&gt;"),
        ("a|b\\", r"a\|b\\"),
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("- no list", r"\- no list"),
        ("two\n\n# lines", "two # lines"),
    ],
)
def test_a_text_is_shown_as_it_is(text: str, written: str) -> None:
    assert markdown_text(text) == written


def test_every_part_of_a_page_is_shown_as_it_is() -> None:
    name = "<b>|*\n"
    blocks = [Text(name), Bullets([name]), Table([name], [[name]])]
    page = as_markdown(Page(name, name, name, [], [Section(name, blocks)]))
    assert "<b>" not in page.replace(r"\<b\>", "")
    assert page.count(r"\<b\>\|\*") == 8
