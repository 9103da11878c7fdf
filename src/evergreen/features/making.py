"""How features are made of source tables, whole or the rows of some days alone, and what a source line brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.expr.operations.udf import InputType

from evergreen.features.days import ALL_DAYS, Days
from evergreen.features.dimensions import HOUR, add_dimension, hour_number
from evergreen.features.outcomes import with_labels
from evergreen.features.star_schema import entity_of, fact_columns, star_features
from evergreen.features.typed import as_date, as_key
from evergreen.schema import TableSpec
from evergreen.star_schema import Dimension, StarSchema

_SAMPLE = Days(dt.date(2000, 1, 1), dt.date(2000, 1, 31))
_FUNCTIONS = (ops.ScalarUDF, ops.AggUDF)
_MAY_VARY = (ops.Impure, ops.TimestampNow, ops.DateNow, *_FUNCTIONS)
_ENGINE = "duckdb"
_OWN = "ev_own"


@dataclass(frozen=True)
class Making:
    """How features are made, and what of.

    Attributes:
        sources: The tables that are read, by name.
        features: Days and the last day whose outcomes count → the features of the days' rows; of the same rows the
            same bits, whatever the days.
        lines: One row a source line: its day as ``ev_day``, and in further columns all that it brings to features.
        look_back_days: How many days before its own a row looks at; None: at all.
        as_of: The last day whose outcomes count; None: all do.
    """

    sources: Mapping[str, ir.Table]
    features: Callable[[Days, dt.date | None], ir.Table]
    lines: ir.Table
    look_back_days: int | None
    as_of: dt.date | None

    def of(self, span: Days) -> ir.Table:
        """The features of the rows of some days."""
        return self.features(span, self.as_of)

    def definition(self) -> ir.Table:
        """The features of some days that never change: what is asked of the sources, whatever they hold."""
        return self.features(_SAMPLE, None if self.as_of is None else _SAMPLE.last)


class TableInParts(ir.Table):
    """A lazy table of features that can be computed in parts, too."""

    making: Making


def in_parts(making: Making) -> ir.Table:
    """The whole table; one in parts, where the engine can tell what has changed and a definition always means the same.

    One that asks for today's date, for chance or for Python of one's own doesn't.
    """
    whole = making.of(ALL_DAYS)
    if whole.get_backend().name != _ENGINE or any(map(_varies, whole.op().find(_MAY_VARY))):
        return whole
    table = TableInParts(whole.op())
    object.__setattr__(table, "making", making)  # expressions are immutable
    return table


def star_in_parts(
    tables: Mapping[str, ir.Table],
    star: StarSchema,
    spec: TableSpec,
    labels: ir.Table | None = None,
    as_of: dt.date | None = None,
) -> ir.Table:
    """The features of a star schema's facts, with the outcomes that arrived apart by a day; see ``star_features``."""

    def features(span: Days, known_until: dt.date | None) -> ir.Table:
        made = star_features(tables, star, spec, span)
        return made if labels is None else with_labels(made, labels, spec, known_until)

    source = tables[star.facts.table]
    if star.naive or (star.facts.number_repeats and source[star.facts.date].type().is_string()):
        return features(ALL_DAYS, as_of)  # a row depends on later ones
    lines = _star_lines(tables, star, spec, named=labels is not None)
    brought = _with_outcome(lines, labels, spec, as_of)
    sources = {**tables, **({} if labels is None else {"labels": labels})}
    look_back = None if star.facts.number_repeats else star.look_back_days
    return in_parts(Making(sources, features, brought, look_back, as_of))


def dated_in_parts(
    rows: ir.Table,
    features: Callable[[Days], ir.Table],
    spec: TableSpec,
    look_back_days: int,
    labels: ir.Table | None = None,
    as_of: dt.date | None = None,
) -> ir.Table:
    """The features of a dated table's rows, with the outcomes that arrived apart by a day.

    Args:
        rows: The source.
        features: Days → the features of their rows.
        spec: The table's description.
        look_back_days: How many days before its own a row looks at.
        labels: Outcomes that arrive apart.
        as_of: The last day whose outcomes count.
    """

    def labelled(days: Days, known_until: dt.date | None) -> ir.Table:
        made = features(days)
        return made if labels is None else with_labels(made, labels, spec, known_until)

    if spec.date is None:
        return labelled(ALL_DAYS, as_of)
    own = {spec.entity: as_key(rows[spec.entity]), spec.date: as_date(rows[spec.date], spec.time_zone)}
    brought = _with_outcome(rows.select(**own, **{_OWN: content(rows, rows.columns)}), labels, spec, as_of)
    sources = {"rows": rows, **({} if labels is None else {"labels": labels})}
    return in_parts(Making(sources, labelled, brought, look_back_days, as_of))


def content(table: ir.Table, columns: Sequence[str]) -> ir.IntegerColumn:
    """A number for what some columns of a row hold together, another for other values: DuckDB's hash of 64 bits."""
    return _hash(ibis.struct({name: table[name] for name in columns}))


def _star_lines(tables: Mapping[str, ir.Table], star: StarSchema, spec: TableSpec, *, named: bool) -> ir.Table:
    """The facts' own columns as one number, and another for what each dimension knows of a line.

    ``named`` lines have their entity, which takes sorting where repeats are numbered.
    """
    source = tables[star.facts.table]
    columns: dict[str, ir.Value] = {name: as_key(source[name]) for name in star.facts.keys}
    columns |= {spec.entity: entity_of(source, star.facts)} if named else {}
    columns |= {str(spec.date): as_date(source[star.facts.date], star.time_zone)}
    columns |= {_OWN: content(source, fact_columns(star))}
    if any(each.period == "hour" for each in star.dimensions.values()):
        columns[HOUR] = hour_number(source[star.facts.date])
    lines = source.select(**columns)
    for i, dimension in enumerate(star.dimensions.values()):
        known, condensed = _condensed(tables[dimension.table], dimension, f"ev_known_{i}")
        lines = add_dimension(lines, known, condensed, str(spec.date), star.time_zone)
    return lines


def _condensed(table: ir.Table, dimension: Dimension, name: str) -> tuple[ir.Table, Dimension]:
    """A dimension that knows one number, of all the columns that are read."""
    joined = [*dimension.key.values(), *([dimension.date] if dimension.date else [])]
    read = [*dimension.numeric, *dimension.categorical] or joined
    known = table.select(*dict.fromkeys(joined), **{name: content(table, read)})
    return known, dimension.model_copy(update={"numeric": [name], "categorical": [], "prefix": ""})


def _with_outcome(lines: ir.Table, labels: ir.Table | None, spec: TableSpec, as_of: dt.date | None) -> ir.Table:
    """What lines bring, their outcome included, and their day."""
    brought = [name for name in lines.columns if name.startswith("ev_") and name != HOUR]
    if labels is None:
        return lines.select(*brought, ev_day=lines[str(spec.date)])
    found = with_labels(lines, labels, spec, as_of)
    return found.select(*brought, ev_day=found[str(spec.date)], ev_outcome=found[spec.target])


def _varies(node: ops.Node) -> bool:
    return not isinstance(node, _FUNCTIONS) or node.__input_type__ != InputType.BUILTIN


@ibis.udf.scalar.builtin(name="hash", signature=((None,), dtypes.uint64))
def _hash(values: object) -> int:  # type: ignore[empty-body]
    """DuckDB's own."""
