"""Are a window's rows fit to learn from?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.contracts import contract_for
from evergreen.monitoring.profiles.profile import Profile
from evergreen.records import Check, Record
from evergreen.retraining.parameters import GatePolicy
from evergreen.retraining.row_pool import recent_start
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import between_dates
from evergreen.schema import TableSpec


class QualityGate(Record):
    """``quality_gate.json``; ``status`` is ``passed``, or ``skipped`` where there is no reason to learn anything.

    A gate that fails stops the run instead.

    Attributes:
        passed: Whether every check passed.
        checks: All checks; none where it was skipped.
    """

    passed: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class WindowCounts:
    """Rows, share of missing feature values, rows that repeat an entity, and days with rows (None without dates)."""

    rows: int
    missing_share: float
    duplicates: int
    days: int | None


def count_window(window: ir.Table, spec: TableSpec) -> WindowCounts:
    """Count in one query, where the data lies, what the gate asks for."""
    present = [name for name in spec.features if name in window.columns]
    missing = [_is_missing(window[name]).sum().fill_null(0) for name in present]
    counts = {"rows": window.count(), "entities": window[spec.entity].nunique(), "missing": sum(missing)}
    if spec.date is not None:
        counts["days"] = window[spec.date].cast("date").nunique()
    found = window.aggregate(**counts).to_pyarrow().to_pylist()[0]
    cells = max(found["rows"] * len(present), 1)
    duplicates = found["rows"] - found["entities"]
    return WindowCounts(found["rows"], found["missing"] / cells, duplicates, found.get("days"))


def judge_gate(
    counts: WindowCounts, policy: GatePolicy, reference_missing_share: float, breach: str | None
) -> tuple[Check, ...]:
    """Hold a window against the policy.

    Args:
        counts: What was counted in the window.
        policy: The limits.
        reference_missing_share: Share of missing values that the champion's reference had.
        breach: How the window breaks the contract of its columns, in words; None where it holds.
    """
    missing_allowed = max(policy.max_missing_share, reference_missing_share)
    checks = [
        _at_least("rows", counts.rows, policy.min_rows),
        _share("missing_share", counts.missing_share, missing_allowed),
        _share("duplicate_share", counts.duplicates / max(counts.rows, 1), policy.max_duplicate_share),
        Check(name="contract", passed=breach is None, found=breach or "holds", allowed="holds"),
    ]
    if counts.days is not None:
        checks.append(_at_least("days", counts.days, policy.min_days))
    return tuple(checks)


def nothing_to_check(use_case: str, as_of: dt.date) -> QualityGate:
    """The gate where nothing will be learnt: rows that nobody learns from may be few."""
    return QualityGate(use_case=use_case, as_of=as_of, status="skipped", passed=True, checks=())


def passed_gate(use_case: str, as_of: dt.date, checks: tuple[Check, ...]) -> QualityGate:
    """The record of a gate that lets a window through.

    Raises:
        EvergreenError: Where a check failed; see :func:`require_passed`.
    """
    require_passed(use_case, checks)
    return QualityGate(use_case=use_case, as_of=as_of, status="passed", passed=True, checks=checks)


def require_passed(use_case: str, checks: tuple[Check, ...]) -> None:
    """Stop where a check failed.

    Raises:
        EvergreenError: Naming the failed checks with the numbers found and allowed.
    """
    failed = [check for check in checks if not check.passed]
    if failed:
        words = [f"{check.name} is {check.found_text} (allowed: {check.allowed_text})" for check in failed]
        raise EvergreenError(
            f"{use_case}: the quality gate stopped retraining because {'; '.join(words)}; nothing was changed, "
            "so correct the source tables or set retraining.gate."
        )


def _at_least(name: str, found: int, allowed: int) -> Check:
    return Check(name=name, passed=found >= allowed, found=found, allowed=allowed, at_least=True)


def _share(name: str, found: float, allowed: float) -> Check:
    return Check(name=name, passed=found <= allowed, found=found, allowed=allowed, unit="share")


def _is_missing(column: ir.Column) -> ir.IntegerColumn:
    null = column.isnull()
    missing = null | column.isnan() if column.type().is_floating() else null
    return ibis.ifelse(missing, 1, 0)


def recent_rows(
    window: ir.Table, table: TableSpec, as_of: dt.date, split: SplitParameters, window_days: int
) -> ir.Table:
    """The newest rows whose outcomes are known; without dates, the newest snapshot."""
    end = as_of - dt.timedelta(days=split.label_delay_days)
    return between_dates(window, table, recent_start(as_of, split, window_days), end)


def contract_breach(rows: ir.Table, table: TableSpec, use_case: str) -> str | None:
    """How rows break the contract that follows from their description, in words; None where they hold it.

    Repeated entities have a check of their own, calendar columns are constant in a short window by nature, and newest
    rows may lack outcomes: the trigger counts those that have one.
    """
    asked = table.model_copy(
        update={
            "numeric": [name for name in table.numeric if table.drifts(name)],
            "categorical": [name for name in table.categorical if table.drifts(name)],
        }
    )
    contract = contract_for(asked, labelled=False, table=f"{use_case}'s window")
    contract.key = ()
    try:
        contract.validate(rows)
    except EvergreenError as breach:
        return str(breach).rstrip(".")
    return None


def missing_share(reference: Profile) -> float:
    """Share of missing values that a version was trained with."""
    columns = reference.columns.values()
    return sum(column.nulls for column in columns) / max(sum(column.rows for column in columns), 1)
