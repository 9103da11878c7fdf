"""Are a window's rows fit to learn from?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.features.contracts import contract_for
from evergreen.monitoring.profiles.profile import Profile
from evergreen.records import Check, Record
from evergreen.retraining.parameters import GatePolicy
from evergreen.retraining.row_pool import recent_start
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import between_dates
from evergreen.schema import TableSpec

YEAR = 365
FEWEST_WINDOWS = 2
FEWEST_ROWS, MOST_ROWS, MOST_DAYS = 100, 1000, 5


class QualityGate(Record):
    """``quality_gate.json``; ``status`` is ``passed``, ``too_little``, or ``skipped`` where nothing is to be learnt.

    Rows that are too few to learn from are an outcome; rows that are unfit stop the run instead.

    Attributes:
        passed: Whether every check passed.
        checks: All checks; none where it was skipped.
    """

    passed: bool
    checks: tuple[Check, ...]

    @property
    def reason(self) -> str:
        """Why nothing is learnt, in a sentence."""
        return (
            f"Too little to learn from: {_in_words(check for check in self.checks if not check.passed)}; wait for more."
        )


@dataclass(frozen=True)
class WindowCounts:
    """Rows, share of missing feature values, rows that repeat an entity, and days with rows (None without dates)."""

    rows: int
    missing_share: float
    duplicates: int
    days: int | None


@dataclass(frozen=True)
class UsualWindow:
    """What windows of one length usually hold; None where the history does not say."""

    rows: float | None = None
    days: float | None = None


def usual_window(window: ir.Table, spec: TableSpec, start: dt.date, window_days: int, known_rows: int) -> UsualWindow:
    """What a window of so many days held in the median of the last year.

    Args:
        window: The newest feature table.
        spec: Its description.
        start: First day of the newest window; those before it are looked at.
        window_days: Length of a window.
        known_rows: Rows that the champion was trained on: what is usual where rows have no dates.
    """
    if spec.date is None:
        return UsualWindow(rows=float(known_rows))
    first = start - dt.timedelta(days=window_days * max(YEAR // window_days, FEWEST_WINDOWS))
    older = between_dates(window, spec, first, start - dt.timedelta(days=1))
    found = older.group_by(day=older[spec.date].cast("date")).aggregate(rows=older.count()).execute()
    back = (pd.Timestamp(start) - pd.to_datetime(found["day"])).dt.days - 1
    by_window = found.groupby(back // window_days)["rows"].agg(["sum", "count"])
    whole = by_window.loc[: (back.max() + 1) // window_days - 1] if len(found) else by_window
    if len(whole) < FEWEST_WINDOWS:
        return UsualWindow()
    return UsualWindow(float(whole["sum"].median()), float(whole["count"].median()))


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
    counts: WindowCounts,
    policy: GatePolicy,
    reference_missing_share: float,
    breach: str | None,
    usual: UsualWindow = UsualWindow(),
) -> tuple[Check, ...]:
    """Hold a window against the policy.

    Args:
        counts: What was counted in the window.
        policy: The limits.
        reference_missing_share: Share of missing values that the champion's reference had.
        breach: How the window breaks the contract of its columns, in words; None where it holds.
        usual: What such windows usually hold: a season with few rows is no fault.
    """
    missing_allowed = max(policy.max_missing_share, reference_missing_share)
    checks = [
        _at_least("rows", counts.rows, policy.min_rows, _enough(MOST_ROWS, usual.rows, FEWEST_ROWS, policy)),
        _share("missing_share", counts.missing_share, missing_allowed),
        _share("duplicate_share", counts.duplicates / max(counts.rows, 1), policy.max_duplicate_share),
        Check(name="contract", passed=breach is None, found=breach or "holds", allowed="holds"),
    ]
    if counts.days is not None:
        checks.append(_at_least("days", counts.days, policy.min_days, _enough(MOST_DAYS, usual.days, 1, policy)))
    return tuple(checks)


def nothing_to_check(use_case: str, as_of: dt.date) -> QualityGate:
    """The gate where nothing will be learnt: rows that nobody learns from may be few."""
    return QualityGate(use_case=use_case, as_of=as_of, status="skipped", passed=True, checks=())


def gate_of(use_case: str, as_of: dt.date, checks: tuple[Check, ...]) -> QualityGate:
    """The record of a gate: rows pass it, or are too few to learn from.

    Raises:
        EvergreenError: Where rows are unfit; see :func:`require_fit`.
    """
    require_fit(use_case, checks)
    passed = all(check.passed for check in checks)
    return QualityGate(
        use_case=use_case, as_of=as_of, status="passed" if passed else "too_little", passed=passed, checks=checks
    )


def require_fit(use_case: str, checks: tuple[Check, ...]) -> None:
    """Stop where rows are unfit to learn from, which more of them would not mend.

    Raises:
        EvergreenError: Naming the failed checks with the numbers found and allowed.
    """
    failed = [check for check in checks if check.status == "failed"]
    if failed:
        few = all(check.name in ("rows", "days") for check in failed)
        advice = "too little to learn from: wait for more" if few else "correct the source tables"
        raise EvergreenError(
            f"{use_case}: the quality gate stopped retraining because {_in_words(failed)}; nothing was changed, "
            f"so {advice} or set retraining.gate."
        )


def _in_words(failed: Iterable[Check]) -> str:
    return "; ".join(f"{check.name} is {check.found_text} (allowed: {check.allowed_text})" for check in failed)


def _enough(most: int, usual: float | None, least: int, policy: GatePolicy) -> int:
    """What a window must hold at least, by what such windows usually hold."""
    return most if usual is None else min(most, max(ceil(policy.min_share_of_usual * usual), least))


def _at_least(name: str, found: int, stated: int | None, usual: int) -> Check:
    """What a person states must hold; what follows from usual windows says that there is too little."""
    allowed = usual if stated is None else stated
    return Check(
        name=name, passed=found >= allowed, found=found, allowed=allowed, at_least=True, blocks=stated is not None
    )


def _share(name: str, found: float, allowed: float) -> Check:
    return Check(name=name, passed=found <= allowed, found=found, allowed=allowed, unit="share")


def _is_missing(column: ir.Column) -> ir.IntegerColumn:
    null = column.isnull()  # noqa: PD003 - an Ibis column
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
