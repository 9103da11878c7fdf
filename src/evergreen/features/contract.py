"""What a table promises in general: its columns, its key, and that it holds rows."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.checks import Column, Count, counts_of, duplicate_keys, schema_breaches
from evergreen.records import Check

_MAX_SENTENCES = 8


class Contract:
    """A table's promise: its columns, its key, and that it holds rows.

    Args:
        table: Name of the table in messages.
        columns: What its columns promise; further columns are free.
        key: Columns whose joint value is unique.
        may_be_empty: Whether the table may have no rows.
    """

    def __init__(
        self, table: str, columns: Sequence[Column], key: Sequence[str], *, may_be_empty: bool = False
    ) -> None:
        self.table = table
        self.columns = tuple(columns)
        self.key = tuple(key)
        self.may_be_empty = may_be_empty
        self.no_rows = "0 rows"

    def validate(self, data: ir.Table) -> ir.Table:
        """Check the table with one aggregate query and one more for duplicates.

        Args:
            data: Lazy table on any Ibis backend.

        Returns:
            The same table.

        Raises:
            EvergreenError: One sentence for a breach; for several, a headline and one sentence each.
        """
        breaches = schema_breaches(data, self.columns)
        broken = {breach.where for breach in breaches}
        sound = {column.name: column for column in self.columns if column.name not in broken}
        breaches += self._count(data, sound)
        if breaches:
            raise EvergreenError(_message(self.table, breaches))
        return data

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """The rows to be counted; ``sound`` are the columns that exist and have an accepted type."""
        return [count for column in sound.values() for count in counts_of(data, column)]

    def inspect(self, data: ir.Table, sound: dict[str, Column], rows: int) -> list[Check]:  # noqa: ARG002
        """Further checks of a table with rows; none here."""
        return []

    def _count(self, data: ir.Table, sound: dict[str, Column]) -> list[Check]:
        counts = self.counts(data, sound)
        named = {f"count_{i}": count.offending for i, count in enumerate(counts)}
        found = data.aggregate(rows=data.count(), **named).to_pyarrow().to_pylist()[0]
        rows = found.pop("rows")
        if not rows and self.may_be_empty:
            return []
        if not rows:
            advice = "check the source and its filters"
            return [Check(name="empty_table", passed=False, found=self.no_rows, allowed="1 or more", what_to_do=advice)]
        if self.key and set(self.key) <= sound.keys():
            unique = Count(
                "duplicate_keys",
                ", ".join(self.key),
                duplicate_keys(data, self.key),
                "repeat a key",
                "keep one row a key",
            )
            counts.append(unique)
            found["key"] = unique.offending.to_pyarrow().as_py()
        judged = [count.judge(int(number or 0), rows) for count, number in zip(counts, found.values(), strict=True)]
        return [check for check in judged if not check.passed] + self.inspect(data, sound, rows)


def _message(table: str, breaches: Sequence[Check]) -> str:
    sentences = [breach.within(table).sentence for breach in breaches]
    if len(sentences) == 1:
        return sentences[0]
    names = ", ".join(dict.fromkeys(breach.name for breach in breaches))
    shown = [f"  - {sentence}" for sentence in sentences[:_MAX_SENTENCES]]
    if len(sentences) > _MAX_SENTENCES:
        shown.append(f"  - and {len(sentences) - _MAX_SENTENCES} more")
    return "\n".join([f"{table} breaks its contract in {len(sentences)} places ({names}).", *shown])
