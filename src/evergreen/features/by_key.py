"""Features of keys on days that have no facts yet: what a service answers from when it is asked by key.

One line a key and day is invented and handed, beside the facts that are known, to the definitions that training uses.
An invented line enters no history: a day's lines see earlier days alone, and each day is computed by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from evergreen.errors import EvergreenError
from evergreen.features.calendar import day_number
from evergreen.features.star_schema import fact_columns, star_features
from evergreen.features.typed import as_date, as_key
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema

Tables = Mapping[str, ir.Table]


@dataclass(frozen=True)
class KeyGroup:
    """Features that go by the same keys.

    Attributes:
        keys: Columns of the facts; none for what the day alone says.
        features: Names of the features.
    """

    keys: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True)
class KeyedFeatures:
    """Every key's features on each of some days, from the facts up to one day.

    Attributes:
        known_until: Newest day whose facts count.
        groups: Which features go by which keys.
        days: Day → its lines: all keys, and all features that go by keys; a line holds one group's keys, others null.
        time_zone: Where a day is counted.
    """

    known_until: dt.date | None
    groups: tuple[KeyGroup, ...]
    days: dict[dt.date, pa.Table]
    time_zone: str | None = None


NOTHING = KeyedFeatures(None, (), {})


def key_groups(star: StarSchema) -> list[KeyGroup]:
    """Which features go by which keys; those of the row itself, its hour or its own key go by none and are left out."""
    found: dict[tuple[str, ...], list[str]] = {(): list(star.calendar)}
    for prefix, rule in star.histories.items():
        found.setdefault(tuple(rule.keys), []).extend(rule.columns(prefix))
    for dimension in star.dimensions.values():
        if dimension.period != "hour" and set(dimension.key) <= set(star.facts.keys):
            found.setdefault(tuple(dimension.key), []).extend(dimension.columns)
    return [KeyGroup(keys, tuple(features)) for keys, features in found.items() if features]


def keyed_columns(star: StarSchema) -> list[str]:
    """All features that go by keys."""
    return [name for group in key_groups(star) for name in group.features]


def features_by_key(
    tables: Tables, star: StarSchema, spec: TableSpec, days_ahead: int, as_of: dt.date | None
) -> KeyedFeatures:
    """Every key's features on the newest day that is known and on the days after it.

    Args:
        tables: The source tables by the names that ``star`` gives them.
        star: What to make of them.
        spec: How the table of features calls a row's key and day.
        days_ahead: How many days after the newest.
        as_of: Facts of later days don't count; None: all count.

    Raises:
        EvergreenError: Where a feature can't be known ahead, or there are no facts.
    """
    known_until = newest_day(tables, star, as_of)
    groups = key_groups(star)
    lines = _union(_keys_of(tables, star, group, known_until) for group in groups)
    days = [known_until + dt.timedelta(days=ahead) for ahead in range(days_ahead + 1)]
    made = {day: features_on(tables, star, spec, lines, day, known_until).to_pyarrow() for day in days}
    return KeyedFeatures(known_until, tuple(groups), made, star.time_zone)


def features_on(
    tables: Tables, star: StarSchema, spec: TableSpec, lines: ir.Table, day: dt.date, known_until: dt.date
) -> ir.Table:
    """The features that lines with some keys would have on a day, by the definitions of training.

    Args:
        tables: The source tables by the names that ``star`` gives them.
        star: What to make of them.
        spec: How the table of features calls a row's key and day.
        lines: One row a line: ``facts.keys``, null where a line has none; no two rows alike.
        day: Their day.
        known_until: Facts of later days don't count.

    Returns:
        One row a line: its keys and all features that go by keys.

    Raises:
        EvergreenError: Where a feature can't be known ahead.
    """
    if star.naive:
        raise EvergreenError("features.naive averages over all rows, later ones included: no key has that ahead.")
    facts = star.facts
    known = _dated(tables, star)
    earliest = day - dt.timedelta(days=star.look_back_days)
    number = day_number(known[facts.date])
    before = known.filter(
        number >= _number(earliest), number < _number(day), number <= _number(known_until)
    )  # nothing older enters a history
    kinds = known.schema()
    counts = dict.fromkeys(facts.returns.positive, ibis.literal(1))
    made: dict[str, ir.Value] = {}
    for name, kind in kinds.items():
        if name == facts.date:
            made[name] = ibis.date(day)
        elif name in facts.keys:
            made[name] = lines[name].cast(kind)
        else:
            made[name] = counts.get(name, ibis.null()).cast(kind)
    invented = lines.select(**made)
    table = star_features({**tables, facts.table: before.union(invented)}, star, spec)
    return table.filter(table[str(spec.date)] == ibis.date(day)).select(*facts.keys, *keyed_columns(star))


def lines_of(keys: Sequence[Mapping[str, str | None]], tables: Tables, star: StarSchema) -> ir.Table:
    """Keys as texts, as :func:`features_on` takes them; each combination once."""
    known = tables[star.facts.table]
    columns = {name: pa.array([row.get(name) for row in keys], pa.string()) for name in star.facts.keys}
    texts = ibis.memtable(pa.table(columns)).distinct()
    return texts.select(**{name: texts[name].try_cast(as_key(known[name]).type()) for name in star.facts.keys})


def _dated(tables: Tables, star: StarSchema) -> ir.Table:
    """The facts' columns that are read, with a DATE."""
    facts = tables[star.facts.table].select(*fact_columns(star))
    return facts.mutate(**{star.facts.date: as_date(facts[star.facts.date], star.time_zone)})


def newest_day(tables: Tables, star: StarSchema, as_of: dt.date | None) -> dt.date:
    """The newest day with facts, those after ``as_of`` left out.

    Raises:
        EvergreenError: Where there are none.
    """
    date = _dated(tables, star)[star.facts.date]
    newest = date.max().to_pyarrow().as_py()
    if newest is None:
        raise EvergreenError(f"{star.facts.table} has no row with a {star.facts.date}: no key has features.")
    return min(newest, as_of) if as_of else newest


def _keys_of(tables: Tables, star: StarSchema, group: KeyGroup, known_until: dt.date) -> ir.Table:
    """The keys of one group that the facts, or a dimension of theirs, have; the keys of other groups are null."""
    facts = _dated(tables, star)
    facts = facts.filter(day_number(facts[star.facts.date]) <= _number(known_until))
    kinds = {name: as_key(facts[name]).type().copy(nullable=True) for name in star.facts.keys}
    if not group.keys:
        return ibis.memtable({"ev_one": [1]}).select(**{name: ibis.null().cast(kind) for name, kind in kinds.items()})
    own = [facts.select(**{name: as_key(facts[name]).cast(kinds[name]) for name in group.keys})]
    for dimension in star.dimensions.values():
        if tuple(dimension.key) == group.keys and dimension.date is None:
            table = tables[dimension.table]
            own.append(table.select(**{a: as_key(table[b]).try_cast(kinds[a]) for a, b in dimension.key.items()}))
    distinct = _union(own).drop_null(list(group.keys)).distinct()
    others = {name: ibis.null().cast(kind) for name, kind in kinds.items() if name not in group.keys}
    return distinct.mutate(**others).select(*star.facts.keys)


def _union(tables: Iterable[ir.Table]) -> ir.Table:
    first, *others = tables
    return first.union(*others) if others else first


def _number(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days
