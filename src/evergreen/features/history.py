"""What was known of a key before a day: point-in-time history.

All sums are sums of decimals, hence exact. So the same rows give the same features to the last bit in any
order, on any number of threads and whatever other rows there are, and a variance can be taken from a sum of
squares without cancellation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import ibis
import ibis.expr.types as ir

from evergreen.features.calendar import day_number

Statistic = Literal["avg", "std", "total"]

_NUMBER = "decimal(18, 6)"
_SUM = "decimal(38, 6)"


@dataclass(frozen=True)
class History:
    """Which statistics to keep of a key's past.

    Attributes:
        prefix: First word of the feature names.
        keys: Columns that make the key; a row with a null among them has no history, only nulls.
        measures: For each measured column the statistics to keep; ``{"amount": ["avg"]}`` makes
            ``<prefix>_avg_amount``.
        frequency: Whether to count the key's rows as ``<prefix>_frequency``.
    """

    prefix: str
    keys: Sequence[str]
    measures: Mapping[str, Sequence[Statistic]] = field(default_factory=dict)
    frequency: bool = False

    @property
    def columns(self) -> list[str]:
        """Names of the features, in order."""
        names = [f"{self.prefix}_{stat}_{m}" for m, stats in self.measures.items() for stat in stats]
        return [*names, *([f"{self.prefix}_frequency"] if self.frequency else [])]


def key_history(table: ir.Table, history: History, date: str, history_days: int) -> ir.Table:
    """Compute the history of each key on each day on which it has rows.

    A day's features are computed from rows of the same key whose date lies 1 to ``history_days`` days before
    it, never from the day itself or later. Rows are condensed to one a key and day, and these summed over the
    window.

    Args:
        table: Rows with the keys, a DATE column, and the measured columns without nulls. Measures are read
            to six decimals and may reach 10^12.
        history: The key and the statistics.
        date: Name of the DATE column.
        history_days: Length of the window.

    Returns:
        One row a key and day: the key, the date and ``history.columns``. Without rows in the window totals
        and frequency are 0, averages null; a standard deviation (n - 1 in the denominator) takes two rows.
    """
    rows = table.select(*history.keys, date, **{m: table[m].cast(_NUMBER) for m in history.measures})
    rows = rows.drop_null(history.keys)
    daily = rows.group_by([*history.keys, date]).agg(rows=ibis._.count(), **_sums(rows, history))
    window = ibis.window(group_by=history.keys, order_by=day_number(daily[date]), range=(-history_days, -1))
    sums = [name for name in daily.columns if name not in (*history.keys, date)]
    past = daily.select(*history.keys, date, **{name: daily[name].sum().over(window) for name in sums})
    return past.select(*history.keys, date, **_statistics(past, history))


def _sums(rows: ir.Table, history: History) -> dict[str, ir.DecimalScalar]:
    """A day's sum of each measure, and of its squares where a standard deviation is wanted."""
    sums = {f"{m}_sum": rows[m].sum() for m in history.measures}
    spread = [m for m, statistics in history.measures.items() if "std" in statistics]
    return sums | {f"{m}_squares": (rows[m].cast(_SUM) * rows[m]).sum() for m in spread}


def _statistics(past: ir.Table, history: History) -> dict[str, ir.Column]:
    """The features, from a window's number of rows, sums and sums of squares."""
    n = past.rows.cast("int64")
    features = {}
    for measure, statistics in history.measures.items():
        total = past[f"{measure}_sum"].cast("float64")
        for statistic in statistics:
            if statistic == "avg":
                value = total / n
            elif statistic == "total":
                value = total.fill_null(0.0)
            else:
                value = _standard_deviation(n, past[f"{measure}_sum"], past[f"{measure}_squares"])
            features[f"{history.prefix}_{statistic}_{measure}"] = value
    if history.frequency:
        features[f"{history.prefix}_frequency"] = n.fill_null(0)
    return features


def _standard_deviation(n: ir.IntegerColumn, total: ir.DecimalColumn, squares: ir.DecimalColumn) -> ir.FloatingColumn:
    """Sum of squares moved to the mean, still exact, before it becomes a float.

    Σ(x − c)² = Σx² − c(2Σx − nc) for c, the mean to six decimals.
    """
    mean = (total.cast("float64") / n).cast(_NUMBER)
    around_mean = squares - mean * (total + total - n * mean)
    return (ibis.greatest(around_mean.cast("float64"), 0.0) / (n - 1).nullif(0)).sqrt()
