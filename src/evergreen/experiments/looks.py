"""Which planned looks were reached, and did any cross its bound?"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.evaluation.sequential import group_sequential_bounds
from evergreen.experiments.effect import effect_of
from evergreen.experiments.exposures import Exposures
from evergreen.experiments.moments import metric_values
from evergreen.experiments.parameters import ExperimentPolicy, MetricPolicy
from evergreen.records import Frozen

Crossed = Literal["better", "worse", "no"]


class PlannedLook(Frozen):
    """One planned look that was reached.

    Attributes:
        number: From 1.
        day: The day on which enough outcomes were known.
        rows: Units (paired: requests) with an outcome by the end of that day.
        information: Their share of the planned rows, at most 1.
        difference: Second variant less the first.
        statistic: The difference in standard errors.
        bound: What its size must exceed.
        crossed: Whether it did, and on which side.
    """

    number: int
    day: dt.date
    rows: int
    information: float
    difference: float
    statistic: float
    bound: float
    crossed: Crossed


def planned_looks(
    exposures: Exposures, experiment: ExperimentPolicy, planned_rows: int, known: pd.DataFrame | None = None
) -> tuple[PlannedLook, ...]:
    """The looks that were reached, up to the first that crossed its bound.

    A look is taken at the end of the first day on which its share of the planned rows is known, on what was known by
    then: asking every day, or again, changes nothing.

    Args:
        exposures: The rows.
        experiment: Names looks, bounds and error rate.
        planned_rows: Units (paired: requests) with an outcome at the last look.
        known: What :func:`known_by_day` found; None: it is asked.
    """
    known = known_by_day(exposures.table, experiment) if known is None else known
    reached = _reached(known, experiment.looks, planned_rows)
    times = [min(rows / planned_rows, 1.0) for _, _, rows in reached]
    still = [(k + 1) / experiment.looks for k in range(experiment.looks)]
    later = [time for time in still if time > (times[-1] if times else 0) + 1e-9]
    if not times:
        return ()
    bounds = group_sequential_bounds([*times, *later], experiment.alpha, experiment.bounds)
    found = []
    for (number, day, rows), time, bound in zip(reached, times, bounds, strict=False):
        look = _look(exposures.table, experiment, (number, day, rows), time, float(bound))
        if look is not None:
            found.append(look)
        if look is not None and look.crossed != "no":
            break
    return tuple(found)


def known_by_day(table: ir.Table, experiment: ExperimentPolicy) -> pd.DataFrame:
    """Units (paired: requests) by the day on which their metric was first known: ``day``, ``rows``."""
    metric = experiment.metric
    day = table["known_on"] if metric.needs_outcome else table["day"]
    rows = table.filter(_is_known(table, experiment, metric)).select(unit=table["unit"], known=day)
    if not experiment.paired and experiment.unit == "entity":
        rows = rows.group_by("unit").agg(known=rows["known"].min())
    counts = rows.group_by("known").agg(rows=rows.count()).order_by("known").execute()
    return counts.rename(columns={"known": "day"})


def _is_known(table: ir.Table, experiment: ExperimentPolicy, metric: MetricPolicy) -> ir.BooleanValue:
    if metric.needs_outcome:
        return table["label"].notnull()
    return metric_values(table, metric, experiment.gains, "b_" if experiment.paired else "").notnull()


def _reached(known: pd.DataFrame, looks: int, planned_rows: int) -> list[tuple[int, dt.date, int]]:
    """Number, day and rows of every look; several that fall on one day are one."""
    found: dict[dt.date, tuple[int, dt.date, int]] = {}
    number, total = 0, 0
    for day, rows in zip(known["day"], known["rows"], strict=True):
        total += int(rows)
        while number < looks and total >= (number + 1) / looks * planned_rows:
            number += 1
            at = pd.Timestamp(day).date()
            found[at] = number, at, total
    return list(found.values())


def _look(
    table: ir.Table, experiment: ExperimentPolicy, reached: tuple[int, dt.date, int], time: float, bound: float
) -> PlannedLook | None:
    number, day, rows = reached
    known = table["known_on"] if experiment.metric.needs_outcome else table["day"]
    effect = effect_of(table.filter(known <= ibis.date(day)), experiment, experiment.metric)
    if effect is None:
        return None
    crossed: Crossed = "no"
    if abs(effect.z) > bound:
        crossed = "better" if effect.z * experiment.metric.better > 0 else "worse"
    return PlannedLook(
        number=number, day=day, rows=rows, information=time, difference=effect.comparison.difference,
        statistic=effect.z, bound=bound, crossed=crossed,
    )  # fmt: skip
