"""Whether a window's data is fit to be judged at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from pydantic import Field

from evergreen.monitoring.parameters import QualityPolicy
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn, Profile, TimeColumn
from evergreen.records import Check, Frozen

CheckName = Literal[
    "row_count",
    "completeness",
    "duplicates",
    "date_range",
    "schema",
    "unseen_levels",
    "range",
    "constant",
    "infinities",
    "freshness",
]
_SHARES = ("completeness", "unseen_levels", "range")


class QualityReport(Frozen):
    """All checks of one window.

    Attributes:
        status: The worst status among the checks.
        checks: Every check made, passed ones included.
    """

    status: Literal["ok", "warning", "failed"]
    checks: tuple[Check, ...] = Field(default_factory=tuple)

    @property
    def failures(self) -> list[Check]:
        """Checks that were not passed."""
        return [check for check in self.checks if not check.passed]

    @property
    def blockers(self) -> list[Check]:
        """Failed checks that make the window unfit to be judged and to learn from."""
        return [check for check in self.failures if check.blocks]


def check_quality(
    reference: Profile,
    window: Profile,
    policy: QualityPolicy | None = None,
    *,
    as_of: dt.date | None = None,
    duplicates: int | None = None,
    off: Collection[str] = (),
) -> QualityReport:
    """Check a window's data from profiles alone.

    Args:
        reference: Profile of how data was.
        window: Profile of the window, built with ``reference=``.
        policy: The limits; default ``QualityPolicy()``.
        as_of: The date that the run pretends is today; without it freshness isn't checked.
        duplicates: Rows that repeat another row's key, see ``count_duplicates``; None: not checked.
        off: Columns whose values move by nature, such as the calendar's; new levels, values beyond the
            reference's range and constancy say nothing about them and aren't checked.
    """
    policy = policy or QualityPolicy()
    checks = [_limit("row_count", None, window.rows >= policy.min_rows, window.rows, policy.min_rows, "failed")]
    if duplicates is not None:
        fits = duplicates <= policy.max_duplicates
        checks.append(_limit("duplicates", None, fits, duplicates, policy.max_duplicates, "failed"))
    checks += [*_dates(window, policy, as_of), *_schema(reference, window)]
    for name, column in window.columns.items():
        before = reference.columns.get(name)
        checks.append(_completeness(name, column, before, policy))
        if isinstance(column, NumericColumn) and isinstance(before, NumericColumn):
            few = column.infinities <= max(policy.max_infinities, before.infinities)
            checks.append(_limit("infinities", name, few, column.infinities, policy.max_infinities))
            checks += [] if name in off else _numbers(name, column, before, policy)
        elif isinstance(column, CategoricalColumn) and name not in off:
            checks += _levels(name, column, before, policy)
    statuses = {check.status for check in checks}
    worst: Literal["ok", "warning", "failed"] = "ok"
    if "failed" in statuses:
        worst = "failed"
    elif "warning" in statuses:
        worst = "warning"
    return QualityReport(status=worst, checks=tuple(checks))


def count_duplicates(table: pd.DataFrame | ir.Table, keys: Sequence[str]) -> int:
    """Rows that repeat another row's key: rows less distinct keys, counted where the data lies."""
    if isinstance(table, pd.DataFrame):
        return int(table.duplicated(list(keys)).sum())
    keyed = table.select(*keys)
    found = keyed.agg(rows=keyed.count()).to_pyarrow()["rows"][0].as_py()
    distinct = keyed.distinct()
    return int(found - distinct.agg(rows=distinct.count()).to_pyarrow()["rows"][0].as_py())


def _limit(
    name: CheckName,
    column: str | None,
    fits: bool,
    found: float | str | None,
    allowed: float | str | None,
    otherwise: Literal["warning", "failed"] = "warning",
) -> Check:
    return Check(
        name=name,
        passed=fits,
        where=column or "",
        found=found,
        allowed=allowed,
        unit="share" if name in _SHARES else "",
        at_least=name == "row_count",
        blocks=otherwise == "failed",
    )


def _dates(window: Profile, policy: QualityPolicy, as_of: dt.date | None) -> Iterable[Check]:
    last = window.window_end
    if as_of is None or last is None:
        return
    yield _limit("date_range", None, last <= as_of, f"rows until {last}", f"until {as_of}", "failed")
    age = (as_of - last).days
    yield _limit("freshness", None, age <= policy.max_age_days, age, policy.max_age_days)


def _schema(reference: Profile, window: Profile) -> Iterable[Check]:
    numbers = {"number", "boolean"}
    for name in reference.columns:
        before, now = reference.families[name], window.families.get(name)
        same = now in (before, "null") or before == "null" or {before, now} <= numbers
        yield _limit("schema", name, same, now or "missing", before, "failed")
    for name in window.families.keys() - reference.families.keys():
        yield _limit("schema", name, False, window.families[name], "no such column")


def _completeness(
    name: str,
    column: NumericColumn | CategoricalColumn | TimeColumn,
    before: NumericColumn | CategoricalColumn | TimeColumn | None,
    policy: QualityPolicy,
) -> Check:
    share = column.nulls / column.rows if column.rows else 0.0
    usual = before.nulls / before.rows if before is not None and before.rows else 0.0
    allowed = max(policy.max_null_share, usual)
    return _limit("completeness", name, share <= allowed, share, allowed)


def _levels(name: str, column: CategoricalColumn, before: object, policy: QualityPolicy) -> Iterable[Check]:
    complete = isinstance(before, CategoricalColumn) and before.counts[-1] == 0
    if complete and column.count:
        share = column.counts[-1] / column.count
        yield _limit("unseen_levels", name, share <= policy.max_unseen_share, share, policy.max_unseen_share)
        was_constant = isinstance(before, CategoricalColumn) and np.count_nonzero(before.counts) <= 1
        constant = np.count_nonzero(column.counts) <= 1 and not was_constant
        yield _limit("constant", name, not constant, "one level" if constant else "varies", "varies")


def _numbers(name: str, column: NumericColumn, before: NumericColumn, policy: QualityPolicy) -> Iterable[Check]:
    if not column.count or not before.count:
        return
    share = (column.counts[0] + column.counts[-1]) / column.count
    yield _limit("range", name, share <= policy.max_outside_share, share, policy.max_outside_share)
    constant = column.minimum == column.maximum and before.minimum != before.maximum and column.count > 1
    yield _limit("constant", name, not constant, "one value" if constant else "varies", "varies")
