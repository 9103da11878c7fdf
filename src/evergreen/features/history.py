"""What was known of a key before a day: point-in-time history.

All sums are sums of decimals, hence exact. So the same rows give the same features to the last bit in any
order, on any number of threads and whatever other rows there are, and a variance can be taken from a sum of
squares without cancellation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from evergreen.features.calendar import day_number
from evergreen.histories import HistoryRule, Statistic

_NUMBER = "decimal(18, 6)"
_SUM = "decimal(38, 6)"
_ROWS = "ev_rows"


@dataclass(frozen=True)
class History:
    """Which statistics to keep of a key's past.

    Attributes:
        prefix: First word of the feature names.
        keys: Columns that make the key; a row with a null among them has no history, only nulls.
        measures: For each measured column the statistics to keep; ``{"amount": ["avg"]}`` makes
            ``<prefix>_avg_amount``.
        frequency: Whether to count the key's rows as ``<prefix>_frequency``.
        windows: Lengths of windows in days, whose features end in ``_7d``; none: the one that is asked for.
        delay_days: Days until a row's measures are known.
        sparse: Measures that may be null, so that their values are counted apart from the rows.
    """

    prefix: str
    keys: Sequence[str]
    measures: Mapping[str, Sequence[Statistic]] = field(default_factory=dict)
    frequency: bool = False
    windows: Sequence[int] = ()
    delay_days: int = 1
    sparse: frozenset[str] = frozenset()

    @property
    def rule(self) -> HistoryRule:
        """The same in the words of a use case's description."""
        said = {name: list(statistics) for name, statistics in self.measures.items()}
        return HistoryRule(
            keys=list(self.keys), measures=said, frequency=self.frequency, windows=list(self.windows),
            delay_days=self.delay_days,
        )  # fmt: skip

    @property
    def columns(self) -> list[str]:
        """Names of the features, in order."""
        return self.rule.columns(self.prefix)


def history_of(prefix: str, rule: HistoryRule, sparse: frozenset[str] = frozenset()) -> History:
    """The history that a use case's description asks for."""
    return History(prefix, rule.keys, rule.measures, rule.frequency, rule.windows, rule.delay_days, sparse)


def key_history(table: ir.Table, history: History, date: str, history_days: int) -> ir.Table:
    """Compute the history of each key on each day on which it has rows.

    A day's features are computed from rows of the same key whose date lies ``delay_days`` to ``history_days`` days
    before it, never from the day itself or later. Rows are condensed to one a key and day, and these summed over the
    window.

    Args:
        table: Rows with the keys, a DATE column, and the measured columns, without nulls but for ``history.sparse``.
            Measures are read to six decimals and may reach 10^12.
        history: The key and the statistics.
        date: Name of the DATE column.
        history_days: Length of the window, where the history names none.

    Returns:
        One row a key and day: the key, the date and ``history.columns``. Without rows in the window totals
        and frequency are 0, others null; a standard deviation (n - 1 in the denominator) takes two rows.
    """
    rows = table.select(*history.keys, date, **{m: table[m].cast(_NUMBER) for m in history.measures})
    rows = rows.drop_null(history.keys)
    daily = rows.group_by([*history.keys, date]).agg(**{_ROWS: ibis._.count()}, **_daily(rows, history))
    gathered = [name for name in daily.columns if name not in (*history.keys, date)]
    columns: dict[str, ir.Column] = {}
    for ending, days in history.rule.spans(history_days).items():
        span = (-days, -history.delay_days)
        window = ibis.window(group_by=history.keys, order_by=day_number(daily[date]), range=span)
        columns |= {f"{name}{ending}": _gathered(daily, name).over(window) for name in gathered}
    past = daily.select(*history.keys, date, **columns)
    features: dict[str, ir.Column] = {}
    for ending in history.rule.spans(history_days):
        features |= _statistics(past, history, ending)
    return past.select(*history.keys, date, **features)


def _daily(rows: ir.Table, history: History) -> dict[str, ir.Scalar]:
    """What a day keeps of each measure: its sum, and what the statistics that are asked for need beside it."""
    found: dict[str, ir.Scalar] = {}
    for measure, statistics in history.measures.items():
        column = rows[measure]
        found[_part(measure, "sum")] = column.sum()
        if measure in history.sparse:
            found[_part(measure, "rows")] = column.count()
        if "std" in statistics:
            found[_part(measure, "squares")] = (column.cast(_SUM) * column).sum()
        found |= {_part(measure, end): getattr(column, end)() for end in ("min", "max") if end in statistics}
    return found


def _gathered(daily: ir.Table, name: str) -> ir.Scalar:
    """A day's part, over a window of days."""
    end = name.rpartition("_")[2]
    column = daily[name]
    return column.min() if end == "min" else column.max() if end == "max" else column.sum()


def _part(measure: str, part: str) -> str:
    return f"ev_{measure}_{part}"


def _statistics(past: ir.Table, history: History, ending: str) -> dict[str, ir.Column]:
    """The features, from a window's number of rows, sums and sums of squares."""
    features: dict[str, ir.Column] = {}
    rows = past[f"{_ROWS}{ending}"].cast("int64")
    for measure, statistics in history.measures.items():
        part = {
            name: past[f"{_part(measure, name)}{ending}"]
            for name in ("sum", "rows", "squares", "min", "max")
            if f"{_part(measure, name)}{ending}" in past.columns
        }
        n = part["rows"].cast("int64").nullif(0) if "rows" in part else rows
        total = part["sum"].cast("float64")
        for statistic in statistics:
            if statistic == "avg":
                value = total / n
            elif statistic == "total":
                value = total.fill_null(0.0)
            elif statistic == "std":
                value = _standard_deviation(n, part["sum"], part["squares"])
            else:
                value = part[statistic].cast("float64")
            features[f"{history.prefix}_{statistic}_{measure}{ending}"] = value
    if history.frequency:
        features[f"{history.prefix}_frequency{ending}"] = rows.fill_null(0)
    return features


def _standard_deviation(n: ir.IntegerColumn, total: ir.DecimalColumn, squares: ir.DecimalColumn) -> ir.FloatingColumn:
    """Sum of squares moved to the mean, still exact, before it becomes a float.

    Σ(x − c)² = Σx² − c(2Σx − nc) for c, the mean to six decimals.
    """
    mean = (total.cast("float64") / n).cast(_NUMBER)
    around_mean = squares - mean * (total + total - n * mean)
    return (ibis.greatest(around_mean.cast("float64"), 0.0) / (n - 1).nullif(0)).sqrt()
