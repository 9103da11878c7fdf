"""Features of each row of a fact table, as its star schema is described.

Rules:
    - A return (see ``Returns``) is no fact: it leaves the rows and the histories.
    - The key identifies a row, and the contract refuses one that repeats. Rows that are equal in everything else are
      separate, as when a till scans the same article twice.
    - A key without a row in a dimension, or with nulls there, gets null attributes.
    - A null key has no history: its history features are null.
    - A history sees rows strictly before the row's day, a dated dimension what was known by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from evergreen.features.calendar import add_calendar
from evergreen.features.checks import require_columns
from evergreen.features.days import ALL_DAYS, Days
from evergreen.features.dimensions import HOUR, add_dimension, as_category, hour_number
from evergreen.features.history import history_of, key_history
from evergreen.features.lookup import look_up, require_same_keys
from evergreen.features.measures import counting, measured, sparse_measures
from evergreen.features.typed import as_date, as_key, as_number
from evergreen.rows.canonical_column import canonical_column
from evergreen.schema import TableSpec
from evergreen.star_schema import Dimension, Facts, StarSchema

Tables = Mapping[str, ir.Table]


def star_features(tables: Tables, star: StarSchema, spec: TableSpec, span: Days = ALL_DAYS) -> ir.Table:
    """Compute the features of each fact, as known before its day.

    Args:
        tables: The source tables by the names that ``star`` gives them.
        star: What to make of them.
        spec: How the table of features calls the row's key (``entity``) and its day (``date``).
        span: Days whose facts are asked for. Only these and the days that their histories look back at are read, and
            the features are the same to the last bit.

    Returns:
        One row a fact: entity, date, ``facts.keys``, calendar, histories, dimensions, the facts' own columns, outcomes.

    Raises:
        EvergreenError: If a column is missing, a date can't be read, or keys are of types that can't be joined.
    """
    date = str(spec.date)
    require_columns(tables[star.facts.table], star.facts.table, fact_columns(star))
    source = tables[star.facts.table]
    past = span.reaching_back(source, as_date(source[star.facts.date], star.time_zone), star.look_back_days)
    facts = _facts(past, star, spec.entity, date)
    _require_dimensions(facts, tables, star)
    table = _asked_for(facts, source, star, spec, span)
    table = add_calendar(table, date, star.calendar) if star.calendar else table
    # Narrow tables first: DuckDB takes a history for as long as the facts and keeps the narrower side in memory.
    known = [(keys, _known_of(keys, facts, tables, star, date, span)) for keys in _keys_of_histories(star)]
    for keys, each in sorted(known, key=lambda found: len(found[1].columns)):
        table = look_up(table, each, [*keys, date])
    for dimension in star.dimensions.values():
        if not _goes_with_a_history(dimension, star):
            table = add_dimension(table, tables[dimension.table], dimension, date, star.time_zone)
    naive = naive_columns(star) if star.naive else []
    table = _add_naive(table, _facts(source, star, spec.entity, date), star) if star.naive else table
    dimensions = [name for each in star.dimensions.values() for name in each.columns]
    own = [name for name in (*star.facts.numeric, *star.facts.categorical) if name not in star.facts.keys]
    names = [spec.entity, date, *star.facts.keys, *star.past_columns, *dimensions, *own, *naive]
    return table.select(*names, **{name: table[_kept(name)] for name in star.outcome_columns})


def fact_columns(star: StarSchema) -> list[str]:
    """The columns of the facts that are read."""
    facts = star.facts
    read = [column for measure in star.measures.values() for column in measure.columns]
    returns = [*facts.returns.positive, *facts.returns.marked]
    own = [*facts.numeric, *facts.categorical, *facts.outcomes]
    return list(dict.fromkeys([*facts.key, facts.date, *facts.keys, *returns, *read, *own, *facts.required]))


def naive_columns(star: StarSchema) -> list[str]:
    """The leaky columns of common tutorials: ratios of the row itself, averages over all rows."""
    ratios = [star.name_of(name) for name, each in star.measures.items() if each.ratio]
    means = [
        f"naive_{prefix}_avg_{next(iter(each.measures))}" for prefix, each in star.histories.items() if each.measures
    ]
    return [*ratios, *means]


def entity_of(table: ir.Table, facts: Facts) -> ir.Column:
    """What tells facts apart: the key, as one text where it has several columns; a repeat is numbered from 2 on."""
    if len(facts.key) == 1 and not facts.number_repeats:
        return as_key(table[facts.key[0]])
    parts = [canonical_column(as_key(table[name])) for name in facts.key]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + ibis.literal("|") + part
    if not facts.number_repeats:
        return joined
    order = [table[facts.date], *(table[name] for name in table.columns if name != facts.date)]
    number = ibis.row_number().over(ibis.window(group_by=list(facts.key), order_by=order)) + 1
    return ibis.ifelse(number == 1, joined, joined + ibis.literal("|") + number.cast("string"))


def _facts(table: ir.Table, star: StarSchema, entity: str, date: str) -> ir.Table:
    """The rows that count, with a DATE, their keys and own columns, and the measures that histories are made of."""
    facts = star.facts
    columns: dict[str, ir.Value] = {entity: entity_of(table, facts), date: as_date(table[facts.date], star.time_zone)}
    columns |= {name: as_number(table[name]) for name in facts.numeric}
    columns |= {name: as_category(table[name]) for name in facts.categorical}
    columns |= {name: as_key(table[name]) for name in facts.keys}
    columns |= {_measure(name): measured(table, each) for name, each in star.measures.items()}
    outcomes = {star.name_of(name): columns[_measure(name)] for name in star.measures}
    columns |= {_kept(name): outcomes[name] if name in outcomes else table[name] for name in star.outcome_columns}
    if any(each.period == "hour" for each in star.dimensions.values()):
        columns[HOUR] = hour_number(table[facts.date])
    counts = {f"ev_counts_{i}": each for i, each in enumerate(counting(table, facts.returns))}
    rows = table.select(**columns, **counts)
    return rows.filter(*(rows[name] for name in counts)).select(*columns) if counts else rows


def _asked_for(facts: ir.Table, source: ir.Table, star: StarSchema, spec: TableSpec, span: Days) -> ir.Table:
    """The facts of some days; a repeat is numbered among all facts of its key."""
    date = str(spec.date)
    if span == ALL_DAYS:
        return facts
    if not star.facts.number_repeats:
        return span.of(facts, facts[date])
    day = as_date(source[star.facts.date], star.time_zone)
    keys = span.of(source, day).select(*star.facts.key).distinct()
    numbered = _facts(source.semi_join(keys, star.facts.key), star, spec.entity, date)
    return span.of(numbered, numbered[date])


def _measure(name: str) -> str:
    return f"ev_measure_{name}"


def _kept(name: str) -> str:
    return f"ev_kept_{name}"


def _require_dimensions(facts: ir.Table, tables: Tables, star: StarSchema) -> None:
    for each in star.dimensions.values():
        table, dated = tables[each.table], [each.date] if each.date else []
        require_columns(table, each.table, [*each.key.values(), *dated, *each.numeric, *each.categorical])
        for ours, theirs in each.key.items():
            if not dated:
                named = table.select(as_key(table[theirs]).name(ours))
                require_same_keys({star.facts.table: facts, each.table: named}, ours)


def _keys_of_histories(star: StarSchema) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(tuple(each.keys) for each in star.histories.values()))


def _goes_with_a_history(dimension: Dimension, star: StarSchema) -> bool:
    """Whether a dimension is joined to the few rows of a history in place of all facts."""
    return dimension.period != "hour" and tuple(dimension.key) in _keys_of_histories(star)


def _known_of(
    keys: Sequence[str], facts: ir.Table, tables: Tables, star: StarSchema, date: str, span: Days
) -> ir.Table:
    """What is known of some keys on each day with a row of theirs: histories, and dimensions that go by them."""
    lines = facts.select(*keys, date, **{name: facts[_measure(name)] for name in star.measures})
    sparse = sparse_measures(star.measures, star.facts.returns.positive)
    lines = span.of_its_keys(lines, keys, date)
    known: ir.Table | None = None
    for prefix, rule in star.histories.items():
        if tuple(rule.keys) == tuple(keys):
            past = key_history(lines, history_of(prefix, rule, sparse), date, star.history_days)
            past = span.of(past, past[date])
            known = past if known is None else look_up(known, past, [*keys, date])
    assert known is not None  # the keys are those of a history
    for dimension in star.dimensions.values():
        if tuple(dimension.key) == tuple(keys) and _goes_with_a_history(dimension, star):
            known = add_dimension(known, tables[dimension.table], dimension, date, star.time_zone)
    return known


def _add_naive(table: ir.Table, facts: ir.Table, star: StarSchema) -> ir.Table:
    """Add ratios of the row itself, and averages over all rows, the row itself and later ones included."""
    ratios = {star.name_of(name): table[_measure(name)] for name, each in star.measures.items() if each.ratio}
    table = table.mutate(**ratios)
    for prefix, rule in star.histories.items():
        if rule.measures:
            first = next(iter(rule.measures))
            mean = {f"naive_{prefix}_avg_{first}": facts[_measure(first)].mean()}
            table = look_up(table, facts.group_by(list(rule.keys)).agg(**mean), rule.keys)
    return table
