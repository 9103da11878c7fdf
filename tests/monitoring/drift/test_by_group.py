"""Claims about the view by group: what no column shows over all rows is found, named and told once, and little else."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from drift_runs import memory_of
from evergreen.errors import EvergreenError
from evergreen.monitoring import DriftPolicy, Profile, build_profile, merge
from evergreen.monitoring.alerts import alerts_over_time, history_rows
from evergreen.monitoring.drift.report import DriftReport, of_a_group
from evergreen.monitoring.feature_drift import compare_features
from evergreen.monitoring.profiles.build import _same_groups, _same_tally
from evergreen.monitoring.profiles.groups import MOST_GROUPS
from evergreen.monitoring.profiles.pushdown import count_query, push_down_groups
from evergreen.monitoring.profiles.source import IbisSource
from evergreen.reporting.monitoring.groups import group_blocks
from evergreen.schema import TableSpec

# DuckDB asks pandas for an option that pandas 3 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")

DAY = dt.date(2026, 3, 2)
WEEK = dt.timedelta(weeks=1)
NUMBERS, CATEGORIES = ["x0", "x1", "x2", "x3"], ["c0"]


def table(seed: int, rows: int, stores: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 4)), columns=NUMBERS)
    levels = np.array(["red", "green", "blue"])[rng.choice(3, rows, p=[0.5, 0.3, 0.2])]
    return frame.assign(c0=levels, store=[f"s{number}" for number in rng.integers(0, stores, rows)])


def profile_of(rows: pd.DataFrame, by: tuple[str, ...] = ("store",)) -> Profile:
    names = {"numeric": NUMBERS, "categorical": CATEGORIES}
    return build_profile(rows, blocks=np.arange(len(rows)), groups=by, **names)


def compared(
    reference: Profile, window: Profile, policy: DriftPolicy | None = None, start: dt.date | None = None
) -> DriftReport:
    spec = TableSpec(entity="id", target="y", numeric=NUMBERS, categorical=CATEGORIES)
    memory = memory_of(spec, reference, DAY)
    return compare_features(memory, (window, None, None), start, policy or DriftPolicy(), WEEK, None)[0]


@pytest.fixture(scope="module")
def reference() -> Profile:
    return profile_of(table(0, 30_000))


def shifted(seed: int, store: str | None = "s7", by: float = 1.0) -> pd.DataFrame:
    rows = table(seed, 5_000)
    rows["x0"] += by * (rows["store"].eq(store) if store else 1)
    return rows


def test_one_store_of_fifty_is_found_by_name_and_the_column_over_all_rows_is_not(reference):
    reports = [compared(reference, build_profile(shifted(seed), reference)) for seed in range(1, 11)]
    found = [[(a.group, a.column, a.direction) for a in report.group_alarms] for report in reports]
    assert sum(("s7", "x0", "higher") in names for names in found) >= 9
    assert not any("x0" in report.alarms for report in reports)
    assert all(report.status == "drift" and report.drifted for report in reports if report.group_alarms)
    alarm = reports[0].group_alarms[0]
    assert alarm.verdict.effect == pytest.approx(1.0, abs=0.4)
    assert alarm.name == "x0 · within store = s7"
    assert "Where store is s7, x0 is distributed differently, higher" in alarm.verdict.message


def test_quiet_windows_have_no_alarm_within_groups(reference):
    reports = [compared(reference, build_profile(table(seed, 5_000), reference)) for seed in range(100, 120)]
    assert sum(bool(report.group_alarms) for report in reports) <= 1
    assert {report.groups[0].status for report in reports[:1]} == {"ok"}
    assert reports[0].groups[0].tests == 50 * 5


def test_a_share_of_levels_is_seen_within_a_group(reference):
    rows = table(3, 5_000)
    rows.loc[rows["store"].eq("s1"), "c0"] = "blue"
    found = compared(reference, build_profile(rows, reference)).group_alarms
    assert [(alarm.group, alarm.column, alarm.direction) for alarm in found] == [("s1", "c0", None)]


def test_what_all_rows_do_is_told_of_the_column_not_of_its_groups(reference):
    report = compared(reference, build_profile(shifted(4, store=None, by=0.8), reference))
    assert report.alarms == ["x0"]
    assert len(report.group_alarms) <= 1


def test_rows_that_depend_on_each_other_within_a_group_count_for_less():
    """Each store's days share a value: as if independent, every week would stand out in many of them."""

    def weeks(first: int, count: int, rng: np.random.Generator) -> pd.DataFrame:
        days = np.repeat(np.arange(7 * first, 7 * (first + count)), 20 * 10)
        store = np.tile(np.repeat(np.arange(20), 10), 7 * count)
        shared = rng.normal(size=(7 * count, 20))[days - 7 * first, store]
        values = {name: shared + 0.5 * rng.normal(size=len(days)) for name in NUMBERS}
        dates = pd.Timestamp("2025-01-06") + pd.to_timedelta(days, unit="D")
        return pd.DataFrame(values).assign(store=[f"s{number}" for number in store], date=dates)

    rng = np.random.default_rng(0)
    rows = weeks(0, 26, rng)
    names = {"numeric": NUMBERS, "categorical": [], "groups": ["store"]}
    known = build_profile(rows, date="date", blocks=["store", "date"], **names)
    inflations = [each for each in known.groups["store"].columns["x0"].inflations if each]
    assert np.mean([each.ranks for each in inflations]) > 2
    found = [compared(known, build_profile(weeks(30 + i, 1, rng), known), start=DAY) for i in range(10)]
    assert sum(bool(report.group_alarms) for report in found) <= 1
    declared = build_profile(rows, **names)
    loud = [compared(declared, build_profile(weeks(30 + i, 1, rng), declared)) for i in range(3)]
    assert all(report.group_alarms for report in loud)


