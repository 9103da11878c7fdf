"""Claims about profiles: the same whatever the engine, additive, constant in size."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ibis.config import Config

from evergreen.errors import EvergreenError
from evergreen.monitoring import DriftPolicy, Profile, build_profile, compare_profiles, merge
from evergreen.monitoring.profiles.bins import Binner, quantile_edges
from evergreen.monitoring.profiles.build import _own_tallies, _same_tally
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn
from evergreen.monitoring.profiles.pushdown import count_query, moment_query, push_down
from evergreen.monitoring.profiles.source import Cut, IbisSource

# DuckDB asks pandas for an option that pandas 3 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")

KINDS = {"price": "numeric", "size": "numeric", "city": "categorical", "seen": "time"}


def table(seed: int, rows: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    price = rng.lognormal(3, 1, rows)
    price[rng.random(rows) < 0.05] = np.nan
    price[:2] = np.inf
    city = pd.Series(np.array(["Oslo", "Rome", "Kyiv"])[rng.integers(0, 3, rows)], dtype="str")
    return pd.DataFrame(
        {
            "price": price,
            "size": rng.integers(0, 9, rows),
            "city": city.mask(rng.random(rows) < 0.1),
            "seen": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 70, rows), unit="D"),
        }
    )


class SparkOptions(Config):
    """What Ibis registers once pyspark is installed."""

    treat_nan_as_null: bool = False


def in_duckdb(frame: pd.DataFrame) -> ir.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def assert_same(a: Profile, b: Profile) -> None:
    assert a.rows == b.rows
    assert a.columns.keys() == b.columns.keys()
    for name, column in a.columns.items():
        mine, other = column.model_dump(), b.columns[name].model_dump()
        for key in mine.keys() - {"design"}:
            assert mine[key] == (pytest.approx(other[key], rel=1e-9) if key in ("mean", "std") else other[key])


def test_duckdb_and_pandas_give_the_same_profile():
    frame, newer = table(0), table(1)
    reference = build_profile(frame)
    assert_same(reference, build_profile(in_duckdb(frame)))
    assert_same(build_profile(newer, reference), build_profile(in_duckdb(newer), reference))


def test_counting_in_the_engine_gives_the_same_profile_as_counting_here():
    frame = table(2)
    frame.loc[:4, "city"] = "Atlantis"
    reference = build_profile(table(3))
    source = IbisSource(in_duckdb(frame))
    tallies = {name: _same_tally(reference, name, 1) for name in KINDS}
    push_down(source, KINDS, None, tallies)
    here = build_profile(frame, reference)
    for name, tally in tallies.items():
        pushed, counted = tally.column(held_out=False, ordered=False), here.columns[name]
        assert pushed.model_dump(exclude={"mean", "std"}) == counted.model_dump(exclude={"mean", "std"})
        if isinstance(pushed, NumericColumn):
            assert (pushed.mean, pushed.std) == pytest.approx((counted.mean, counted.std), rel=1e-9)
    assert here.columns["city"].unseen == {"Atlantis": 5}


@pytest.mark.parametrize("dialect", ["bigquery", "pyspark"])
@pytest.mark.parametrize("cut", [Cut(8, date="seen", last_day=None, period_days=7), Cut(8, blocks=["city"])])
def test_the_queries_compile_for_remote_engines(dialect, cut, monkeypatch):
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    frame = table(0)
    if cut.date:
        cut = Cut(cut.pieces, date="seen", last_day=frame["seen"].max().date(), period_days=7)
    named = ibis.table(in_duckdb(frame).schema(), name="rows_of_today")
    tallies = _own_tallies(IbisSource(in_duckdb(frame)).sample(KINDS, len(frame)), KINDS, 9, 256, 200, len(frame))
    selected = IbisSource(named).selected(KINDS, cut, named)
    ours = {f"c{i}": tallies[name] for i, name in enumerate(KINDS)}
    assert "rows_of_today" in str(ibis.to_sql(count_query(selected, ours, dialect), dialect=dialect))
    assert "rows_of_today" in str(ibis.to_sql(moment_query(selected, ours), dialect=dialect))


def test_engine_pieces_by_date_are_those_of_pandas():
    frame = table(4)
    by_frame = build_profile(frame, numeric=["price"], categorical=["city"], date="seen")
    by_engine = build_profile(in_duckdb(frame), numeric=["price"], categorical=["city"], date="seen")
    assert by_frame.columns["price"].design == by_engine.columns["price"].design
    assert by_frame.columns["price"].design.windows is not None


@settings(max_examples=40)
@given(st.integers(0, 2_000), st.integers(0, 50))
def test_merged_parts_equal_the_whole(cut, seed):
    frame = table(seed)
    reference = build_profile(table(99))
    parts = [build_profile(part, reference) for part in (frame.iloc[:cut], frame.iloc[cut:])]
    assert_same(build_profile(frame, reference), merge(*parts))


def test_profiles_on_other_edges_are_not_merged():
    with pytest.raises(EvergreenError, match="price has other edges"):
        merge(build_profile(table(0)), build_profile(table(1)))


def test_a_profile_survives_json():
    profile = build_profile(table(0), blocks="city")
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_size_does_not_grow_with_rows():
    sizes = [len(build_profile(table(0, rows)).model_dump_json()) for rows in (20_000, 80_000)]
    assert sizes[1] < 1.1 * sizes[0]


def test_std_survives_a_large_level():
    values = np.random.default_rng(0).normal(1e9, 0.01, 50_000)
    column = build_profile(pd.DataFrame({"x": values})).columns["x"]
    assert column.std == pytest.approx(values.std(ddof=1), rel=1e-6)


def test_ties_get_bins_of_their_own():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(20_000) < 0.3, 0.0, rng.normal(size=20_000))
    edges = quantile_edges(values, 256)
    counts = np.bincount(Binner(edges)(values))
    assert counts[np.searchsorted(edges, 0.0)] == (values == 0).sum()


def test_quartiles_are_read_off_the_histogram():
    values = np.random.default_rng(0).normal(size=50_000)
    column = build_profile(pd.DataFrame({"x": values})).columns["x"]
    assert column.quantile(0.25) == pytest.approx(np.quantile(values, 0.25), abs=0.01)


LARGEST = np.finfo(float).max
SMALLEST = np.finfo(float).smallest_subnormal
ANCHORS = [sign * size for size in (LARGEST, LARGEST / 2, 1.0, np.finfo(float).tiny, SMALLEST) for sign in (1, -1)]
finite = st.sampled_from([*ANCHORS, 0.0, -0.0]) | st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=200)
@given(hnp.arrays(float, st.integers(1, 300), elements=finite), hnp.arrays(float, 50, elements=finite))
def test_bin_numbers_are_those_of_searchsorted(values, others):
    edges = quantile_edges(values, 16)
    assert (edges[1:] > edges[:-1]).all()
    everything = np.concatenate([values, others])
    assert (Binner(edges)(everything) == np.searchsorted(edges, everything, side="left")).all()


@pytest.mark.parametrize("put", [lambda frame: frame, in_duckdb], ids=["pandas", "duckdb"])
def test_the_largest_floats_are_values_like_others(put):
    values = np.random.default_rng(0).choice([LARGEST, -LARGEST, 1.0], 3_000)
    profile = build_profile(put(pd.DataFrame({"x": values})), numeric=["x"])
    column = profile.columns["x"]
    assert (column.minimum, column.maximum) == (-LARGEST, LARGEST)
    assert column.mean == pytest.approx((values / len(values)).sum())
    again = build_profile(pd.DataFrame({"x": values}), profile)
    assert compare_profiles(profile, again, DriftPolicy()).columns["x"].alarm is False


def test_absent_columns_are_named():
    with pytest.raises(EvergreenError, match="colour"):
        build_profile(table(0), numeric=["colour"])


def test_numbers_as_categories_read_alike_with_and_without_nulls():
    whole = build_profile(pd.DataFrame({"store": [1, 2, 2]}), categorical=["store"])
    holes = build_profile(pd.DataFrame({"store": [1.0, None, 2.0]}), whole)
    column = holes.columns["store"]
    assert isinstance(column, CategoricalColumn)
    assert (column.levels, column.counts, column.nulls) == (("2", "1"), (1, 1, 0), 1)


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ([1, 2, 1, 3], [1.0, 2.0, 1.0, 3.0]),
        (["1", "2", "1", "3"], ["1.0", "2.0", "1.0", "3.0"]),
        ([True, False, True, True], ["Yes", "No", "Yes", "Yes"]),
        (["Yes", "No", "Yes", "Yes"], [True, False, True, True]),
    ],
)
def test_a_level_is_counted_as_itself_however_a_later_file_spells_it(seen, read):
    kind: dict[str, str] = {"code": "categorical"}
    reference = build_profile(pd.DataFrame({"code": seen}), numeric=[], categorical=["code"])
    window = pd.DataFrame({"code": read})
    pushed = {"code": _same_tally(reference, "code", 1)}
    push_down(IbisSource(in_duckdb(window)), kind, None, pushed)
    found = [pushed["code"].column(held_out=False, ordered=False)]
    found += [build_profile(table, reference).columns["code"] for table in (window, in_duckdb(window))]
    expected = reference.columns["code"]
    assert [(each.counts, each.unseen) for each in found] == [(expected.counts, {})] * 3
