"""What the table of a use case promises, as its description implies."""

from __future__ import annotations

import datetime as dt
import logging

import ibis
import ibis.expr.types as ir

from evergreen.features.checks import Column, Count, future_dates
from evergreen.features.contract import Contract
from evergreen.features.typed import as_date, as_number
from evergreen.records import Check
from evergreen.rows.labels import LabelDefinition
from evergreen.schema import TableSpec

_LOGGER = logging.getLogger(__name__)
_MAX_UNPARSABLE_SHARE = 0.1
_MAX_OUTCOMES = 10_000
_NAMED_OUTCOMES = 5
_MIN_ROWS_OF_LEVELS = 100
_LEVELS_A_ROW = 0.95
_LEVELS_OF_FREE_TEXT = 0.5
_LENGTH_OF_FREE_TEXT = 40
_LEVELS_ADVICE = (
    "take it off the list, for an id or free text says nothing of a new row; what it says (its length, a word, "
    "a group) can be a column of its own"
)


class OneTable(Contract):
    """Any one-table use case: what its ``TableSpec`` implies.

    The key is present and unique, no date lies in the future. The outcome (when labelled) has two classes and is
    known, but for the newest ``label_delay_days`` of a dated table. Numeric features are numbers, truth values or texts
    that parse to at least 90 %, nothing is infinite. A categorical feature has levels that repeat. A feature with at
    most one value is logged as a warning, since training can do without it.

    Args:
        spec: The table in the user's column names.
        labelled: Whether the outcome is known; serving data needs none.
        table: Name of the table in messages.
        label_delay_days: Days until an outcome is known.
    """

    def __init__(self, spec: TableSpec, *, labelled: bool, table: str, label_delay_days: int = 0) -> None:
        needed = spec.null_keys == "refuse"
        keys = [Column(name, "key", required=needed) for name in spec.keys if name != spec.date]
        dates = [Column(spec.date, "date", required=needed, unparsable_share=0.0)] if spec.date else []
        features = [Column(name, "any") for name in spec.features]
        target = [Column(spec.target, "any", required=spec.date is None)] if labelled else []
        if labelled and spec.weights:
            target.append(Column(spec.weights, "number", required=True, unparsable_share=0.0))
        named = {column.name: column for column in [*features, *target, *dates, *keys]}
        super().__init__(table, list(named.values()), spec.key)
        self.spec = spec
        self.labelled = labelled
        self.label_delay_days = label_delay_days

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: numeric features as their type asks, and outcomes that should be known by now."""
        typed = dict(sound)
        typed |= {name: self._numeric(data[name]) for name in self.spec.numeric if name in sound}
        counts = super().counts(data, typed)
        if self.labelled and self.spec.date in sound and self.spec.target in sound:
            counts.append(self._late_outcomes(data))
        if self.spec.date in sound:
            counts.append(future_dates(data, self.spec.date, None, self.spec.time_zone or "UTC"))
        return counts

    def inspect(self, data: ir.Table, sound: dict[str, Column], rows: int) -> list[Check]:
        """Two classes in the outcome, levels that repeat; features that say nothing are logged."""
        names = [name for name in self.spec.features if name in sound]
        if names:
            varies = {f"varies_{i}": data[name].min() < data[name].max() for i, name in enumerate(names)}
            found = data.aggregate(**varies).to_pyarrow().to_pylist()[0]
            silent = [name for i, name in enumerate(names) if not found[f"varies_{i}"]]
            if silent:
                _LOGGER.warning("%s: %s hold at most one value and can't help", self.table, ", ".join(silent))
        if not self.labelled:
            return []
        checks = self._levels(data, [name for name in self.spec.categorical if name in sound])
        if self.spec.target in sound:
            checks.append(outcome_check(data, self.spec, rows))
        return [check for check in checks if not check.passed]

    def _numeric(self, column: ir.Column) -> Column:
        kind = column.type()
        is_date = kind.is_date() or kind.is_timestamp()
        return Column(column.get_name(), "any" if is_date else "number", unparsable_share=_MAX_UNPARSABLE_SHARE)

    def _late_outcomes(self, data: ir.Table) -> Count:
        day = as_date(data[self.spec.date], self.spec.time_zone)
        newest = day.max().to_pyarrow().as_py() or dt.date.max
        known = ibis.date(newest - dt.timedelta(days=self.label_delay_days))
        late = (data[self.spec.target].isnull() & (day <= known)).cast("int64").sum().fill_null(0)
        found = f"up to {newest - dt.timedelta(days=self.label_delay_days)} have no outcome"
        advice = f"fill or drop these rows, or raise split.label_delay_days (now {self.label_delay_days})"
        return Count("null_values", self.spec.target, late, found, advice)

    def _levels(self, data: ir.Table, names: list[str]) -> list[Check]:
        """Categories of which nearly every row has its own: ids and free text."""
        if not names:
            return []
        asked: dict[str, ir.Scalar] = {}
        for i, name in enumerate(names):
            text = data[name].cast("string")
            asked |= {f"rows_{i}": text.count(), f"levels_{i}": text.nunique(), f"length_{i}": text.length().mean()}
        found = data.aggregate(**asked).to_pyarrow().to_pylist()[0]
        return [
            _level_check(name, found[f"rows_{i}"], found[f"levels_{i}"], found[f"length_{i}"] or 0.0)
            for i, name in enumerate(names)
        ]


def _level_check(name: str, rows: int, levels: int, length: float) -> Check:
    most = _LEVELS_OF_FREE_TEXT if length > _LENGTH_OF_FREE_TEXT else _LEVELS_A_ROW
    return Check(
        name="levels_that_repeat",
        passed=rows < _MIN_ROWS_OF_LEVELS or levels < most * rows,
        where=name,
        found=f"{levels:,} levels in {rows:,} rows",
        allowed=f"fewer than {most:.0%} of the rows",
        what_to_do=_LEVELS_ADVICE,
    )


def outcome_check(data: ir.Table, spec: TableSpec, rows: int) -> Check:
    """Whether the outcome has two classes, by the definition that the table's description states.

    Args:
        data: The table.
        spec: Its description.
        rows: Its number of rows.
    """
    target = data[spec.target]
    counted = target.name("value").value_counts(name="rows").order_by([ibis.desc("rows"), "value"]).limit(_MAX_OUTCOMES)
    values = counted.to_pyarrow()["value"].drop_null().to_pandas()
    shown = ", ".join(map(str, values[:_NAMED_OUTCOMES])) + (", …" if len(values) > _NAMED_OUTCOMES else "")
    found = f"one class only in {rows:,} rows of type {target.type()} ({shown or 'no value'})"
    if spec.positive is not None:
        labels = LabelDefinition(target=spec.target, kind="positive", positive=spec.positive).apply(values)
        named = " or ".join(map(repr, spec.positive_values))
        advice = "name under positive the value, or the list of values, that counts as 1"
        passed = len(set(labels)) > 1
        return _two_classes(spec.target, passed, found, f"{named} and others", advice)
    number = as_number(target)
    ends = data.aggregate(least=number.min(), most=number.max()).to_pyarrow().to_pylist()[0]
    if ends["least"] is None:
        advice = "name under positive the value, or the list of values, that counts as 1"
        return _two_classes(spec.target, False, f"text ({shown})", "numbers where positive is not given", advice)
    cut = spec.threshold
    passed = ends["least"] < ends["most"] if cut is None else ends["least"] <= cut < ends["most"]
    allowed = "several values" if cut is None else f"numbers on both sides of {cut:g}"
    advice = "state threshold (above it counts as 1) or positive (equal to it does)"
    return _two_classes(spec.target, bool(passed), found, allowed, advice)


def _two_classes(target: str, passed: bool, found: str, allowed: str, advice: str) -> Check:
    return Check(name="two_classes", passed=passed, where=target, found=found, allowed=allowed, what_to_do=advice)


def contract_for(spec: TableSpec, *, labelled: bool, table: str = "table", label_delay_days: int = 0) -> Contract:
    """Derive the contract of a one-table use case from its description.

    Args:
        spec: The table in the user's column names.
        labelled: Whether the outcome is known.
        table: Name of the table in messages.
        label_delay_days: Days until an outcome is known.

    Example:
        >>> spec = TableSpec(entity="customerID", target="Churn", positive="Yes", numeric=["tenure"])
        >>> contract_for(spec, labelled=True, table="customers").key
        ('customerID',)
    """
    return OneTable(spec, labelled=labelled, table=table, label_delay_days=label_delay_days)