def test_a_profile_without_groups_has_no_view_and_says_so(reference):
    old = Profile.model_validate({k: v for k, v in reference.model_dump().items() if k != "groups"})
    report = compared(old, build_profile(table(5, 5_000), old))
    assert report.groups == ()
    assert "table.groups" in str(group_blocks(report, {})[0].html())


@pytest.mark.parametrize(
    ("rows", "policy", "start", "message"),
    [
        (table(6, 5_000).drop(columns="store"), DriftPolicy(), None, "lacks store"),
        (table(6, 500), DriftPolicy(), None, "No group by store has 30 rows"),
        (table(6, 5_000), DriftPolicy(rule="tutorial"), None, "tutorial rule"),
        (table(6, 5_000), DriftPolicy(), dt.datetime(2026, 3, 2, 6), "by the hour"),
    ],
)
def test_what_cannot_be_judged_is_said(reference, rows, policy, start, message):
    (view,) = compared(reference, build_profile(rows, reference), policy, start).groups
    assert view.status == "insufficient_data"
    assert message in view.message
    assert not view.alarms


def test_columns_that_are_off_are_not_tested_within_groups(reference):
    report = compared(reference, build_profile(shifted(1), reference), DriftPolicy(off=("x0",)))
    assert report.groups[0].tests == 50 * 4
    assert not report.group_alarms


def test_an_alert_within_a_group_opens_once_and_closes_as_a_columns_does(reference):
    history = []
    for week in range(5):
        rows = shifted(20 + week, by=1.5) if week in (1, 2) else table(20 + week, 5_000)
        start = DAY + week * WEEK
        report = compared(reference, build_profile(rows, reference), start=start)
        history.append(history_rows(report, start, start + WEEK - dt.timedelta(days=1)))
    alerts = [a for a in alerts_over_time(pd.concat(history, ignore_index=True)) if of_a_group(a.column)]
    assert [(alert.column, alert.event) for alert in alerts] == [
        ("x0 · within store = s7", "opened"),
        ("x0 · within store = s7", "repeated"),
        ("x0 · within store = s7", "closed"),
    ]
    report = compared(reference, build_profile(shifted(21), reference))
    page = " ".join(str(block.html()) for block in group_blocks(report, {alerts[0].column: alerts[0]}))
    assert "store = s7" in page
    assert "open" in page


def in_duckdb(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def test_groups_are_counted_alike_here_and_where_the_data_lies(reference):
    rows = table(8, 3_000)
    rows.loc[:9, "x0"], rows.loc[10:19, "x1"], rows.loc[20:29, "store"] = np.inf, np.nan, None
    here = build_profile(rows, reference)
    assert build_profile(in_duckdb(rows), reference).groups == here.groups
    source, kinds = IbisSource(in_duckdb(rows)), {**dict.fromkeys(NUMBERS, "numeric"), "c0": "categorical"}
    tallies = {name: _same_tally(reference, name, 1) for name in kinds}
    pushed = _same_groups(reference, source, tallies, 1)
    push_down_groups(source, kinds, None, pushed)
    assert pushed["store"].finished(held_out=False, ordered=False) == here.groups["store"]
    query = count_query(source.selected(kinds, None, source.table), {"c0": pushed["store"].columns["x0"]}, "bigquery")
    assert "RANGE_BUCKET" in str(ibis.to_sql(query, dialect="bigquery"))


def test_groups_add_up_and_survive_json_in_a_constant_size(reference):
    rows = table(9, 4_000)
    parts = [build_profile(part, reference) for part in (rows.iloc[:1_500], rows.iloc[1_500:])]
    assert merge(*parts).groups == build_profile(rows, reference).groups
    assert Profile.model_validate_json(reference.model_dump_json()) == reference
    many = profile_of(table(1, 40_000, stores=300))
    assert len(many.groups["store"].groups) == MOST_GROUPS
    with pytest.raises(EvergreenError, match="groups by store differ"):
        merge(parts[0], build_profile(rows, many).model_copy(update={"columns": parts[0].columns}))


def test_groups_of_few_rows_are_not_counted():
    rows = table(2, 5_000)
    rows.loc[:50, "store"] = "rare"
    assert "rare" not in profile_of(rows).groups["store"].groups


def test_groups_are_those_of_the_block_unless_named():
    given = {"entity": "id", "date": "day", "target": "y", "numeric": ["x"], "categorical": ["region"]}
    assert TableSpec(**given, block=["store", "day"]).group_columns == ["store"]
    assert TableSpec(**given).group_columns == []
    assert TableSpec(**given, block=["store", "day"], groups=[]).group_columns == []
    assert TableSpec(**given, groups=["region"]).group_columns == ["region"]
    assert TableSpec(**given, groups=["region", "region"]).group_columns == ["region"]
    for wrong in ("x", "day", "id", "nowhere"):
        with pytest.raises(ValidationError, match=f"groups: {wrong} cannot make groups of rows.*: region"):
            TableSpec(**given, groups=[wrong])
