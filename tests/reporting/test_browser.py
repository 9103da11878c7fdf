"""Claims about pages in a real browser: no fault, no request, nothing too wide, every mark within reach."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser, browser
from made_up_pages import every_page

pytest.importorskip("websockets")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
PAGES = [
    "dashboard-nothing.html", "dashboard-one.html", "dashboard-fifty.html", "monitoring.html", "model_card.html",
    "experiment.html", "policy_backtest.html", "index.html", "overview.html",
]  # fmt: skip
LOOKS = [(width, dark) for width in (1280, 390) for dark in (False, True)]
MOST_BYTES = 400_000
SERIOUS = """axe.run({resultTypes:['violations']}).then(function(found){return found.violations.filter(function(v){
return ['serious','critical'].includes(v.impact)}).map(function(v){return v.id+': '+v.nodes[0].html})})"""
UNNAMED = "Array.from(document.querySelectorAll('.mark')).filter(m=>!m.querySelector('title').textContent).length"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    for file, page in every_page().items():
        (place / file).write_text(page, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def test_every_kind_of_page_is_opened(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_in_light_and_dark_wide_and_narrow_without_a_fault(page: str, folder: Path, tab: Browser) -> None:
    grounds = []
    for width, dark in LOOKS:
        tab.open(folder / page, width, dark=dark)
        grounds.append(tab.value("getComputedStyle(document.body).backgroundColor"))
        assert tab.complaints == []
        assert tab.requests == [(folder / page).as_uri()]
        assert tab.value("document.documentElement.scrollWidth") == width
        assert tab.value(UNNAMED) == 0
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"] * 2
    assert (folder / page).stat().st_size < MOST_BYTES


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm install axe-core, or set AXE_CORE")
@pytest.mark.parametrize("page", PAGES)
def test_axe_has_no_serious_finding(page: str, folder: Path, tab: Browser) -> None:
    for width, dark in LOOKS:
        tab.open(folder / page, width, dark=dark)
        tab.value(f"{AXE.read_text(encoding='utf-8')};0")
        assert tab.value(SERIOUS) == []


def test_the_keyboard_reaches_every_mark_and_each_says_what_it_is(folder: Path, tab: Browser) -> None:
    tab.open(folder / "dashboard-fifty.html")
    tab.value("document.querySelector('#positive-rate-over-time .mark').focus()")
    said = []
    for _ in range(tab.value("document.querySelectorAll('#positive-rate-over-time .mark').length")):
        said.append(tab.value("document.querySelector('.tip').textContent"))
        tab.key("ArrowRight")
    assert said[0] == "reference: 30.0 %"
    assert said[-1].startswith("2026-02-28: positive predictions")
    assert len(said) == len(set(said)) == 53


def test_a_reader_filters_columns_opens_what_is_folded_and_turns_the_lights(folder: Path, tab: Browser) -> None:
    tab.open(folder / "monitoring.html")
    shown = "Array.from(document.querySelectorAll('#columns .panel')).filter(p=>!p.hidden).map(p=>p.dataset.name)"
    assert tab.value(shown) == ["income", "age", "plan"]
    tab.value("var b=document.querySelector('#columns [type=checkbox]');b.checked=true;b.onchange()")
    assert tab.value(shown) == ["income"]
    tab.value("b.checked=false;var s=document.querySelector('#columns [type=search]');s.value='PLA';s.oninput()")
    assert tab.value(shown) == ["plan"]
    assert tab.value("document.querySelector('#columns details.folded').open") is True
    tab.value("document.getElementById('look').click()")
    assert tab.value("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    tab.value("localStorage.clear()")


def test_without_scripts_nothing_is_missing(folder: Path, tab: Browser) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(folder / "monitoring.html")
    tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert tab.value("document.querySelectorAll('.mark[tabindex=\"-1\"]').length") == 0
    assert tab.value("getComputedStyle(document.querySelector('.controls')).display") == "none"
    assert tab.value("document.querySelectorAll('#columns .panel').length") == 3
