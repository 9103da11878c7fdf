"""Which days' rows are asked for, and which earlier ones these look back at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir


@dataclass(frozen=True)
class Days:
    """Days in a row.

    Attributes:
        first: The first of them; None: no day is too early.
        last: The last of them; None: no day is too late.
    """

    first: dt.date | None = None
    last: dt.date | None = None

    def of(self, table: ir.Table, day: ir.DateColumn) -> ir.Table:
        """The rows of these days."""
        return self.reaching_back(table, day, 0)

    def reaching_back(self, table: ir.Table, day: ir.DateColumn, days: int) -> ir.Table:
        """The rows of these days and of so many before the first."""
        first = self.earliest(days)
        kept = [day >= ibis.date(first)] if first else []
        kept += [day <= ibis.date(self.last)] if self.last else []
        return table.filter(*kept) if kept else table

    def earliest(self, days: int) -> dt.date | None:
        """The day that lies so many days before the first; None where there is no such day."""
        if self.first is None or days >= (self.first - dt.date.min).days:
            return None
        return self.first - dt.timedelta(days=days)

    def of_its_keys(self, lines: ir.Table, keys: Sequence[str], date: str) -> ir.Table:
        """The lines of keys that have a line on one of these days."""
        if self == ALL_DAYS:
            return lines
        return lines.semi_join(self.of(lines, lines[date]).select(*keys).distinct(), list(keys))


ALL_DAYS = Days()
