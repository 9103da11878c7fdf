"""Claims about the monitoring page: whole, small, honest about what is missing, and right in what it draws."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evergreen.monitoring import build_profile, estimate_performance
from evergreen.monitoring.alerts import Alert
from evergreen.monitoring.drift.report import ColumnDrift
from evergreen.monitoring.performance import PositiveRateShift
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn
from evergreen.monitoring.quality import QualityReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check
from evergreen.reporting.blocks import Verdict
from evergreen.reporting.charts.sparkline import sparkline
from evergreen.reporting.monitoring.columns import ranking, read_trend
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.reporting.monitoring.drawings import histogram_picture, levels_picture, rebin
from evergreen.reporting.monitoring.page import monitoring_page
from evergreen.reporting.monitoring.verdict import verdict
from evergreen.reporting.screen import Lifecycle, summary
from monitored_window import DAY, IMPORTANCE, Observed, observe, table


class Reader(HTMLParser):
    """Collects text, tags and addresses, and checks that elements close in order."""

    VOID = ("meta", "link", "br", "input")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002 - the parser's signature
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += f"{data} "


def page_of(observed: Observed, importance: dict[str, float] | None = IMPORTANCE) -> str:
    return monitoring_page(observed.record, observed.reference, observed.window, observed.history, importance)


def verdict_of(record: MonitoringRecord) -> Verdict:
    return verdict(record, retraining_answer(record, None))


@pytest.fixture(scope="module")
def drifted() -> Observed:
    return observe(table(0), table(1, shift=0.5))


@pytest.fixture(scope="module")
def unfit() -> Observed:
    """Too few rows, a column gone, one retyped, one empty, one of infinities, no outcome, no sample."""
    reference = table(0).assign(gone=1.5, retyped=np.arange(2_000.0), empty=np.nan, constant=1.0)
    window = table(1, rows=8).assign(retyped="text", empty=np.nan, constant=np.inf)
    scores = table(2, rows=8)["income"] / 1e9
    return observe(
        reference,
        window,
        performance=None,
        multivariate=None,
        estimate=estimate_performance(scores, np.zeros(8), scores),
        positive_rate=PositiveRateShift(reference=None, window=None),
    )


@pytest.mark.parametrize("name", ["drifted", "unfit"])
def test_the_page_is_whole_and_fetches_nothing(name, request):
    page = page_of(request.getfixturevalue(name))
    read = Reader(page)
    assert "src" not in read.attributes
    assert all(address.startswith("#") or address == "data:," for address in read.addresses)
    assert "url(" not in page
    assert "@import" not in page
    links = [address[1:] for address in read.addresses if address.startswith("#")]
    assert [one for one in links if one not in read.ids] == []
    assert len(links) == 11


def test_everything_that_was_found_stands_in_the_page(drifted):
    told = Reader(page_of(drifted)).text
    record = drifted.record
    expected = [
        "churn · monitoring", "Version 7", "2026-02-22 to 2026-02-28", "2,000", "opened now",
        "income", "age", "<b>&pro",
        record.false_alarm_budget, record.estimate.target, record.estimate.blind_spot, "Shown, not decided on: PSI",
        "Wasserstein", "mean z", "Adjusted p", "Detectable shift", "Nulls before", "checks passed", ".610", "promised",
        *(reason.found for reason in record.asking),
        *(column.message for column in record.drift.columns.values()),
    ]  # fmt: skip
    assert record.asking
    assert [words for words in expected if words not in told] == []


def test_the_page_draws_the_scores_and_names_what_the_test_of_whole_rows_left_out(drifted):
    scores = pd.DataFrame({"probability": np.linspace(0, 1, 500)})
    before = build_profile(scores)
    now = build_profile(scores**2, before)
    told = drifted.record.multivariate.model_copy(update={"left_out": ("slow_average",)})
    record = drifted.record.model_copy(update={"multivariate": told})
    parts = record, drifted.reference, drifted.window, drifted.history, IMPORTANCE
    plain, drawn = monitoring_page(*parts), monitoring_page(*parts, (before, now))
    assert drawn.count("<svg") == plain.count("<svg") + 1
    assert "Mean now .33" in Reader(drawn).text
    assert "any week is known by them: slow_average." in Reader(drawn).text


def test_a_number_that_is_missing_reads_insufficient_data(unfit):
    read = Reader(page_of(unfit, None))
    assert not re.findall(r"\b(None|nan|NaN|inf|null)\b", read.text)
    assert read.text.count("insufficient data") > 20
    assert not re.findall(r"nan|None|inf[^o]", "".join(re.findall(r"<svg.*?</svg>", page_of(unfit, None))))


def test_300_columns_stay_under_400_kilobytes_and_every_one_is_named():
    rng = np.random.default_rng(0)
    numbers = {f"number_{i}": rng.normal(size=400) for i in range(200)}
    levels = {f"level_{i}": rng.choice([f"a long level name {j}" for j in range(50)], 400) for i in range(100)}
    reference = pd.DataFrame(numbers | levels)
    window = reference.sample(300, random_state=0).assign(number_7=lambda frame: frame["number_7"] + 2)
    window["level_3"] = "a novel in one field " * 60_000
    page = page_of(observe(reference, window, quiet_windows=26), None)
    read = Reader(page)
    assert len(page.encode()) < 400_000
    assert read.tags.count("article") == 24 + 1
    assert [name for name in reference if f"{name} " not in read.text] == []
    assert re.findall(r'<article class="panel" id="(\w+)', page)[1:3] == ["level_3", "number_7"]


def test_a_record_read_back_from_disk_gives_the_same_page(drifted):
    read = MonitoringRecord(**json.loads(drifted.record.model_dump_json()))
    again = monitoring_page(read, drifted.reference, drifted.window, drifted.history, IMPORTANCE)
    assert again == page_of(drifted)


def test_failed_checks_stand_first_with_readable_numbers(drifted):
    checks = (
        Check(name="completeness", where="age", passed=False, blocks=False, found=0.625, allowed=0.5, unit="share"),
        Check(name="duplicates", passed=False, found=1_234_567, allowed=0),
        Check(name="schema", where="plan", passed=True, found="text", allowed="text"),
    )
    quality = QualityReport(status="failed", checks=checks)
    page = page_of(replace(drifted, record=drifted.record.model_copy(update={"quality": quality})))
    told = " ".join(Reader(page).text.split())
    assert "failed duplicates whole table 1,234,567 0 warning completeness age 62.5 % 50.0 % 1 check passed" in told


def test_markup_in_names_and_levels_is_text(drifted):
    page = page_of(drifted)
    assert "<b>&pro" not in page
    assert "&lt;b&gt;&amp;pro" in page


def test_ranking_weighs_drift_by_importance_with_alarms_first(drifted):
    both = observe(table(0), table(1, shift=0.5).assign(age=lambda frame: frame["age"] + 20))
    assert both.record.drift.alarms[0] == "age"
    by_use = [name for name, _ in ranking(both.record.drift, {"income": 0.9, "age": 0.05, "plan": 0.05})]
    assert by_use == ["income", "age", "plan"]
    assert [name for name, _ in ranking(both.record.drift, None)] == ["age", "income", "plan"]
    assert ranking(drifted.record.drift, {"plan": 1.0})[0][0] == "income"


@pytest.mark.parametrize(
    ("changes", "headline", "advice"),
    [
        ({}, "changed in 1 of 3 columns", "--pipeline=retraining"),
        ({"status": "insufficient_data", "reasons": ()}, "too few rows", "Wait"),
        ({"status": "ok", "reasons": (), "open_alerts": {}}, "looks as it did", "Nothing."),
        ({"status": "ok", "reasons": ()}, "To be watched: the data looks", "ask what changed upstream"),
        (
            {"reasons": (), "performance": None},
            "not known yet",
            "Look at the columns in alarm",
        ),
        (
            {
                "status": "quality",
                "quality": QualityReport(
                    status="failed",
                    checks=(Check(name="schema", where="gone", passed=False, found="missing", allowed="number"),),
                ),
            },
            "not fit to be judged",
            "Repair the data first (schema gone)",
        ),
    ],
)
def test_the_verdict_says_what_happened_and_what_to_do(drifted, changes, headline, advice):
    told = verdict_of(drifted.record.model_copy(update=changes))
    assert headline in told.headline
    assert advice in dict(told.answers)["What to do"]


def test_the_verdict_says_by_which_rule_and_on_how_many_tests(drifted, unfit):
    def sure(record):
        return dict(verdict_of(record).answers)["How sure is that"]

    assert "at most 4 % of windows would raise any column alarm; 6 tests shared" in sure(drifted.record)
    assert "No column has rows enough to be tested" in sure(unfit.record)
    tutorial = drifted.record.drift.model_copy(update={"rule": "tutorial"})
    assert "cries wolf" in sure(drifted.record.model_copy(update={"drift": tutorial}))


def test_a_measured_drop_is_reported_as_one(drifted):
    performance = drifted.record.performance
    auc = performance.metrics["roc_auc"].model_copy(update={"alert": True, "drop": 0.2, "low": 0.1, "high": 0.3})
    worse = performance.model_copy(update={"status": "alert", "metrics": {**performance.metrics, "roc_auc": auc}})
    told = verdict_of(drifted.record.model_copy(update={"performance": worse}))
    assert told.headline.endswith("and the model is measurably worse.")
    assert ".100 to .300" in dict(told.answers)["How sure is that"]
    assert told.tone == "bad"


def test_an_alert_that_stays_open_without_an_event_is_listed(drifted):
    waiting = Alert(
        column="plan", event="opened", window_end=DAY - pd.Timedelta(days=7), severity="info", reason="rule"
    )
    record = drifted.record.model_copy(update={"alerts": (), "open_alerts": {"plan": waiting}})
    told = Reader(monitoring_page(record, drifted.reference, drifted.window, drifted.history, None)).text
    assert re.search(r"plan\s+still open\s+info\s+2026-02-21\s+rule", told)


def test_whole_numbers_inside_the_range_of_the_reference_are_rebinned_exactly():
    reference, window = table(0)["age"], (table(1)["age"] + 3).clip(upper=79)
    before = build_profile(reference.to_frame())
    histogram = rebin(before.columns["age"], build_profile(window.to_frame(), before).columns["age"])
    limits = histogram.limits
    assert (limits == limits.round()).all()
    for values, shares in ((reference, histogram.reference), (window, histogram.window)):
        inside = np.clip(values, limits[0] + 1, limits[-1])
        counted = pd.cut(inside, limits).value_counts(sort=False).to_numpy()
        assert shares == pytest.approx(counted / len(values))


def test_a_long_tail_gets_a_logarithmic_scale_and_shares_close_to_the_values():
    values = table(0, rows=20_000)["income"]
    column = build_profile(values.to_frame()).columns["income"]
    histogram = rebin(column, column)
    assert histogram.log
    assert len(histogram.reference) == 20
    ends = np.concatenate([[0], histogram.limits[1:-1], [np.inf]])
    counted = np.histogram(values, ends)[0] / len(values)
    assert np.abs(histogram.reference - counted).max() < 2 / 256
    assert np.ptp(np.diff(np.log(histogram.limits))) < 1e-9


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80),
)
def test_rebinned_shares_add_up_to_one_whatever_the_values(reference, window):
    before = build_profile(pd.DataFrame({"x": reference}))
    now = build_profile(pd.DataFrame({"x": window}), before)
    histogram = rebin(before.columns["x"], now.columns["x"])
    assert (np.diff(histogram.limits) > 0).all()
    for shares in (histogram.reference, histogram.window):
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1)
    assert "nan" not in histogram_picture(histogram, "x").svg


def test_nothing_is_drawn_where_a_side_has_no_values():
    full, empty = pd.DataFrame({"x": [1.0, 2.0], "c": ["a", "b"]}), pd.DataFrame({"x": [np.nan], "c": [None]})
    before = build_profile(full)
    now = build_profile(empty.astype({"c": "str"}).assign(c=pd.Series([None], dtype="str")), before)
    numbers, levels = (before.columns[name] for name in "xc")
    assert isinstance(numbers, NumericColumn)
    assert isinstance(levels, CategoricalColumn)
    assert rebin(numbers, now.columns["x"]) is None
    assert levels_picture(levels, now.columns["c"], "c") is None


def test_levels_are_drawn_with_the_shares_of_both_sides_and_the_unseen_among_others():
    before = build_profile(pd.DataFrame({"c": ["a"] * 3 + ["b"]}))
    now = build_profile(pd.DataFrame({"c": ["a", "b", "new", "new"]}), before)
    drawing = levels_picture(before.columns["c"], now.columns["c"], "c")
    shares = [["a", "75.0 %", "25.0 %"], ["b", "25.0 %", "25.0 %"], ["all others", "0.0 %", "50.0 %"]]
    assert drawing.numbers.rows == shares
    widths = [float(width) for width in re.findall(r'<rect x="140.0" y="[\d.]+" width="([\d.]+)"', drawing.svg)]
    assert widths == pytest.approx([max(w * widths[0], 0.5) for w in (1, 1 / 3, 1 / 3, 1 / 3, 0, 2 / 3)], abs=0.2)


def test_the_trend_marks_windows_in_alarm_and_an_open_alert(drifted):
    trend = read_trend(drifted.history)
    assert trend.hits["income"].tolist() == [False, False, False, True]
    assert trend.effects.index.is_monotonic_increasing
    drawing = trend.pictures("income", is_open=True)[0].svg
    assert drawing.count('r="4"') == 1
    assert drawing.count('r="7"') == 1
    assert "1 of 4 in alarm" in drawing
    assert trend.pictures("age", is_open=False)[0].svg.count('r="4"') == 0
    assert read_trend(drifted.history.iloc[:0]).pictures("income", is_open=False) == []


def test_a_window_that_was_not_judged_breaks_the_trend_line():
    drawing = sparkline("x", list("abcd"), [0.1, None, 0.2, 0.3], [False] * 4).svg
    line = re.findall(r'd="(M[^"]*)" class="line soft"', drawing)[0]
    assert line.count("M") == 2
    assert drawing.count("<circle") == 3


def test_the_trend_shows_windows_that_do_not_overlap(drifted):
    overlapping = drifted.history.assign(
        window_start=lambda h: h["window_start"] + pd.Timedelta(days=3),
        window_end=lambda h: h["window_end"] - pd.Timedelta(days=1),
    )
    both = pd.concat([overlapping, drifted.history])
    assert read_trend(both).effects.index.tolist() == read_trend(drifted.history).effects.index.tolist()


def test_a_page_whose_columns_could_mostly_not_be_judged_does_not_open_well() -> None:
    seen = observe(table(0), table(1))
    blind = {
        name: column.model_copy(update={"status": "insufficient_data"} if name != "age" else {})
        for name, column in seen.record.drift.columns.items()
    }
    drift = seen.record.drift.model_copy(update={"columns": blind})
    quiet = {"alerts": (), "open_alerts": {}, "reasons": (), "status": "ok"}
    record = seen.record.model_copy(update={"drift": drift, **quiet})
    page = monitoring_page(record, seen.reference, seen.window, seen.history, None)
    assert "Health unknown: the data looks as it did in training in the 1 of 3 columns that could be judged" in page
    assert "Wait for more rows" in page
    assert "of 3, 2 not judged" in page


def test_counts_of_columns_agree_on_page_and_screen() -> None:
    seen = observe(table(0), table(1, shift=1.0))
    off = ColumnDrift(status="off", message="The column takes no part in drift alarms.")
    drift = seen.record.drift.model_copy(update={"columns": {**seen.record.drift.columns, "month": off}})
    record = seen.record.model_copy(update={"drift": drift})
    page = monitoring_page(record, seen.reference, seen.window, seen.history, None)
    assert "in 1 of 3 columns" in page
    assert "1 of 3 columns drifted (income)" in summary({"churn": Lifecycle(monitoring=record)}, "data")
