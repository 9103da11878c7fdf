"""What does a metric look like in each variant? Sums by unit, added up where the rows lie."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.experiments.paired import LEAST_PROBABILITY
from evergreen.experiments.parameters import OF_THE_VERSION, ExperimentPolicy, GainsPolicy, MetricPolicy
from evergreen.experiments.split import Side, Sums
from evergreen.wording import listed


@dataclass(frozen=True)
class Moments:
    """A metric over the units of one variant.

    Attributes:
        n: Units.
        mean: Mean of y.
        variance: Its sample variance.
        whole: Whether every y is 0 or 1.
        other_mean: Mean of a second value: the covariate, or a ratio's denominator.
        other_variance: Its sample variance.
        covariance: Of both.
    """

    n: int
    mean: float
    variance: float
    whole: bool = False
    other_mean: float = 0.0
    other_variance: float = 0.0
    covariance: float = 0.0

    @property
    def sums(self) -> Sums:
        """What :func:`~evergreen.experiments.compare_means` needs."""
        return Sums(self.n, self.n * self.mean, (self.n - 1) * self.variance + self.n * self.mean**2)

    @property
    def ratio(self) -> Side:
        """Y over the second value: the ratio of their sums and its variance a unit, by the delta method."""
        m, d = self.mean, self.other_mean
        variance = self.variance / d**2 + self.other_variance * m**2 / d**4 - 2 * self.covariance * m / d**3
        return Side(self.n, m / d, max(variance, 0.0))

    def without(self, theta: float, centre: float) -> Moments:
        """Y − θ (x − centre), with the second value as the covariate x."""
        variance = self.variance - 2 * theta * self.covariance + theta**2 * self.other_variance
        return Moments(self.n, self.mean - theta * (self.other_mean - centre), max(variance, 0.0))


def pooled_theta(a: Moments, b: Moments) -> tuple[float, float]:
    """CUPED's θ and the covariate's mean, over both variants together."""
    n = a.n + b.n
    centre = (a.n * a.other_mean + b.n * b.other_mean) / n
    mean = (a.n * a.mean + b.n * b.mean) / n
    covariance = sum((s.n - 1) * s.covariance + s.n * (s.mean - mean) * (s.other_mean - centre) for s in (a, b))
    variance = sum((s.n - 1) * s.other_variance + s.n * (s.other_mean - centre) ** 2 for s in (a, b))
    return (covariance / variance if variance > 0 else 0.0), centre


def metric_values(table: ir.Table, metric: MetricPolicy, gains: GainsPolicy | None, side: str = "") -> ir.NumericValue:
    """The metric of each row; null where its outcome is not known.

    Args:
        table: Exposures.
        metric: Any but ``roc_auc``; of a ratio the numerator.
        gains: What decisions bring.
        side: ``a_`` or ``b_`` of a paired table.

    Raises:
        EvergreenError: Where the exposures lack a column.
    """
    if metric.kind in ("binary", "continuous", "ratio"):
        return column_of(table, metric.column or "label", side).cast("float64")
    label = column_of(table, "label", side)
    if metric.kind in ("accuracy", "value"):
        positive = column_of(table, "prediction", side) == 1
        if metric.kind == "accuracy":
            return (positive == (label == 1)).cast("float64")
        assert gains is not None  # the definition asks for them
        cells = (gains.true_positive, gains.false_negative, gains.false_positive, gains.true_negative)
        hit, missed, false, true = (ibis.literal(float(cell)) for cell in cells)
        found = ibis.ifelse(label == 1, positive.ifelse(hit, missed), positive.ifelse(false, true))
        return ibis.ifelse(label.notnull(), found, ibis.null("float64"))
    score = column_of(table, "probability", side)
    if metric.kind == "brier":
        return (score - label) * (score - label)
    sure = ibis.least(ibis.greatest(score, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    logs = ibis.ifelse(label == 1, -sure.ln(), -(1 - sure).ln())
    return ibis.ifelse(label.notnull(), logs, ibis.null("float64"))


def column_of(table: ir.Table, name: str, side: str = "") -> ir.NumericColumn:
    """A column of the exposures, on its side where the versions each have their own.

    Raises:
        EvergreenError: Where there is none.
    """
    full = f"{side}{name}" if name in OF_THE_VERSION else name
    if full not in table.columns:
        raise EvergreenError(
            f"the exposures lack {name}: they have {listed(list(table.columns), 20)}; bring it there, or choose "
            "another metric"
        )
    found: ir.NumericColumn = table[full]
    return found


def split_moments(
    table: ir.Table, experiment: ExperimentPolicy, metric: MetricPolicy, covariate: str | None = None
) -> dict[str, Moments]:
    """The metric of each variant, per unit, by one pass over the rows.

    Args:
        table: Exposures of a split.
        experiment: Names units and gains.
        metric: Any but ``roc_auc``.
        covariate: A column that was known before the exposure; it takes the second place.

    Returns:
        VariantPolicy → moments; without variants that have fewer than two units.
    """
    y = metric_values(table, metric, experiment.gains)
    other = table[covariate] if covariate else table[metric.denominator] if metric.denominator else ibis.literal(0.0)
    rows = table.select(unit=table["unit"], variant=table["variant"], y=y, x=other.cast("float64"))
    rows = rows.filter(rows["y"].notnull() & rows["x"].notnull())
    if experiment.unit == "entity":
        ratio = metric.kind == "ratio"
        whole = {"mean": rows["y"].mean(), "sum": rows["y"].sum(), "max": rows["y"].max()}
        rows = rows.group_by("unit").agg(
            variant=rows["variant"].arbitrary(),  # of a valid split the only one
            y=rows["y"].sum() if ratio else whole[metric.per_unit],
            x=rows["x"].sum() if ratio else rows["x"].mean(),
        )
    found = rows.group_by("variant").agg(
        n=rows.count(), mean=rows["y"].mean(), variance=rows["y"].var(how="sample"),
        whole=rows["y"].isin([0.0, 1.0]).all(), other_mean=rows["x"].mean(),
        other_variance=rows["x"].var(how="sample"), covariance=rows["x"].cov(rows["y"], how="sample"),
    ).execute()  # fmt: skip
    return {str(row["variant"]): _moments(row) for row in found.to_dict("records") if row["n"] > 1}


def _moments(row: dict[str, object]) -> Moments:
    numbers = {name: float(value) for name, value in row.items() if name not in ("variant", "n", "whole")}  # type: ignore[arg-type]
    return Moments(n=int(row["n"]), whole=bool(row["whole"]), **numbers)  # type: ignore[call-overload]


@dataclass(frozen=True)
class PairedMoments:
    """A metric of both versions over the same requests, deviations summed within units.

    Attributes:
        rows: Requests.
        units: Units that they are of.
        means: The metric of a and of b.
        error: Standard error of the difference.
    """

    rows: int
    units: int
    means: tuple[float, float]
    error: float


def paired_moments(table: ir.Table, metric: MetricPolicy, gains: GainsPolicy | None) -> PairedMoments | None:
    """Both versions' metric by one pass; None where fewer than two units have one.

    The error is √(B/(B−1) Σ (sᵤ − nᵤ d̄)²)/N over B units with difference sums sᵤ of nᵤ requests.
    """
    a, b = (metric_values(table, metric, gains, side) for side in ("a_", "b_"))
    rows = table.select(unit=table["unit"], a=a, b=b)
    rows = rows.filter(rows["a"].notnull() & rows["b"].notnull())
    units = rows.group_by("unit").agg(n=rows.count(), a=rows["a"].sum(), b=rows["b"].sum())
    d, n = units["b"] - units["a"], units["n"]
    found = units.aggregate(
        units=units.count(), rows=n.sum(), a=units["a"].sum(), b=units["b"].sum(), dd=(d * d).sum(), dn=(d * n).sum(),
        nn=(n * n).sum(),
    ).execute().iloc[0]  # fmt: skip
    if pd.isna(found["rows"]) or found["units"] < 2:
        return None
    total, count = int(found["rows"]), int(found["units"])
    means = float(found["a"]) / total, float(found["b"]) / total
    mean = means[1] - means[0]
    squares = float(found["dd"]) - 2 * mean * float(found["dn"]) + mean**2 * float(found["nn"])
    return PairedMoments(total, count, means, sqrt(max(squares, 0.0) * count / (count - 1)) / total)
