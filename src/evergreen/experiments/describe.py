"""What does each variant look like: rows, outcomes, predictions, confidence; and where is the difference?"""

from __future__ import annotations

from itertools import pairwise

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.experiments.effect import effect_of
from evergreen.experiments.moments import metric_values
from evergreen.experiments.multiplicity import adjust
from evergreen.experiments.parameters import OF_THE_VERSION, ExperimentPolicy, MetricPolicy
from evergreen.records import Frozen

HISTOGRAM_BINS = 10
MOST_LEVELS = 10
GROUPS = 4


class VariantFigures(Frozen):
    """One variant.

    Attributes:
        name: Its name.
        version: The version that answers; empty where it is not known.
        weight: Its weight.
        units: Units (paired: requests) that met it.
        rows: Exposures.
        known: Exposures whose outcome is known.
        positive_rate: Share of positive predictions.
        mean_probability: Mean probability of class 1.
        mean_confidence: Mean of the larger class's probability.
        accuracy: Share of right predictions among known outcomes.
        outcome_rate: Share of positive outcomes among known ones.
        realised_value: Mean value of a decision, by ``gains``.
        histogram: Share of rows in each of ten bins of the probability, from 0 to 1.
    """

    name: str
    version: str = ""
    weight: float
    units: int
    rows: int = 0
    known: int = 0
    positive_rate: float | None = None
    mean_probability: float | None = None
    mean_confidence: float | None = None
    accuracy: float | None = None
    outcome_rate: float | None = None
    realised_value: float | None = None
    histogram: tuple[float, ...] = ()


class SliceEffect(Frozen):
    """The metric's difference among some rows; it decides nothing.

    Attributes:
        column: The column that cuts.
        level: Its value, or the range of values.
        rows: Rows with a known metric.
        difference: Second variant less the first.
        low: Lower end of the difference's interval, this slice alone.
        high: Upper end.
        p_value: Of this slice alone.
        adjusted_p_value: For the number of slices.
    """

    column: str
    level: str
    rows: int
    difference: float
    low: float
    high: float
    p_value: float
    adjusted_p_value: float


def variant_figures(
    table: ir.Table, experiment: ExperimentPolicy, units: dict[str, int], versions: dict[str, str]
) -> tuple[VariantFigures, ...]:
    """Each variant's figures, by one pass a variant."""
    found = []
    for name, side in zip(experiment.variants, ("a_", "b_"), strict=True):
        own = _own_rows(table, experiment, name, side)
        head = {"name": name, "version": versions.get(name, ""), "weight": experiment.weights[name]}
        found.append(VariantFigures(**head, units=units.get(name, 0), **_figures(own, experiment)))
    return tuple(found)


def _own_rows(table: ir.Table, experiment: ExperimentPolicy, name: str, side: str) -> ir.Table:
    if not experiment.paired:
        return table.filter(table["variant"] == name)
    own = {column: table[f"{side}{column}"] for column in OF_THE_VERSION if f"{side}{column}" in table.columns}
    return table.select("label", **own)


def _figures(own: ir.Table, experiment: ExperimentPolicy) -> dict[str, object]:
    kinds = {"positive_rate": "prediction", "mean_probability": "probability", "mean_confidence": "confidence"}
    wanted: dict[str, ir.Value] = {n: own[c].cast("float64").mean() for n, c in kinds.items() if c in own.columns}
    wanted |= {"rows": own.count(), "known": own["label"].count(), "outcome_rate": own["label"].cast("float64").mean()}
    if "prediction" in own.columns:
        wanted["accuracy"] = metric_values(own, MetricPolicy(kind="accuracy"), None).mean()
        if experiment.gains is not None:
            value = metric_values(own, MetricPolicy(kind="value"), experiment.gains)
            wanted["realised_value"] = value.mean()
    if "probability" in own.columns:
        place = (own["probability"] * HISTOGRAM_BINS).floor().clip(0, HISTOGRAM_BINS - 1)
        wanted |= {f"bin{k}": (place == k).cast("float64").mean() for k in range(HISTOGRAM_BINS)}
    row = {name: None if pd.isna(v) else v for name, v in own.aggregate(**wanted).execute().iloc[0].items()}
    bins = tuple(float(row.pop(f"bin{k}") or 0) for k in range(HISTOGRAM_BINS)) if "bin0" in row else ()
    counts = {name: int(row.pop(name) or 0) for name in ("rows", "known")}
    return {**counts, **{str(n): None if v is None else float(v) for n, v in row.items()}, "histogram": bins}


def slice_effects(table: ir.Table, experiment: ExperimentPolicy) -> tuple[SliceEffect, ...]:
    """The metric's difference by the values of the experiment's slices, with p-values adjusted for their number.

    A number with many values is cut at its quartiles. Slices in which a variant has too few rows are left out.
    """
    found = []
    for column in (name for name in experiment.slices if name in table.columns):
        for level, rows in _levels(table, column):
            effect = effect_of(rows, experiment, experiment.metric)
            if effect is not None:
                found.append((column, level, effect))
    adjusted = adjust([effect.comparison.p_value for _, _, effect in found], experiment.correction)
    return tuple(
        SliceEffect(
            column=column, level=level, rows=effect.rows, difference=effect.comparison.difference,
            low=effect.comparison.low, high=effect.comparison.high, p_value=effect.comparison.p_value,
            adjusted_p_value=float(p),
        )
        for (column, level, effect), p in zip(found, adjusted, strict=True)
    )  # fmt: skip


def _levels(table: ir.Table, column: str) -> list[tuple[str, ir.Table]]:
    values = table[column]
    distinct = int(table.aggregate(n=values.nunique()).execute()["n"].iloc[0])
    if values.type().is_numeric() and distinct > MOST_LEVELS:
        shares = [k / GROUPS for k in range(1, GROUPS)]
        edges = table.aggregate(**{f"q{k}": values.quantile(share) for k, share in enumerate(shares)}).execute().iloc[0]
        limits = [-np.inf, *map(float, edges), np.inf]
        return [
            (f"{low:.4g} to {high:.4g}", table.filter((values > low) & (values <= high)))
            for low, high in pairwise(limits)
        ]
    counts = table.group_by(column).agg(n=table.count()).order_by(ibis.desc("n"), column).limit(MOST_LEVELS).execute()
    levels = [value for value in counts[column].tolist() if not pd.isna(value)]
    return [(str(value), table.filter(values == value)) for value in levels]
