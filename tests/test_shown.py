"""Records and pages as a notebook shows them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from evergreen.datasets import PageDataset
from evergreen.records import Check, Frozen, Record
from evergreen.shown import MOST_ENTRIES


class Holder(Record):
    checks: tuple[Check, ...]
    by_column: dict[str, float]
    nothing: str | None = None


def test_a_record_is_a_table_of_its_fields_with_what_they_hold_folded() -> None:
    check = Check(name="<b>", passed=False, found=0.123456)
    many = {f"column_{number}": 1.0 for number in range(MOST_ENTRIES + 3)}
    shown = Holder(
        use_case="churn", as_of=dt.date(2026, 2, 28), status="not_needed", checks=(check,), by_column=many
    )._repr_html_()  # fmt: skip
    assert "Holder · churn · 2026-02-28 · not needed" in shown
    assert "<summary>1 items</summary>" not in shown
    assert "<summary>1 item</summary>" in shown
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert ">.1235<" in shown
    assert "… and 3 more" in shown
    assert shown.count("<details>") == shown.count("</details>") == 3


def test_every_policy_and_result_is_shown() -> None:
    assert issubclass(Record, Frozen)
    assert Frozen._repr_html_ is Record._repr_html_


def test_a_page_is_shown_as_a_page_and_text_as_text(tmp_path: Path) -> None:
    page = PageDataset(filepath=str(tmp_path / "page.html"))
    page.save('<!doctype html><p class="a">')
    assert 'srcdoc="&lt;!doctype html&gt;&lt;p class=&quot;a&quot;&gt;"' in page.load()._repr_html_()
    assert page.load() == '<!doctype html><p class="a">'
    page.save("# Model card\n")
    assert page.load()._repr_html_() is None
    assert page.load()._repr_markdown_() == "# Model card\n"
