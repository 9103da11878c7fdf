"""Features of equal digests are equal, whatever happened to their sources; what they don't depend on may change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evergreen.features.days import Days
from evergreen.features.making import Making, TableInParts, dated_in_parts, star_in_parts
from evergreen.features.reuse import cuts_of, digest_of, months_of, spans_of, statement_of
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from small_star import FACTS, FIGURES, KNOWN, SPEC, declarations, facts, figures, known

Frames = dict[str, pd.DataFrame]
SCHEMAS = {"facts": FACTS, "known": KNOWN, "figures": FIGURES}
PARTS = [Days(None, dt.date(2024, 1, 31)), Days(dt.date(2024, 2, 1), None)]
QUICK = [Phase.explicit, Phase.generate]
STAR = StarSchema.model_validate(
    {
        "history_days": 5,
        "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["a", "b"], "numeric": ["own"]},
        "measures": {"x": "x"},
        "histories": {"h": {"keys": ["a"], "measures": {"x": ["avg"]}}},
        "dimensions": {
            "known": {"table": "known", "key": "b", "numeric": ["size"], "categorical": ["kind"]},
            "figures": {"table": "figures", "key": "a", "date": "from", "period": "month", "numeric": ["price"]},
        },
    }
)


def frames(seed: int = 1) -> Frames:
    days = [dt.date(2023, 12, 1), dt.date(2024, 1, 1), dt.date(2024, 2, 1)]
    monthly = pd.DataFrame([(a, day) for a in "pq" for day in days], columns=["a", "from"])
    return {"facts": facts(seed, 120), "known": known(), "figures": monthly.assign(price=1.0, mood="up")}


def lazy(rows: Frames) -> dict[str, ir.Table]:
    return {n: ibis.memtable(pa.Table.from_pandas(f, SCHEMAS[n], preserve_index=False)) for n, f in rows.items()}


def making_of(rows: Frames, star: StarSchema = STAR, labels: pd.DataFrame | None = None, **more: Any) -> Making:
    apart = None if labels is None else ibis.memtable(labels)
    table = star_in_parts(lazy(rows), star, SPEC, apart, **more)
    assert isinstance(table, TableInParts)
    return table.making


def digests(making: Making) -> list[str]:
    said, months = statement_of(making), months_of(making.lines)
    return [digest_of(span, said, months, making.look_back_days) for span in PARTS]


def changed_parts(before: Making, after: Making) -> list[bool]:
    return [one != other for one, other in zip(digests(before), digests(after), strict=True)]


def edited(rows: Frames, star: StarSchema, seed: int) -> Frames:
    """One line or figure is other than it was, is gone, or has come."""
    rng = np.random.default_rng(seed)
    name = rng.choice([each.table for each in star.dimensions.values()] + ["facts"])
    table = rows[name].copy().astype({"price": float} if name == "figures" else {})
    line = int(rng.integers(len(table)))
    if rng.random() < 0.3:
        table = table.drop(index=line)
    elif name == "facts" and rng.random() < 0.3:
        table = pd.concat([table, table.loc[[line]].assign(id=10_000)], ignore_index=True)
    else:
        column = {"facts": ["x", "y", "colour", "own", "a"], "known": ["size", "kind"], "figures": ["price"]}[name]
        new = {"x": 3.25, "y": 7.0, "colour": "red", "own": 0.5, "a": "q", "size": 9.5, "kind": "new", "price": 0.25}
        chosen = str(rng.choice(column))
        table.loc[line, chosen] = new[chosen]
    return rows | {name: table.reset_index(drop=True)}


@settings(max_examples=6, phases=QUICK)
@given(declarations(), st.integers(0, 2**31))
def test_parts_of_equal_digests_are_equal(star: StarSchema, seed: int) -> None:
    rows = {"facts": facts(seed), "known": known(), "figures": figures(seed)}
    before, after = making_of(rows, star), making_of(edited(rows, star, seed), star)
    for span, changed in zip(PARTS, changed_parts(before, after), strict=True):
        if not changed:
            one, other = (each.of(span).to_pandas().sort_values("id", ignore_index=True) for each in (before, after))
            pd.testing.assert_frame_equal(one, other, check_exact=True)


def with_line(rows: Frames, day: dt.date) -> Frames:
    late = rows["facts"].head(1).assign(id=9_999, day=day, a="p", x=1.0)
    return rows | {"facts": pd.concat([rows["facts"], late])}


def with_figure(rows: Frames, month: dt.date) -> Frames:
    table = rows["figures"]
    return rows | {"figures": table.assign(price=np.where(table["from"] == month, 2.0, 1.0))}


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda rows: rows, [False, False]),
        (lambda rows: {name: each.sample(frac=1, random_state=3) for name, each in rows.items()}, [False, False]),
        (lambda rows: with_line(rows, dt.date(2024, 2, 20)), [False, True]),
        (lambda rows: with_line(rows, dt.date(2024, 1, 30)), [True, True]),  # February looks back at it
        (lambda rows: with_line(rows, dt.date(2023, 11, 1)), [True, False]),
        (lambda rows: with_figure(rows, dt.date(2024, 1, 1)), [False, True]),  # known of January, from February on
        (lambda rows: with_figure(rows, dt.date(2023, 12, 1)), [True, True]),  # January's lines are seen by February's
        (lambda rows: with_figure(rows, dt.date(2024, 2, 1)), [False, False]),  # from March on
        (lambda rows: rows | {"known": known().assign(size=5.0)}, [True, True]),
        (lambda rows: rows | {"known": pd.concat([known(), known().tail(1).assign(b=7)])}, [False, False]),
        (lambda rows: rows | {"facts": rows["facts"].assign(unread=1)}, [False, False]),
    ],
    ids=[
        "nothing", "order", "a new line", "a late line", "a line of long ago", "last month's figure",
        "an earlier figure", "a figure of later", "an article", "an article that nobody bought", "a column",
    ],
)  # fmt: skip
def test_a_change_is_felt_by_the_parts_that_see_it(change: Callable[[Frames], Frames], parts: list[bool]) -> None:
    assert changed_parts(making_of(frames()), making_of(change(frames()))) == parts


def test_another_setting_is_felt_by_all_parts() -> None:
    rules = STAR.model_copy(update={"history_days": 6})
    assert changed_parts(making_of(frames()), making_of(frames(), rules)) == [True, True]


def test_outcomes_that_arrive_apart_are_felt_where_they_belong_and_the_day_asked_is_not() -> None:
    rows = frames()
    young = rows["facts"][rows["facts"]["day"] >= PARTS[1].first]["id"].iloc[0]
    label = pd.DataFrame({"id": [young], "x": [1.0], "observed_at": [dt.date(2024, 3, 1)]})
    before, then, after = (
        making_of(rows, labels=label, as_of=dt.date(2024, *day)) for day in ((2, 28), (3, 1), (3, 2))
    )
    assert changed_parts(then, after) == [False, False]
    assert changed_parts(before, then) == [False, True]


def test_a_dated_table_has_parts() -> None:
    spec = TableSpec(entity="id", date="day", target="colour", positive="red", numeric=["x"])

    def made(rows: Frames) -> Making:
        table = lazy(rows)["facts"]
        found = dated_in_parts(table, lambda span: span.of(table, table.day), spec, 5)
        assert isinstance(found, TableInParts)
        return found.making

    assert changed_parts(made(frames()), made(with_line(frames(), dt.date(2024, 2, 20)))) == [False, True]


def test_a_table_without_dates_has_none() -> None:
    spec = TableSpec(entity="id", target="colour", positive="red", numeric=["x"])
    table = lazy(frames())["facts"]
    assert not isinstance(dated_in_parts(table, lambda _: table, spec, 0), TableInParts)


def test_another_engine_computes_the_whole_table() -> None:
    engine = ibis.sqlite.connect()
    kinds = {name: ibis.schema(each) for name, each in SCHEMAS.items()}
    empty = {name: engine.create_table(name, schema=kind) for name, kind in kinds.items()}
    assert not isinstance(star_in_parts(empty, STAR, SPEC), TableInParts)


@ibis.udf.scalar.python
def _twice(x: float) -> float:
    return 2 * x


@pytest.mark.parametrize("value", [ibis.today(), ibis.now(), ibis.random(), _twice(ibis.literal(1.0))])
def test_what_is_of_the_moment_or_of_ones_own_python_is_made_whole(value: ir.Value) -> None:
    rows = lazy(frames())["facts"]
    spec = TableSpec(entity="id", date="day", target="colour", positive="red", numeric=["x"])
    table = dated_in_parts(rows, lambda span: span.of(rows, rows.day).mutate(new=value), spec, 5)
    assert not isinstance(table, TableInParts)


def test_the_newest_two_months_are_a_part_and_older_ones_stay_as_they_were_cut() -> None:
    march = {2023 * 12 + month: (200_000, "1") for month in range(15)}  # until March of the year after
    first = spans_of(march, [])
    assert first == [Days(None, dt.date(2024, 1, 31)), Days(dt.date(2024, 2, 1), None)]
    april = march | {2024 * 12 + 3: (10, "2")}
    assert cuts_of(spans_of(april, cuts_of(first))) == [2024 * 12 + 1, 2024 * 12 + 2]
    assert cuts_of(spans_of(march, cuts_of(spans_of(april, [])))) == [2024 * 12 + 1]
    assert spans_of(dict.fromkeys(march, (1000, "1")), []) == [Days()]
    assert spans_of({None: (1_000_000, "1")}, []) == [Days()]
