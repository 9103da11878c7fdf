"""Were requests answered from the features that the warehouse has for them?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from evergreen.records import Frozen, Record
from evergreen.rows.canonical_series import canonical_texts
from evergreen.schema import TableSpec

SHOWN = 10


@dataclass(frozen=True)
class Pairs:
    """Requests and the warehouse's rows for them, in the same order.

    Attributes:
        served: ``request_id`` and the features that were answered from.
        recomputed: The warehouse's features.
    """

    served: pd.DataFrame
    recomputed: pd.DataFrame

    def differing(self, table: TableSpec) -> pd.DataFrame:
        """Which cells differ (n rows, a column a feature)."""
        numeric, categorical = ([n for n in names if n in self.served] for names in (table.numeric, table.categorical))
        return differing(self.served, self.recomputed, numeric, categorical)


class ColumnSkew(Frozen):
    """One feature's cells.

    Attributes:
        column: The feature.
        cells: How many were compared.
        differing: How many differ.
        greatest: Greatest difference of two numbers; None for categories, and where one of the two is missing.
    """

    column: str
    cells: int
    differing: int
    greatest: float | None = None


class SkewAuditRecord(Record):
    """``skew_audit.json``; ``status`` is ``same``, ``skew`` or ``nothing_to_compare``.

    Attributes:
        requests: Requests whose features were recomputed.
        cells: Features of theirs that were compared.
        differing: Those that differ from what was served, though the warehouse knew as much then as is counted now.
        columns: The features that differ, most differing first.
        request_ids: Some of the requests concerned.
        settled_requests: Requests by key whose day the warehouse knows by now.
        aged: Cells of theirs that newer facts would have changed: what an older ``serving_features`` costs.
        because: Why nothing was compared, where nothing was.
    """

    requests: int = 0
    cells: int = 0
    differing: int = 0
    columns: list[ColumnSkew] = Field(default_factory=list)
    request_ids: list[str] = Field(default_factory=list)
    settled_requests: int = 0
    aged: int = 0
    because: str | None = None


def skew_record(
    use_case: str, as_of: dt.date, table: TableSpec, pairs: Sequence[Pairs], aged: Sequence[Pairs] = ()
) -> SkewAuditRecord:
    """What an audit found.

    Args:
        use_case: Whose requests.
        as_of: The day of the audit.
        table: The features' kinds.
        pairs: Requests beside what the warehouse knew for them when they were answered.
        aged: Requests by key beside what it knows for them by now.
    """
    found = [(each, each.differing(table)) for each in pairs if len(each.served)]
    if not found:
        because = "no request names keys, or the key of a row that the table of features has"
        return SkewAuditRecord(use_case=use_case, as_of=as_of, status="nothing_to_compare", because=because)
    columns = _columns(found, table)
    concerned = [each.served["request_id"][cells.any(axis=1)] for each, cells in found]
    return SkewAuditRecord(
        use_case=use_case,
        as_of=as_of,
        status="skew" if columns else "same",
        requests=sum(len(cells) for _, cells in found),
        cells=sum(cells.size for _, cells in found),
        differing=sum(column.differing for column in columns),
        columns=columns,
        request_ids=pd.concat(concerned).head(SHOWN).tolist(),
        settled_requests=sum(len(each.served) for each in aged),
        aged=sum(int(each.differing(table).to_numpy().sum()) for each in aged),
    )


def differing(
    served: pd.DataFrame, recomputed: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]
) -> pd.DataFrame:
    """Which cells differ: numbers by value, categories by canonical text, a missing one from every other.

    Args:
        served: What requests were answered from (n rows).
        recomputed: What the warehouse has for them, row by row.
        numeric: Names of the numbers among both.
        categorical: Names of the categories among both.

    Returns:
        Truth values (n rows), a column a feature.
    """
    found = {}
    for name in numeric:
        ours, theirs = (_numbers(frame, name) for frame in (served, recomputed))
        found[name] = ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
    for name in categorical:
        (ours, our_texts), (theirs, their_texts) = (canonical_texts(frame[name]) for frame in (served, recomputed))
        found[name] = our_texts[ours] != their_texts[theirs]
    return pd.DataFrame(found, index=served.index)


def _columns(found: Sequence[tuple[Pairs, pd.DataFrame]], table: TableSpec) -> list[ColumnSkew]:
    """The features that differ somewhere, most differing first."""
    columns = []
    for name in table.features:
        parts = [(pairs, cells[name].to_numpy()) for pairs, cells in found if name in cells]
        count = sum(int(apart.sum()) for _, apart in parts)
        if count:
            greatest = _greatest(parts, name) if name in table.numeric else None
            size = sum(len(apart) for _, apart in parts)
            columns.append(ColumnSkew(column=name, cells=size, differing=count, greatest=greatest))
    return sorted(columns, key=lambda column: -column.differing)


def _greatest(parts: Sequence[tuple[Pairs, np.ndarray]], name: str) -> float | None:
    apart = [np.abs(_numbers(p.served, name) - _numbers(p.recomputed, name))[cells] for p, cells in parts]
    known = [float(value) for each in apart for value in each if not np.isnan(value)]
    return max(known, default=None)


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].astype("float64").to_numpy()
