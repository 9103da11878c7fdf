"""Which features of earlier runs still hold? Those whose digest is the same as today's.

Two parts of equal digests are equal to the last bit: a digest is of the statement that computes features, of the
engine, and, month by month, of all that a source line brings: its own columns, what dimensions know of it, its outcome.
A part depends on its own months and on those that its rows look back at; a late line, a corrected article or another
setting changes the digests of the parts that feel it, and of no other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from evergreen.features.days import Days
from evergreen.features.making import Making, content

_FORM = 1  # of digests; another one has everything computed anew
_FEWEST_LINES = 1_000_000  # fewer are computed as fast as parts of them are put together

Month = int
"""Year × 12 + month − 1."""

Months = Mapping[Month | None, tuple[int, str]]
"""Month → number and digest of its lines, whatever their order; None: of lines without a day."""


def months_of(lines: ir.Table) -> dict[Month | None, tuple[int, str]]:
    """Number and digest of each month's lines: the sum of their contents.

    Args:
        lines: As of :class:`Making`.
    """
    month = lines.ev_day.year().cast("int64") * 12 + lines.ev_day.month().cast("int64") - 1
    total = content(lines, [name for name in lines.columns if name != "ev_day"]).cast("decimal(38, 0)").sum()
    found = lines.group_by(month=month).agg(rows=ibis._.count(), total=total).to_pyarrow().to_pylist()
    return {each["month"]: (each["rows"], str(each["total"])) for each in found}


def statement_of(making: Making) -> str:
    """The definition of the features, the engine and the sources' columns, as one text that is the same every time."""
    definition = making.definition()
    named = {table.op(): ibis.table(table.schema(), name=name).op() for name, table in making.sources.items()}
    query = ibis.to_sql(definition.op().replace(named).to_expr(), dialect="duckdb")
    schemas = {name: str(table.schema()) for name, table in sorted(making.sources.items())}
    return json.dumps([_FORM, definition.get_backend().version, schemas, str(query)])


def spans_of(months: Months, cuts: Collection[Month]) -> list[Days]:
    """The parts of a table, in order.

    Late lines are mostly young: the newest month and the one before it are a part by themselves. Older parts stay as
    they were cut once.

    Args:
        months: Of its lines.
        cuts: Months with which a part of the former table began.
    """
    known = [month for month in months if month is not None]
    if not known or sum(rows for rows, _ in months.values()) < _FEWEST_LINES or max(known) - 1 <= min(known):
        return [Days()]
    newest = max(known) - 1
    firsts = [_first_day(cut) for cut in sorted({*cuts, newest}) if min(known) < cut <= newest]
    ends = [first - dt.timedelta(days=1) for first in firsts]
    return [Days(first, last) for first, last in zip([None, *firsts], [*ends, None], strict=True)]


def cuts_of(spans: Collection[Days]) -> list[Month]:
    """The months with which parts begin."""
    return [_month_of(span.first) for span in spans if span.first]


def digest_of(span: Days, statement: str, months: Months, look_back_days: int | None) -> str:
    """The digest of the features of some days.

    Args:
        span: The days.
        statement: What computes features.
        months: Of the source lines.
        look_back_days: As of :class:`Making`.
    """
    last = _month_of(span.last) if span.last else None
    earliest = None if look_back_days is None else span.earliest(look_back_days)
    first = _month_of(earliest) if earliest else None
    read = sorted(
        (-1 if month is None else month, *found)
        for month, found in months.items()
        if month is None or ((first is None or month >= first) and (last is None or month <= last))
    )
    text = json.dumps([statement, str(span.first), str(span.last), read])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _month_of(day: dt.date) -> Month:
    return day.year * 12 + day.month - 1


def _first_day(month: Month) -> dt.date:
    return dt.date(month // 12, month % 12 + 1, 1)
